"""Every table over methods and seeds, which are left out, and what is written of them."""

import csv
import logging
from pathlib import Path

import pytest
from made_experiment import make_labels, open_made, write_emotions

from merit.errors import MeritError
from merit.systems.sparse_merit.tables.comparison import compare_runs, results_page, write_tables

PAPER = Path(__file__).parents[5] / "egs" / "msp_podcast" / "paper"
TABLES = [f"table_{name}" for name in ("1", "1_bootstrap", "2", "3", "4", "5", "6", "7")]


@pytest.fixture(scope="module")
def comparison(experiment):
    return compare_runs(experiment, resamples=30, paper=PAPER)


@pytest.fixture(scope="module")
def written(comparison, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(comparison, folder)
    return folder


def test_every_table_is_written_in_three_forms(written):
    for name in (*TABLES, "routing_health"):
        for suffix in ("md", "tex", "csv"):
            assert (written / f"{name}.{suffix}").stat().st_size, f"{name}.{suffix}"
    for name in ("significance.csv", "bootstrap.csv", "compared_with_paper.md", "compared_with_paper.csv"):
        assert (written / name).stat().st_size


def test_the_page_says_how_the_results_came_about(experiment, comparison):
    page = results_page(experiment, comparison, "./run.sh --seeds '7 17'")
    for part in (
        "- torch: ",
        "Command: `./run.sh --seeds '7 17'`",
        "| Sparse MERIT              | 7 17  | encoder (5 states of 16) | train_babble_5dB |",
        "Tested on (58 utterances each): test_babble_-5dB, test_babble_5dB, test_wind_-5dB",
        "babble (seen)",
        "## Compared with the paper",
    ):
        assert part in page
    assert "Warning:" not in page  # `original` is trained on clean speech by design
    numerals = [part.split(")")[0] for part in page.split("## Compared")[0].split("(Table ")[1:]]
    assert numerals == ["I", "II", "III", "IV", "V", "VI", "VII"]


def test_the_paper_stands_beside_our_values(written):
    with (written / "compared_with_paper.csv").open() as file:
        lines = list(csv.DictReader(file))
    # Babble and wind are not the paper's noises; switching over SNR and emotion has its lines.
    assert {line["table"] for line in lines} == {"table_4", "table_5"}
    line = next(line for line in lines if line["emotion"] == "angry" and line["measure"] == "agreement")
    assert float(line["paper"]) == 0.314
    assert float(line["difference"]) == pytest.approx(float(line["ours"]) - 0.314)


def test_every_table_names_the_noises_of_the_training(comparison):
    labels = {table.name: {column.group_label for column in table.columns} - {""} for table in comparison.tables}
    for name in ("table_1", "table_1_bootstrap", "table_2", "table_6", "table_7"):
        assert labels[name] == {"babble (seen)", "wind (unseen)"}
    table_3 = next(table for table in comparison.tables if table.name == "table_3")
    assert table_3.rows[0][1].shown(3) == "babble (seen)"


def test_tables_without_their_methods_are_left_out_and_old_ones_removed(made, tmp_path, caplog):
    folder, _ = made
    with caplog.at_level(logging.INFO):
        comparison = compare_runs(open_made(folder, ["original", "ft_mtl"]), resamples=10)
    assert [table.name for table in comparison.tables] == ["table_1", "table_2"]
    assert comparison.paper == [] and comparison.routing == {}
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


def test_another_reference_of_the_bootstrap(made):
    folder, _ = made
    comparison = compare_runs(open_made(folder, ["original", "ft_mtl"]), reference="ft_mtl", resamples=10)
    table = next(table for table in comparison.tables if table.name == "table_1_bootstrap")
    assert {row[1].value for row in table.rows} == {"original"} and "FT-MTL" in table.title


def test_a_run_without_configuration_is_named(tmp_path):
    labels = make_labels(8)
    write_emotions(tmp_path / "exp/ft_m-7", "test_wind_0dB", labels, labels)
    with pytest.raises(MeritError, match="ft_m-7/config.json"):
        compare_runs(open_made(tmp_path, ["ft_m"], [7]), resamples=5)
