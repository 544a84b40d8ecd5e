"""egs/nisqa/local: the parts of the NISQA corpus."""

from importlib import import_module

import pytest
from rated_corpora import EGS, make_nisqa, prepared, write_text

from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "nisqa/local")
    return import_module("prepare_nisqa").prepare_nisqa


def test_parts_are_joined_and_conditions_of_each_are_systems_of_their_own(prepare, tmp_path):
    make_nisqa(tmp_path / "NISQA_Corpus")
    prepare(tmp_path / "NISQA_Corpus", tmp_path / "data")
    assert [len(prepared(tmp_path / "data", part)) for part in ("train", "dev", "test")] == [4, 4, 6]
    clip = prepared(tmp_path / "data", "test")["NISQA_TEST_FOR_2-c02_clip"]
    assert clip.scores == (2.4,) and clip.listeners == ("",) and clip.wav_path.endswith("deg/c02 clip.wav")


def test_a_table_with_other_columns_or_a_broken_score_is_named(prepare, tmp_path):
    make_nisqa(tmp_path / "NISQA_Corpus")
    path = tmp_path / "NISQA_Corpus/NISQA_VAL_SIM/NISQA_VAL_SIM_file.csv"
    write_text(path, "con,filename_deg,mos", "1,c01 clip.wav,good")
    with pytest.raises(MeritError, match="NISQA_VAL_SIM_file.csv:2: 'good' where a score is expected"):
        prepare(tmp_path / "NISQA_Corpus", tmp_path / "data")
    write_text(path, "con,filename_deg")
    with pytest.raises(MeritError, match="NISQA_VAL_SIM_file.csv:1: no column mos"):
        prepare(tmp_path / "NISQA_Corpus", tmp_path / "data")
