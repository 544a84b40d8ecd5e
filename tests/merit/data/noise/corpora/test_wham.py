"""WHAM! as a small folder of its layout."""

import shutil

import pytest
from published_noise import make_corpus, prepared

from merit.data.noise.preparation import prepare_noise
from merit.errors import MeritError


def make_wham(folder, files):
    """``files``: folder -> {name: File ID}."""
    make_corpus(folder, [f"wham_noise/{part}/{name}.wav" for part, names in files.items() for name in names])
    (folder / "wham_noise" / "metadata").mkdir()
    for part, names in files.items():
        rows = "".join(f"{name}.wav,2,{number},17.0\n" for name, number in names.items())
        metadata = folder / "wham_noise" / "metadata" / f"noise_meta_{part}.csv"
        metadata.write_text(f"utterance_id,Noise Band,File ID,L to R Width (cm)\n{rows}")
    return folder


def test_wham_keeps_its_split(tmp_path, caplog):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1, "b": 1, "c": 2}, "cv": {"d": 3}, "tt": {"e": 4}})
    prepare_noise("wham", wham, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert {part: [file[-5] for file in files] for part, files in parts.items()} == {
        "train": ["a", "b", "c"],
        "dev": ["d"],
        "test": ["e"],
    }
    assert recordings["wham_noise/tr/b.wav"] == "wham:1"
    assert "tr: 3 files, expected 20000" in caplog.text and "taken on trust" not in caplog.text


def test_wham_with_a_recording_in_two_parts_is_refused(tmp_path):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1, "b": 2}, "cv": {"c": 3}, "tt": {"d": 1}})
    with pytest.raises(MeritError, match="wham:1: in test and train"):
        prepare_noise("wham", wham, tmp_path / "out")
    prepare_noise("wham", wham, tmp_path / "out", fractions=(0.4, 0.3, 0.3))
    assert len(prepared(tmp_path / "out")[1]) == 4


def test_wham_without_its_tables_is_taken_on_trust_but_not_drawn(tmp_path, caplog):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1}, "cv": {"c": 2}, "tt": {"d": 3}})
    (wham / "wham_noise" / "metadata" / "noise_meta_tt.csv").write_text("utterance_id,Reverberation Level\nd,h\n")
    with pytest.raises(MeritError, match="noise_meta_tt.csv:1: no column File ID"):
        prepare_noise("wham", wham, tmp_path / "out")
    shutil.rmtree(wham / "wham_noise" / "metadata")
    prepare_noise("wham", wham, tmp_path / "out")
    assert set(prepared(tmp_path / "out")[1].values()) == {""}
    assert "3 files are not in metadata" in caplog.text
    with pytest.raises(MeritError, match="no recording is known of wham_noise/cv/c.wav"):
        prepare_noise("wham", wham, tmp_path / "out", fractions=(0.4, 0.3, 0.3))
