"""Data directories of rated clips."""

import logging

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table
from merit.data.rated.rated_set import compare_clip_counts, refuse_missing_clips, unrated_clips, write_rated_set
from merit.data.rated.ratings import Rating, clips_of, read_ratings
from merit.errors import MeritError


@pytest.fixture
def ratings(tmp_path):
    """Two clips of one system, at 48 and 24 kHz, and an unrated one of another."""
    for name, rate in (("a", 48000), ("b", 24000), ("c", 16000)):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(rate // 2), rate)
    return [
        Rating(str(tmp_path / "b.wav"), "s1", "b", 2.0, "L1"),
        Rating(str(tmp_path / "a.wav"), "s1", "a", 4.0, "L2"),
        Rating(str(tmp_path / "a.wav"), "s1", "a", 5.0, "L1"),
        Rating(str(tmp_path / "c.wav"), "s2", "c"),
    ]


def test_it_is_a_data_directory_with_systems_as_speakers_and_any_rate(tmp_path, ratings, caplog):
    with caplog.at_level(logging.INFO):
        write_rated_set(tmp_path / "set", ratings)
    assert problems_in(tmp_path / "set", audio=True) == []
    assert read_table(tmp_path / "set/utt2spk") == {"s1-a": "s1", "s1-b": "s1", "s2-c": "s2"}
    assert set(read_table(tmp_path / "set/utt2dur").values()) == {"0.5000"}
    assert clips_of(read_ratings(tmp_path / "set/ratings.csv"))["s1-a"].mean == 4.5
    assert "3 clips of 2 systems, 2 rated, 3 ratings of 2 listeners, 0.0 minutes" in caplog.text


def test_missing_files_are_listed_and_left_out_only_when_allowed(tmp_path, ratings):
    (tmp_path / "b.wav").unlink()
    with pytest.raises(MeritError, match="1 of 3 files are missing, listed in .*missing_files.txt"):
        refuse_missing_clips(tmp_path, ratings, tmp_path / "data", allow_missing=False)
    assert (tmp_path / "data/missing_files.txt").read_text() == f"{tmp_path / 'b.wav'}\n"
    left = refuse_missing_clips(tmp_path, ratings, tmp_path / "data", allow_missing=True)
    assert [rating.utterance for rating in left] == ["s1-a", "s1-a", "s2-c"]


def test_means_are_counted_as_such(tmp_path, ratings, caplog):
    with caplog.at_level(logging.INFO):
        write_rated_set(tmp_path / "set", [Rating(ratings[0].wav_path, "s1", "b", 3.2)])
    assert "1 ratings, means over listeners" in caplog.text


def test_clips_are_counted_beside_those_expected(ratings, caplog):
    with caplog.at_level(logging.INFO):
        compare_clip_counts({"train": ratings}, {"train": 3}, "the whole corpus")
    assert "train found      3 clips, expected in the whole corpus      3" in caplog.text
    assert "will not compare" not in caplog.text
    compare_clip_counts({"train": ratings}, {"train": 3, "test": 2}, "the whole corpus")
    assert "scores will not compare with those published on it" in caplog.text


def test_audio_of_further_systems_is_unrated(tmp_path):
    for name in ("my tts/a/one.wav", "my tts/two.flac", "other/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = unrated_clips(tmp_path)
    assert sorted(rating.utterance for rating in found) == ["my_tts-a_one", "my_tts-two"]
    assert all(rating.score is None for rating in found)
    with pytest.raises(MeritError, match="other: no audio; expected a folder for each system"):
        unrated_clips(tmp_path / "other")
