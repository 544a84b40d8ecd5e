"""egs/somos/local: the lists of SOMOS."""

from importlib import import_module

import pytest
from rated_corpora import EGS, make_somos, prepared

from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "somos/local")
    return import_module("prepare_somos").prepare_somos


def test_clean_and_full_ratings_at_24_khz(prepare, tmp_path):
    make_somos(tmp_path / "somos")
    for kind, scores in (("clean", (1, 4)), ("full", (1, 3, 4))):
        prepare(tmp_path / "somos", tmp_path / kind, kind)
        clips = prepared(tmp_path / kind, "dev")
        assert list(clips) == ["015-novel_2007_1_015", "101-novel_2007_1_101"]
        assert clips["015-novel_2007_1_015"].scores == scores
    # A second rating of one listener counts, and is told apart.
    assert prepared(tmp_path / "full", "dev")["015-novel_2007_1_015"].listeners == ("KEX1", "KEX1~2", "KEX4")


def test_another_folder_is_named(prepare, tmp_path):
    with pytest.raises(MeritError, match="TRAINSET: the file is missing; give the folder of SOMOS"):
        prepare(tmp_path, tmp_path / "data")
