"""egs/bvcc/local: the lists of the VoiceMOS Challenge 2022."""

from importlib import import_module

import pytest
from rated_corpora import EGS, make_bvcc, prepared, write_text

from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "bvcc/local")
    return import_module("prepare_bvcc").prepare_bvcc


def test_every_rating_is_kept_with_its_listener(prepare, tmp_path, caplog):
    make_bvcc(tmp_path / "DATA")
    prepare(tmp_path / "DATA", tmp_path / "data")
    assert list(prepared(tmp_path / "data", "train")) == ["sys0a-utt2b", "sys1a-utt1b"]
    (clip,) = prepared(tmp_path / "data", "test").values()
    assert clip.system_id == "sys0a" and clip.scores == (2, 5) and "L1_Female" in clip.listeners[1]
    assert "other clips than the main track has" in caplog.text


def test_missing_audio_and_lists_are_named(prepare, tmp_path):
    make_bvcc(tmp_path / "DATA")
    (tmp_path / "DATA/wav/sys1a-utt1b.wav").unlink()
    with pytest.raises(MeritError, match="1 of 4 files are missing, listed in"):
        prepare(tmp_path / "DATA", tmp_path / "data")
    prepare(tmp_path / "DATA", tmp_path / "data", allow_missing=True)
    assert list(prepared(tmp_path / "data", "train")) == ["sys0a-utt2b"]
    with pytest.raises(MeritError, match="TRAINSET: the file is missing; give the folder DATA of BVCC"):
        prepare(tmp_path, tmp_path / "data")


@pytest.mark.parametrize(
    "line, message",
    [
        ("sysb,sysa-utt1.wav,3,1,L", "TRAINSET:1: .* expected system,system-clip.wav,score"),
        ("sysa,sysa-u.wav,x,1,L", "'x'"),
    ],
)
def test_a_line_that_is_not_of_the_corpus_is_shown(prepare, tmp_path, line, message):
    make_bvcc(tmp_path / "DATA")
    write_text(tmp_path / "DATA/sets/TRAINSET", line)
    with pytest.raises(MeritError, match=message):
        prepare(tmp_path / "DATA", tmp_path / "data")
