"""DEMAND as a small folder of its layout."""

import pytest
from published_noise import make_corpus, prepared

from merit.data.noise.corpora import LAYOUTS
from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import PARTS
from merit.errors import MeritError


def test_demand_is_one_recording_an_environment(tmp_path, caplog):
    channels = [f"ch{number:02d}.wav" for number in range(1, 17)]
    folders = ["DKITCHEN", "DLIVING_16k/DLIVING", "TBUS_16k"]
    demand = make_corpus(tmp_path / "demand", [f"{folder}/{name}" for folder in folders for name in channels])
    (demand / "TBUS_16k" / "ch07.wav").unlink()
    prepare_noise("demand", demand, tmp_path / "one")
    parts, recordings = prepared(tmp_path / "one")
    assert sorted(recordings) == sorted(f"{folder}/ch01.wav" for folder in folders)
    assert recordings["TBUS_16k/ch01.wav"] == "demand:TBUS" and set(parts) == set(PARTS)
    assert "TBUS: 15 files, expected 16; not there: ch07" in caplog.text
    assert "SCAFE (published at 48 kHz alone): 0 files, expected 16" in caplog.text and "DLIVING:" not in caplog.text
    prepare_noise("demand", demand, tmp_path / "all", LAYOUTS["demand"].subsets)
    parts, _ = prepared(tmp_path / "all")
    assert sorted(len(files) for files in parts.values()) == [15, 16, 16]


def test_demand_at_both_sample_rates_is_refused(tmp_path):
    demand = make_corpus(tmp_path / "demand", ["16k/TCAR/ch01.wav", "48k/TCAR/ch01.wav"])
    with pytest.raises(MeritError, match="16k/TCAR/ch01.wav and 48k/TCAR/ch01.wav are one channel of one recording"):
        prepare_noise("demand", demand, tmp_path / "out")
