"""egs/mustc/local: segments of talks."""

from importlib import import_module

import numpy as np
import pytest
import soundfile
from parallel_corpora import EGS, make_mustc, prepared, write_lines

from merit.data.audio import read_audio
from merit.data.datadir import read_table
from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "mustc/local")
    return import_module("prepare_mustc").prepare_mustc


@pytest.fixture
def corpus(tmp_path):
    make_mustc(tmp_path / "en-de")
    return tmp_path / "en-de"


def test_segments_with_both_texts(prepare, corpus, tmp_path):
    prepare(corpus, tmp_path / "data")
    assert prepared(tmp_path / "data", "train", "en", "de") == {
        "ted_1_000000": ("Thank you.", "Danke."),
        "ted_1_000001": ("Good morning.", "Guten Morgen."),
        "ted_2_000002": ("(Applause)", "(Beifall)"),
    }
    test = tmp_path / "data/test"
    entries = read_table(test / "wav.scp")
    assert entries["ted_5_000000"].startswith(str(corpus / "data/tst-COMMON/wav/ted_5.wav["))
    talk, _ = soundfile.read(corpus / "data/tst-COMMON/wav/ted_5.wav", dtype="float32")
    assert np.array_equal(read_audio(entries["ted_5_000000"], "u"), talk[4000:12000])
    # What goes beyond the talk ends with it.
    assert read_table(test / "utt2dur") == {
        "ted_5_000000": "0.5000",
        "ted_5_000001": "0.2500",
        "ted_6_000002": "0.5000",
    }
    assert read_table(test / "spk2utt")["spk.1"] == "ted_5_000000 ted_5_000001"


def test_segments_without_words_are_left_out_and_listed(prepare, corpus, tmp_path, caplog):
    write_lines(corpus / "data/train/txt/train.de", "Danke.", "", "(Beifall)")
    prepare(corpus, tmp_path / "data")
    assert list(prepared(tmp_path / "data", "train", "en")) == ["ted_1_000000", "ted_2_000002"]
    assert (tmp_path / "data/empty_texts.txt").read_text() == "ted_1_000001: no text.de\n"
    assert "ted_1_000001: no text.de" in caplog.text


def test_a_talk_that_is_missing(prepare, corpus, tmp_path):
    (corpus / "data/dev/wav/ted_3.wav").unlink()
    with pytest.raises(MeritError, match="audio of 2 of 9 utterances is missing"):
        prepare(corpus, tmp_path / "data")
    assert "ted_3.wav: there is no such file" in (tmp_path / "data/missing_files.txt").read_text()
    prepare(corpus, tmp_path / "data", allow_missing=True)
    assert list(prepared(tmp_path / "data", "dev", "en")) == ["ted_4_000002"]


@pytest.mark.parametrize(
    ("file", "lines", "problem"),
    [
        (
            "train.yaml",
            ["- {duration: 1, offset: 0, speaker_id: s, wav: w}", "- {offset: 0}"],
            "train.yaml:2: expected",
        ),
        ("train.yaml", ["- {duration: long, offset: 0, speaker_id: s, wav: w}"], "train.yaml:1: expected"),
        ("train.yaml", ["nothing"], "train.yaml:1: expected"),
        ("train.en", ["Thank you."], "train.en: 1 lines for 3 segments"),
    ],
)
def test_damaged_texts_are_refused(prepare, corpus, tmp_path, file, lines, problem):
    write_lines(corpus / "data/train/txt" / file, *lines)
    with pytest.raises(MeritError, match=problem):
        prepare(corpus, tmp_path / "data")


def test_another_language_says_what_is_expected(prepare, corpus, tmp_path):
    with pytest.raises(MeritError, match="train.fr: the file is missing; give the folder en-<target> of MuST-C"):
        prepare(corpus, tmp_path / "data", "fr")
