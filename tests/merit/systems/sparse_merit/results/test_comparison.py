"""The whole page over methods and seeds, through the command."""

import csv
import logging
import re
import sys
from pathlib import Path

import pytest
from made_experiment import SEEDS, make_experiment, make_labels, write_emotions, write_run

from merit.bin.sparse_merit.tables import tables
from merit.command import run_command
from merit.errors import MeritError
from merit.systems.sparse_merit.model import ModelConfig
from merit.systems.sparse_merit.tables.comparison import compare_runs, write_tables
from merit.systems.sparse_merit.results.experiment import find_runs
from merit.systems.sparse_merit.tables.provenance import comparison_warnings, read_config
from merit.systems.sparse_merit.results.score_tables import emotion_rows, enhancement_rows

METHODS = ["original", "se_only", "ft_mtl", "sparse_merit", "sparse_merit_balance"]
PAPER = Path(__file__).parents[5] / "egs" / "msp_podcast" / "paper"
TABLES = [f"table_{name}" for name in ("1", "1_bootstrap", "2", "3", "4", "5", "6", "7")]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    make_experiment(folder, utterances=20)
    return folder


@pytest.fixture(scope="module")
def written(experiment, tmp_path_factory):
    output = tmp_path_factory.mktemp("output")
    options = dict(noise_seen=["babble"], noisy=str(experiment / "noisy"), paper=str(PAPER), resamples=30)
    tables(str(experiment / "exp"), METHODS, list(SEEDS), str(output), **options, command="./run.sh --seeds '7 17'")
    return output


def test_every_table_is_written_in_three_forms(written):
    for name in TABLES:
        for suffix in ("md", "tex", "csv"):
            assert (written / "tables" / f"{name}.{suffix}").stat().st_size, f"{name}.{suffix}"
    for name in ("significance.csv", "bootstrap.csv", "compared_with_paper.md", "compared_with_paper.csv"):
        assert (written / "tables" / name).stat().st_size


def test_the_page_says_how_the_results_came_about(written):
    page = (written / "RESULTS.md").read_text()
    for part in (
        "- torch: ",
        "Command: `./run.sh --seeds '7 17'`",
        "| Sparse MERIT              | 7 17  | encoder (5 states of 16) | train_babble_5dB |",
        "Tested on (20 utterances each): test_babble_-5dB, test_babble_5dB, test_wind_-5dB",
    ):
        assert part in page
    assert "Warning:" not in page  # `original` is trained on clean speech by design
    numerals = [part.split(")")[0] for part in page.split("## Compared")[0].split("(Table ")[1:]]
    assert numerals == ["I", "II", "III", "IV", "V", "VI", "VII"]


def test_the_page_has_the_paper_beside_our_values(written):
    page = (written / "RESULTS.md").read_text()
    assert "## Compared with the paper" in page
    with (written / "tables" / "compared_with_paper.csv").open() as file:
        lines = list(csv.DictReader(file))
    # Babble and wind are not the paper's noises; switching over SNR and emotion has its lines.
    assert {line["table"] for line in lines} == {"table_4", "table_5"}
    line = next(line for line in lines if line["emotion"] == "angry" and line["measure"] == "agreement")
    assert float(line["paper"]) == 0.314
    assert float(line["difference"]) == pytest.approx(float(line["ours"]) - 0.314)


