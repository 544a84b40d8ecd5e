"""Rows SNR by method, columns noise by measure, and which noises are said to be seen."""

import pytest
from made_experiment import CLASSES, guess, open_made, write_emotions

from merit.data.noise.mixed_names import parse_condition
from merit.report.table import Cell, Column, Table, records
from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions
from merit.systems.sparse_merit.tables.emotion_tables import table_1
from merit.systems.sparse_merit.tables.noise_table import (
    count_of,
    method_cell,
    noise_table,
    snr_cell,
    with_noise_labels,
)

BABBLE, LOUD, WIND = map(parse_condition, ("test_babble_5dB", "test_babble_-5dB", "test_wind_5dB"))


def made_table():
    cells = {(BABBLE, "a"): [Cell(1.0)], (LOUD, "a"): [Cell(2.0)], (WIND, "b"): [Cell(3.0)]}
    return noise_table("t", "T", [method_cell("a"), method_cell("b")], [Column("x", "X")], cells)


def test_rows_are_snrs_by_methods_and_columns_noises_by_measures():
    table = made_table()
    assert [(row[0].value, row[1].value) for row in table.rows] == [(-5, "a"), (5, "a"), (5, "b")]
    assert [(column.group, column.key) for column in table.columns[2:]] == [("babble", "x"), ("wind", "x")]
    assert records(table) == [
        {"snr": -5, "method": "a", "noise": "babble", "x": 2.0},
        {"snr": 5, "method": "a", "noise": "babble", "x": 1.0},
        {"snr": 5, "method": "b", "noise": "wind", "x": 3.0},
    ]


def test_noises_are_named_as_seen_or_not_in_groups_and_in_columns(experiment):
    labels = [column.group_label for column in with_noise_labels(made_table(), experiment).columns]
    assert labels == ["", "", "babble (seen)", "wind (unseen)"]
    columns = (Column("snr", "SNR"), Column("noise", "Noise"))
    table = with_noise_labels(Table("t", "T", columns, ((Cell(5), Cell("wind")), (Cell(5), Cell("clean")))), experiment)
    assert [(row[1].value, row[1].shown(3)) for row in table.rows] == [("wind", "wind (unseen)"), ("clean", "clean")]
    assert [column.group_label for column in table.columns] == ["", ""]


def test_clean_speech_has_its_own_row_and_column(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "exp/ft_m-7", "test", labels, guess(labels, 0.5, 0))
    write_emotions(tmp_path / "exp/ft_m-7", "test_wind_2.5dB", labels, guess(labels, 0.5, 1))
    experiment = open_made(tmp_path, ["ft_m"], [7])
    table = with_noise_labels(table_1(compare_emotions(experiment, resamples=5)), experiment)
    assert [(row[0].shown(3), row[2].value is None, row[6].value is None) for row in table.rows] == [
        ("clean", False, True),
        ("2.5", True, False),
    ]
    assert [column.group_label for column in table.columns if column.shown][2::2] == ["clean", "wind (unseen)"]


def test_methods_and_snrs_keep_their_values_under_their_names():
    assert (method_cell("ft_m", "(a)").text, method_cell("mine").text) == ("FT-M", "mine")
    assert (snr_cell(-5.0).text, snr_cell(2.5).text, snr_cell(None).value) == ("-5", "2.5", "clean")


@pytest.mark.parametrize("counts, text", [([3], "3 seeds"), ([4, 2, 4], "2 to 4 seeds")])
def test_counts_are_one_or_a_range(counts, text):
    assert count_of(iter(counts), "seeds") == text
