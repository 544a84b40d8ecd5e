import logging

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table
from merit.data.parallel_set import SpokenText, one_line, part_of, read_lines, write_parallel_sets
from merit.errors import MeritError


@pytest.fixture
def spoken(tmp_path):
    """Four utterances of 0.1 seconds in English and French."""
    found = []
    for name in "abcd":
        soundfile.write(tmp_path / f"{name}.wav", np.full(1600, 0.1), 16000)
        texts = {"en": f"the {name}", "fr": f"le {name}"}
        found.append(SpokenText(name, str(tmp_path / f"{name}.wav"), "s", texts))
    return found


def test_sets_are_data_directories_with_a_text_for_each_language(spoken, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write_parallel_sets(tmp_path, {"train": spoken[:3], "test": spoken[3:]}, tmp_path / "data", "narrow", False)
    train = tmp_path / "data/train"
    assert problems_in(train, audio=True) == []
    assert {path.name for path in train.iterdir()} == {
        "wav.scp", "utt2spk", "spk2utt", "utt2dur", "utt2bw", "text.en", "text.fr",
    }  # fmt: skip
    assert read_table(train / "text.fr") == {"a": "le a", "b": "le b", "c": "le c"}
    assert set(read_table(train / "utt2bw").values()) == {"narrow"}
    assert f"{train}: 3 utterances, 1 speakers, 0.00 hours, narrow band" in caplog.text
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["test", "train"]


def test_audio_that_is_missing_or_damaged_is_listed_with_what_is_wrong(spoken, tmp_path):
    (tmp_path / "a.wav").unlink()
    (tmp_path / "b.wav").write_bytes((tmp_path / "b.wav").read_bytes()[:-100])
    with pytest.raises(
        MeritError, match="audio of 2 of 4 utterances is missing or damaged, listed in .*--allow-missing"
    ):
        write_parallel_sets(tmp_path, {"train": spoken}, tmp_path / "data", "wide", False)
    first, second = (tmp_path / "data/missing_files.txt").read_text().splitlines()
    assert first.startswith("a: ") and "no such file" in first and "truncated, 100 bytes" in second
    write_parallel_sets(tmp_path, {"train": spoken}, tmp_path / "data", "wide", True)
    assert list(read_table(tmp_path / "data/train/wav.scp")) == ["c", "d"]


def test_empty_texts_are_left_out_listed_and_forgotten_when_there_are_none(spoken, tmp_path):
    gap = SpokenText("e", spoken[0].audio, "s", {"en": "the e", "fr": ""})
    write_parallel_sets(tmp_path, {"train": [*spoken, gap]}, tmp_path / "data", "wide", False)
    assert list(read_table(tmp_path / "data/train/text.en")) == ["a", "b", "c", "d"]
    assert (tmp_path / "data/empty_texts.txt").read_text() == "e: no text.fr\n"
    write_parallel_sets(tmp_path, {"train": spoken}, tmp_path / "data", "wide", False)
    assert not (tmp_path / "data/empty_texts.txt").exists()
    with pytest.raises(MeritError, match="data/dev: no utterance is left to write"):
        write_parallel_sets(tmp_path, {"train": spoken, "dev": [gap]}, tmp_path / "data", "wide", False)


def test_names_that_stand_in_two_sets_are_refused(spoken, tmp_path):
    with pytest.raises(MeritError, match="two utterances have the same name"):
        write_parallel_sets(tmp_path, {"train": spoken, "dev": spoken[:1]}, tmp_path / "data", "wide", False)


def test_texts_become_one_line():
    assert one_line("  e\u0301te\u0301\u2028et\u00a0\tautomne\x85 ") == "été et automne"


def test_lines_are_those_of_the_file(tmp_path):
    (tmp_path / "t").write_text("a\u2028b\n\n c \n", encoding="utf-8")  # a separator of lines that ends none
    assert read_lines(tmp_path / "t", "restore it") == ["a\u2028b", "", "c"]
    (tmp_path / "t").write_bytes(b"\xff\n")
    with pytest.raises(MeritError, match="t: not UTF-8 text .*; restore it"):
        read_lines(tmp_path / "t", "restore it")
    with pytest.raises(MeritError, match="none: the file is missing; restore it"):
        read_lines(tmp_path / "none", "restore it")


def test_parts_end_with_their_recording(spoken, tmp_path):
    path = tmp_path / "a.wav"
    assert part_of(path, 0.025, 0.05) == f"{path}[0.025000:0.050000]"
    assert part_of(path, 0.025, 0.5, 1) == f"{path}[0.025000:0.100000:1]"
    assert part_of(tmp_path / "gone.wav", 1, 2.5) == f"{tmp_path}/gone.wav[1.000000:2.500000]"
