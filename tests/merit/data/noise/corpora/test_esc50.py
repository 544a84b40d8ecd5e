"""ESC-50 as a small folder of its layout."""

import pytest
from published_noise import ESC50, make_corpus, prepared, removed

from merit.data.noise.preparation import prepare_noise
from merit.errors import MeritError


def test_esc50_keeps_its_folds(tmp_path, caplog):
    esc50 = make_corpus(tmp_path / "esc50", ESC50)
    prepare_noise("esc50", esc50, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert {part: {file[6] for file in files} for part, files in parts.items()} == {
        "train": {"1", "2", "3"},
        "dev": {"4"},
        "test": {"5"},
    }
    assert recordings["audio/1-1002-A-20.wav"] == recordings["audio/1-1002-B-20.wav"] == "freesound:1002"
    assert "fold 4: 6 files, expected 400" in caplog.text
    prepare_noise("esc50", esc50, tmp_path / "nature", ["nature", "urban"])
    assert {file.split("-")[-1] for file in prepared(tmp_path / "nature")[1]} == {"10.wav", "40.wav"}
    assert removed(tmp_path / "nature")["audio/1-1002-A-20.wav"] == "human is not among the subsets"


def test_esc50_with_a_clip_in_two_folds_is_refused_or_drawn(tmp_path):
    esc50 = make_corpus(tmp_path / "esc50", [*ESC50, "audio/5-1002-C-20.wav"])
    with pytest.raises(MeritError, match="freesound:1002: in test and train"):
        prepare_noise("esc50", esc50, tmp_path / "out")
    prepare_noise("esc50", esc50, tmp_path / "out", fractions=(0.5, 0.25, 0.25))
    parts, recordings = prepared(tmp_path / "out")  # which checks that the clip is in one part
    assert recordings["audio/5-1002-C-20.wav"] == "freesound:1002"
    assert len({recordings[file] for file in parts["train"]}) in (7, 8)  # of 15 clips


@pytest.fixture
def esc50(tmp_path):
    return make_corpus(tmp_path / "esc50", ESC50)
