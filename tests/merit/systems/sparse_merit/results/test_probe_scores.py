"""The scores of overruled gates on disk."""

import math

import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.results.probe_scores import ProbeRow, read_probe, write_probe


def test_rows_survive_writing_and_reading(tmp_path):
    rows = [
        ProbeRow("test_wind_0dB", "own", 1 / 3, 0.5, -1.25, 7),
        ProbeRow("test", "expert_10", math.nan, 1, 0.2, 7),
    ]
    write_probe(tmp_path / "a.csv", rows)
    assert (tmp_path / "a.csv").read_text().splitlines()[:2] == [
        "condition,gate,f1_macro,f1_micro,ssnr,utterances",
        "test_wind_0dB,own,0.3333333333333333,0.5,-1.25,7",
    ]
    own, fixed = read_probe(tmp_path / "a.csv")
    assert own == rows[0] and math.isnan(fixed.f1_macro) and fixed.gate == "expert_10"
    write_probe(tmp_path / "a.csv", [])
    assert read_probe(tmp_path / "a.csv") == []


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(MeritError, match="probe the routing first"):
        read_probe(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(MeritError, match="other columns"):
        read_probe(tmp_path / "a.csv")
