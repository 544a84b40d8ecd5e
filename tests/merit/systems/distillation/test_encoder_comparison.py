"""Encoders side by side."""

import pytest

from merit.errors import MeritError
from merit.report.table import records
from merit.systems.distillation.encoder_comparison import Measured, best_loss, compare, named

CONDITIONS = {"dev": 0.9, "dev_babble_5dB": 0.8, "dev_city_-5dB": 0.5, "dev_city_10dB": 0.7}


def encoder(drop=0.0, speed=40.0):
    scores = {name: score - drop for name, score in CONDITIONS.items()}
    return Measured("dir", 2_000_000, 4, 192, {"float32": speed}, scores)


def test_means_are_of_the_noise_that_was_asked_for():
    table = compare({"large": encoder(), "small": encoder(0.04, 400.0)}, {"large": 0.2, "small": 0.3}, "city")
    large, small = records(table)
    assert large["mean"] == pytest.approx(0.6) and large["below_teacher"] == 0 and large["speed_float32"] == 1
    assert small["mean"] == pytest.approx(0.56) and small["below_teacher"] == pytest.approx(0.04)
    assert small["speed_float32"] == 10 and small["enhancement"] == 0.3 and small["parameters"] == 2.0
    assert "40 s of audio a second in float32" in table.notes[0]


def test_what_was_measured_comes_back(tmp_path):
    encoder().save(tmp_path / "probe.json")
    assert Measured.load(tmp_path / "probe.json") == encoder()
    (tmp_path / "probe.json").write_text("{}")
    with pytest.raises(MeritError, match="run it first"):
        Measured.load(tmp_path / "probe.json")


def test_the_best_loss_of_a_head(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,dev_enhancement\n1,0.4\n2,0.3\n3,0.35\n")
    assert best_loss(path) == 0.3
    with pytest.raises(MeritError, match="train the head first"):
        best_loss(tmp_path / "none.csv")


def test_names_and_paths():
    assert [*map(str, named(["a=b=c"]).values())] == ["b=c"]
    with pytest.raises(MeritError, match="name=path"):
        named(["a="])
