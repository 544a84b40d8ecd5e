"""egs/covost2/local: the tables of CoVoST 2 and Common Voice."""

from importlib import import_module

import pytest
from parallel_corpora import EGS, make_covost2, prepared

from merit.data.datadir import read_table
from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "covost2/local")
    return import_module("prepare_covost2").prepare_covost2


@pytest.fixture
def corpus(tmp_path):
    make_covost2(tmp_path / "cv")
    return tmp_path / "cv"


def test_the_official_split_of_the_clips_in_both_tables(prepare, corpus, tmp_path, caplog):
    caplog.set_level("INFO")
    prepare(corpus, tmp_path / "data")
    assert prepared(tmp_path / "data", "train", "en", "de") == {
        f"common_voice_en_{clip}": (f'"Say {clip}, please.', f'"Sagen Sie {clip}, bitte.') for clip in "ab"
    }
    assert list(prepared(tmp_path / "data", "dev", "en")) == ["common_voice_en_c"]
    assert list(prepared(tmp_path / "data", "test", "de")) == ["common_voice_en_d"]
    assert read_table(tmp_path / "data/train/utt2spk")["common_voice_en_b"] == "cb"
    assert set(read_table(tmp_path / "data/train/utt2bw").values()) == {"wide"}
    assert "train      2 clips of 3 with a translation, published are 289430" in caplog.text


def test_other_pairs_have_files_of_their_own(prepare, corpus, tmp_path):
    (corpus / "covost_v2.en_de.tsv").rename(corpus / "covost_v2.fr_en.tsv")
    prepare(corpus, tmp_path / "data", "fr", "en")
    assert list(prepared(tmp_path / "data", "train", "fr", "en")) == ["common_voice_en_a", "common_voice_en_b"]
    with pytest.raises(MeritError, match="covost_v2.en_ja.tsv: the file is missing; Common Voice 4"):
        prepare(corpus, tmp_path / "data", "en", "ja")


def test_missing_clips_are_listed(prepare, corpus, tmp_path):
    (corpus / "clips/common_voice_en_a.mp3").unlink()
    with pytest.raises(MeritError, match="audio of 1 of 4 utterances is missing or damaged, listed in"):
        prepare(corpus, tmp_path / "data")
    assert not (tmp_path / "data/train").exists()
    prepare(corpus, tmp_path / "data", allow_missing=True)
    assert list(prepared(tmp_path / "data", "train", "en")) == ["common_voice_en_b"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("common_voice_en_e.mp3\tx\tdevelopment", ":7: split 'development'"),
        ("common_voice_en_a.mp3\tx\ttrain", ":7: common_voice_en_a.mp3 has a row above already"),
    ],
)
def test_damaged_tables_are_refused_with_their_line(prepare, corpus, tmp_path, row, problem):
    with (corpus / "covost_v2.en_de.tsv").open("a") as file:
        file.write(row)
    with pytest.raises(MeritError, match=problem):
        prepare(corpus, tmp_path / "data")
