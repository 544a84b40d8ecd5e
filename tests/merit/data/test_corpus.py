import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.corpus import (
    Recording,
    choose_classes,
    compare_counts,
    counts_by_emotion,
    refuse_incomplete,
    refuse_missing,
    report_left_out,
    write_babble,
    write_emotion_set,
)
from merit.data.datadir import problems_in, read_table
from merit.errors import MeritError

EMOTIONS = {"a-1": "sad", "a-2": "angry", "a-3": "sad", "b-1": "bored"}


@pytest.fixture(autouse=True)
def logged(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture
def recordings(tmp_path) -> list[Recording]:
    """Four files of 0.1, 0.2, 0.3 and 0.4 minutes at 1 kHz, of the speakers a and b."""
    made = []
    for tenths, (utterance, emotion) in enumerate(EMOTIONS.items(), start=1):
        path = tmp_path / f"{utterance}.wav"
        soundfile.write(path, np.full(6000 * tenths, 0.1), 1000)
        made.append(Recording(path, utterance, utterance[0], emotion))
    return made


def test_classes_are_those_named_in_their_order():
    assert choose_classes(" sad  angry", "X", ["angry", "happy", "sad"]) == ["sad", "angry"]


@pytest.mark.parametrize("classes", ["", "  ", "sad calm", "Sad"])
def test_other_classes_are_refused_with_those_there_are(classes):
    with pytest.raises(MeritError) as error:
        choose_classes(classes, "X", {"A": "angry", "S": "sad"}.values())
    assert str(error.value) == f"classes {classes!r}: expected some of the emotions of X: angry sad"


def test_counts_are_in_alphabetical_order_and_the_rest_is_counted(recordings, caplog):
    assert counts_by_emotion(recordings) == "1 angry, 1 bored, 2 sad"
    report_left_out(recordings, ["sad"])
    report_left_out(recordings, ["angry", "bored", "sad"])
    assert caplog.messages == ["in none of the classes: 2 utterances (1 angry, 1 bored)"]


@pytest.mark.parametrize("bored, warnings", [(1, 0), (2, 1), (0, 1)])
def test_classes_are_compared_with_the_whole_corpus_where_its_counts_are_known(recordings, caplog, bored, warnings):
    compare_counts(recordings, ["bored", "sad", "angry"], {"bored": bored, "sad": 2, "happy": 9}, "release 2")
    assert caplog.messages[:3] == [
        f"bored      found      1, expected in release 2      {bored}",
        "sad        found      2, expected in release 2      2",
        "angry      found      1",
    ]
    assert len(caplog.messages) == 3 + warnings
    if warnings:
        assert caplog.records[3].levelname == "WARNING"
        assert caplog.messages[3].startswith(f"3 utterances of the classes, expected {2 + bored} in release 2; ")


def test_missing_recordings_are_counted_listed_and_stop_unless_allowed(recordings, caplog, tmp_path):
    elsewhere = Recording(Path("/elsewhere.wav"), "a-2", "a", "angry")  # found under another path than expected
    foreign = Recording(Path("/foreign.wav"), "c-1", "c", "angry")
    arguments = (Path("/corpus"), recordings, [recordings[0], elsewhere, foreign], tmp_path / "data")
    listing = tmp_path / "data/missing_files.txt"
    message = f"/corpus: 2 of 4 files are missing, listed in {listing}"
    with pytest.raises(MeritError) as error:
        refuse_missing(*arguments, allow_missing=False)
    assert str(error.value).startswith(message) and str(error.value).endswith("./run.sh --allow-missing true")
    assert caplog.messages == ["the corpus is not whole:\na: 2 files of 3\nb: 0 files of 1"]
    assert listing.read_text() == f"{tmp_path}/a-3.wav\n{tmp_path}/b-1.wav\n"
    refuse_missing(*arguments, allow_missing=True)
    assert caplog.messages[2] == f"{message}; going on without these files"
    assert listing.read_text() == f"{tmp_path}/a-3.wav\n{tmp_path}/b-1.wav\n"


def test_the_list_of_an_earlier_run_goes_when_nothing_is_missing(recordings, caplog, tmp_path):
    listing = tmp_path / "missing_files.txt"
    listing.write_text("of an earlier run\n")
    refuse_missing(tmp_path, recordings, recordings, tmp_path, allow_missing=False)
    assert not listing.exists() and not caplog.messages


def test_problems_of_any_kind_are_listed(tmp_path):
    with pytest.raises(MeritError, match="^2 problems, listed in .*bad.txt; "):
        refuse_incomplete("2 problems", ["b: too short", "a: truncated"], tmp_path / "bad.txt", allow_missing=False)
    assert (tmp_path / "bad.txt").read_text() == "b: too short\na: truncated\n"


def test_a_set_has_labels_speakers_and_durations(recordings, caplog, tmp_path):
    write_emotion_set(tmp_path / "set", recordings)
    assert problems_in(tmp_path / "set", classes=("angry", "bored", "sad"), audio=True) == []
    assert read_table(tmp_path / "set/utt2emo") == EMOTIONS
    assert read_table(tmp_path / "set/utt2spk") == {"a-1": "a", "a-2": "a", "a-3": "a", "b-1": "b"}
    durations = {"a-1": "6.0000", "a-2": "12.0000", "a-3": "18.0000", "b-1": "24.0000"}
    assert read_table(tmp_path / "set/utt2dur") == durations
    assert read_table(tmp_path / "set/wav.scp") == {name: f"{tmp_path}/{name}.wav" for name in EMOTIONS}
    described = "4 utterances (1 angry, 1 bored, 2 sad), 2 speakers, 1.0 minutes"
    assert caplog.messages == [f"{tmp_path}/set: {described}"]


def test_a_file_may_stand_in_a_set_under_several_names(recordings, tmp_path):
    path = recordings[1].path
    write_emotion_set(tmp_path / "set", [Recording(path, f"a-2-{n}", "a", "angry") for n in (1, 2)])
    assert read_table(tmp_path / "set/wav.scp") == {"a-2-1": str(path), "a-2-2": str(path)}
    assert read_table(tmp_path / "set/utt2dur") == {"a-2-1": "12.0000", "a-2-2": "12.0000"}


@pytest.mark.parametrize("spoken, expected", [(1, ["a-1"]), (0, ["b-1"])])
def test_babble_has_no_labels_and_falls_back_on_training(recordings, caplog, tmp_path, spoken, expected):
    write_babble(tmp_path / "babble", recordings[:spoken], training=recordings[3:])
    assert list(read_table(tmp_path / "babble/wav.scp")) == expected
    assert problems_in(tmp_path / "babble") == [] and not (tmp_path / "babble/utt2emo").exists()
    assert any("leave no utterance for the babble" in message for message in caplog.messages) == (not spoken)


def test_an_empty_set_and_an_unreadable_file_leave_no_directory(recordings, tmp_path):
    with pytest.raises(MeritError, match="set: no utterance is left to write"):
        write_emotion_set(tmp_path / "set", [])
    recordings[2].path.write_bytes(b"RIFF")
    with pytest.raises(MeritError, match="a-3"):
        write_emotion_set(tmp_path / "set", recordings)
    assert not (tmp_path / "set").exists()
