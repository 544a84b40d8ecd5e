"""Tables II and VII against means of what was written."""

import math
from dataclasses import replace
from statistics import fmean, stdev

import pytest
from made_experiment import CONDITIONS, GAIN, SEEDS, cell, expected_mean, open_made, write_enhancement

from merit.errors import MeritError
from merit.metrics.enhancement.measures import MEASURES
from merit.systems.sparse_merit.tables import enhancement_tables
from merit.systems.sparse_merit.tables.enhancement_tables import enhancement_scores, table_2, table_7


def test_table_2_has_the_noisy_row_and_means_over_the_seeds(experiment):
    table = table_2(enhancement_scores(experiment))
    assert [row[1].text for row in table.rows[:2]] == ["Noisy", "Fine-tuned"]
    assert {row[1].value for row in table.rows} == {"noisy", *GAIN}  # `original` does not enhance
    number = CONDITIONS.index("test_wind_-5dB")
    assert cell(table, -5, "noisy", "wind", "PESQ").value == pytest.approx(expected_mean(1.0 + number))
    for measure in ("PESQ", "STOI"):
        expected = [expected_mean(GAIN["ft_mtl"] + number + seed / 100) for seed in SEEDS]
        assert cell(table, -5, "ft_mtl", "wind", measure).value == pytest.approx(fmean(expected))
        assert cell(table, -5, "ft_mtl", "wind", f"{measure}_std").value == pytest.approx(stdev(expected))
    assert [row[1].value for row in table.rows if row[2].bold] == ["se_only"] * 2
    assert "58 utterances and 2 seeds" in table.notes[0] and "matlab" in table.notes[0]


def test_undefined_scores_stay_out_of_the_mean_and_are_counted(tmp_path):
    utterances = [f"u{n}" for n in range(4)]
    for seed, value in ((7, lambda n: math.nan if n == 0 else 2.0), (17, 4.17)):
        write_enhancement(tmp_path / f"exp/ft_mtl-{seed}/score", "test_wind_-5dB", utterances, value)
    write_enhancement(tmp_path / "noisy", "test_wind_-5dB", utterances, 1.0)
    table = table_2(enhancement_scores(open_made(tmp_path, ["ft_mtl"])))
    expected = fmean([2.0, expected_mean(4.17, count=4)])
    assert cell(table, -5, "ft_mtl", "wind", "SSNR").value == pytest.approx(expected)
    assert cell(table, -5, "ft_mtl", "wind", "undefined").value == len(MEASURES)
    assert f"{len(MEASURES)} scores are undefined" in table.notes[1]


def test_of_a_measure_of_which_less_is_better_the_lowest_is_bold(experiment, monkeypatch):
    monkeypatch.setattr(enhancement_tables, "LOWER_IS_BETTER", {"PESQ"})
    table = table_2(enhancement_scores(experiment))
    assert {row[1].value for row in table.rows if cell(table, row[0].value, row[1].value, "babble", "PESQ").bold} == {
        "noisy"
    }
    assert not any(cell(table, -5, "noisy", "babble", key).bold for key in MEASURES if key != "PESQ")


def test_table_7_compares_the_balancing_loss(experiment):
    table = table_7(enhancement_scores(experiment))
    assert [row[1].value for row in table.rows] == ["sparse_merit", "sparse_merit_balance"] * 2
    expected = fmean(expected_mean(GAIN["sparse_merit_balance"] + seed / 100) for seed in SEEDS)
    assert cell(table, -5, "sparse_merit_balance", "babble", "COVL").value == pytest.approx(expected)


def test_composite_variants_and_utterances_are_not_mixed(tmp_path):
    labels = {f"u{n}": "angry" for n in range(3)}
    write_enhancement(tmp_path / "exp/ft_mtl-7/score", "test_wind_0dB", labels, 2.0, "cmgan")
    write_enhancement(tmp_path / "noisy", "test_wind_0dB", labels, 1.0, "matlab")
    experiment = open_made(tmp_path, ["ft_mtl"], [7])
    with pytest.raises(MeritError, match=r"different composite variants \(cmgan, matlab\)"):
        enhancement_scores(experiment)
    write_enhancement(tmp_path / "other", "test_wind_0dB", ["u1"], 1.0, "cmgan")
    with pytest.raises(MeritError, match="numbers of scored utterances differ .noisy 1, ft_mtl 3"):
        enhancement_scores(replace(experiment, noisy=tmp_path / "other"))
    with pytest.raises(MeritError, match="nowhere.*enhancement.csv: not there; score the condition first"):
        enhancement_scores(replace(experiment, noisy=tmp_path / "nowhere"))
