"""Table III against scikit-learn and means of what was written."""

import math
from statistics import fmean

import pytest
from made_experiment import (
    GAIN,
    SEEDS,
    expected_mean,
    guess,
    make_labels,
    open_made,
    whole_f1,
    write_emotions,
    write_run,
)

from merit.report.table import records
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.tables.experts_table import table_3


def test_table_3_is_on_the_dev_set_over_the_number_of_experts(made, experiment):
    table = table_3(experiment)
    (record,) = records(table)
    assert (record["snr"], record["noise"], record["experts"], record["seeds"]) == (5, "babble", 3, 2)
    assert record["f1_macro"] == pytest.approx(whole_f1(*made, "sparse_merit", "dev_babble_5dB", "f1_macro"))
    assert record["SSNR"] == pytest.approx(fmean(expected_mean(GAIN["sparse_merit"] + 3 + s / 100) for s in SEEDS))


def test_table_3_is_sorted_by_the_number_of_experts(tmp_path):
    labels = make_labels(20)
    for method, experts, accuracy in (
        ("sparse_merit", 3, 0.9),
        ("sparse_merit_n9", 9, 0.5),
        ("sparse_merit_n1", 1, 0.7),
    ):
        run = write_run(tmp_path / "exp", method, 7, ModelConfig(num_experts=experts))
        for condition in ("dev_babble_5dB", "test_babble_5dB"):
            write_emotions(run, condition, labels, guess(labels, accuracy, experts))
    table = table_3(open_made(tmp_path, ["sparse_merit", "sparse_merit_n9", "sparse_merit_n1"], [7]))
    assert [row[2].value for row in table.rows] == [1, 3, 9]
    assert [row[3].bold for row in table.rows] == [False, True, False]
    assert all(math.isnan(row[4].value) for row in table.rows)  # nothing was enhanced


def test_a_dev_set_that_was_drawn_is_neither_clean_nor_of_a_noise(tmp_path):
    labels = make_labels(20)
    run = write_run(tmp_path / "exp", "sparse_merit", 7, ModelConfig(num_experts=3))
    for condition in ("dev_drawn", "test_babble_5dB"):
        write_emotions(run, condition, labels, guess(labels, 0.9, 3))
    experiment = open_made(tmp_path, ["sparse_merit"], [7])
    (record,) = records(table_3(experiment))
    assert (record["snr"], record["noise"]) == ("drawn", "drawn")
    assert experiment.noise_label("drawn") == "drawn" and "(" in experiment.noise_label("babble")


def test_methods_without_experts_have_no_table_3(made):
    folder, _ = made
    assert table_3(open_made(folder, ["original", "ft_mtl"])) is None