def test_tables_without_their_methods_are_left_out_and_old_ones_removed(experiment, written, tmp_path, caplog):
    runs = find_runs(experiment / "exp", ["original", "ft_mtl"], SEEDS)
    with caplog.at_level(logging.INFO):
        comparison = compare_runs(runs, ["babble"], experiment / "noisy", resamples=10)
    assert [table.name for table in comparison.tables] == ["table_1", "table_2"]
    for reason in (
        "table_1_bootstrap: left out, needs emotion scores of sparse_merit",
        "table_3: left out, none of sparse_merit",
        "table_4, table_5: left out, no method routes",
        "table_6: left out, sparse_merit_balance was not scored",
        "table_7: left out, sparse_merit_balance was not scored",
    ):
        assert reason in caplog.text
    (tmp_path / "table_6.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    write_tables(comparison, tmp_path)
    assert not (tmp_path / "table_6.csv").exists() and (tmp_path / "notes.txt").exists()


def test_another_reference_of_the_bootstrap(experiment):
    runs = find_runs(experiment / "exp", ["original", "ft_mtl"], SEEDS)
    comparison = compare_runs(runs, reference="ft_mtl", resamples=10)
    table = next(table for table in comparison.tables if table.name == "table_1_bootstrap")
    assert {row[1].value for row in table.rows} == {"original"} and "FT-MTL" in table.title


def test_runs_that_were_not_tested_are_an_error(tmp_path):
    labels = make_labels(8)
    write_emotions(write_run(tmp_path, "ft_m", 7), "dev_babble_5dB", labels, labels)
    with pytest.raises(MeritError, match="none of the runs was scored on a test set"):
        compare_runs(find_runs(tmp_path, ["ft_m"], [7]))


@pytest.mark.parametrize(
    "changes, warning",
    [
        (dict(fingerprint="def"), "differ in encoders .*weights abc: ft_m-7; .*weights def: ft_mtl-7"),
        (dict(train="data/train_wind_0dB"), "differ in data to train and choose the epoch by .*train_wind_0dB"),
        (dict(train_labels="u"), "different utterances or labels .*ft_m-7; ft_mtl-7"),
    ],
)
def test_runs_that_cannot_be_compared_are_warned_about(tmp_path, changes, warning):
    write_run(tmp_path, "ft_m", 7)
    write_run(tmp_path, "ft_mtl", 7, **changes)
    (found,) = _warnings(tmp_path, ["ft_m", "ft_mtl"], [7])
    assert re.search(warning, found)


def test_seeds_with_different_models_are_warned_about(tmp_path):
    write_run(tmp_path, "ft_m", 7)
    write_run(tmp_path, "ft_m", 17, ModelConfig(front_end="weighted_sum", emotion_size=8))
    assert _warnings(tmp_path, ["ft_m"], [7, 17]) == [
        "the seeds of ft_m differ in their model or training options (config.json)."
    ]


def _warnings(folder, methods, seeds):
    labels = make_labels(8)
    for method in methods:
        for seed in seeds:
            write_emotions(folder / f"{method}-{seed}", "test_wind_0dB", labels, labels)
    runs = find_runs(folder, methods, seeds)
    return comparison_warnings({run: read_config(run) for run in runs})


def test_a_run_without_configuration_is_named(tmp_path):
    labels = make_labels(8)
    write_emotions(tmp_path / "ft_m-7", "test_wind_0dB", labels, labels)
    with pytest.raises(MeritError, match="ft_m-7/config.json"):
        compare_runs(find_runs(tmp_path, ["ft_m"], [7]), resamples=5)


def test_the_page_of_a_single_run_leaves_the_dev_set_out(experiment):
    scores = experiment / "exp" / "sparse_merit-7" / "score"
    assert {path.name for path in scores.iterdir()} > {"dev_babble_5dB"}
    for rows in (emotion_rows(scores), enhancement_rows(scores)):
        assert [row.condition.name for row in rows] == ["test_babble_-5dB", "test_babble_5dB", "test_wind_-5dB"]


def test_the_command_takes_lists(experiment, tmp_path, monkeypatch):
    options = "--methods [original,ft_mtl] --seeds [7,17] --noise_seen [babble] --resamples 10 --reference original"
    command = ["tables", "--exp", str(experiment / "exp"), "--output", str(tmp_path), "--tag", "", *options.split()]
    monkeypatch.setattr(sys, "argv", command)
    run_command(tables)
    assert "FT-MTL (b)" in (tmp_path / "RESULTS.md").read_text()
