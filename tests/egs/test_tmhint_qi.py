"""egs/tmhint_qi/local: raw_data.csv of TMHINT-QI."""

from importlib import import_module

import pytest
from rated_corpora import EGS, make_tmhint_qi, prepared

from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "tmhint_qi/local")
    return import_module("prepare_tmhint_qi").prepare_tmhint_qi


def test_a_tenth_of_the_training_clips_is_the_dev_set(prepare, tmp_path, caplog):
    make_tmhint_qi(tmp_path / "TMHINTQI")
    with caplog.at_level("INFO"):
        prepare(tmp_path / "TMHINTQI", tmp_path / "data")
    sets = {part: prepared(tmp_path / "data", part) for part in ("train", "dev", "test")}
    assert len(sets["train"]) + len(sets["dev"]) == 30 and len(sets["test"]) == 10 and 1 <= len(sets["dev"]) <= 8
    clip = sets["test"]["Trans_SNR1_babble-Trans_babble_31"]
    assert clip.listeners == ("7", "8") and clip.scores == (4, 5)
    assert "40 lines without a score of quality are left out" in caplog.text


def test_missing_audio_is_listed(prepare, tmp_path):
    make_tmhint_qi(tmp_path / "TMHINTQI")
    (tmp_path / "TMHINTQI/test/Trans_babble_31.wav").unlink()
    with pytest.raises(MeritError, match="1 of 40 files are missing"):
        prepare(tmp_path / "TMHINTQI", tmp_path / "data")
    assert (tmp_path / "data/missing_files.txt").read_text() == "Trans_babble_31\n"
    prepare(tmp_path / "TMHINTQI", tmp_path / "data", allow_missing=True)
    assert len(prepared(tmp_path / "data", "test")) == 9
