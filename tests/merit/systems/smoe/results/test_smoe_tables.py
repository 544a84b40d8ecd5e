"""Tables over methods."""

import pytest

from merit.report.table import csv, markdown
from merit.systems.smoe.results.smoe_experiment import find_runs, read_tests
from merit.systems.smoe.results.smoe_tables import (
    cost_table,
    differences,
    relative_table,
    score_table,
    significance_table,
)


@pytest.fixture
def found(text_experiment):
    methods = find_runs(text_experiment[0], ["base", "encdec_smoe"], [7], "", [])
    return read_tests(text_experiment[1], methods), methods


def test_scores_stand_by_set_and_the_best_is_bold(found):
    text = markdown(score_table(*found))
    assert "test (wide): WER" in text and "test_narrow (narrow): BLEU" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert "6.2" in lines["base"] and "**0.0**" in lines["encdec_smoe"] and "**100.0**" in lines["encdec_smoe"]


def test_relative_changes_are_in_percent_of_the_base(found):
    tests, methods = found
    table = relative_table(tests, methods, methods[0])
    base = methods[0].mean_scores(tests[0])
    line = csv(table).splitlines()[1].split(",")
    assert line[:3] == ["encdec_smoe", "test", "-100.0"]
    assert float(line[4]) == pytest.approx(100 * (100 / base["bleu"] - 1))
    assert relative_table(tests, methods[:1], methods[0]) is None


def test_differences_are_those_of_the_scores(found):
    tests, methods = found
    difference = differences(tests[0], methods, methods[0])["encdec_smoe"]
    assert difference["wer"].mean == pytest.approx(1 / 16)
    base = methods[0].mean_scores(tests[0])
    assert difference["bleu"].mean == pytest.approx(100 - base["bleu"])
    text = csv(significance_table(tests, methods, methods[0]))
    assert len(text.splitlines()) == 1 + 4 and significance_table(tests, methods[:1], methods[0]) is None


def test_cost_tells_parameters_time_and_memory(found):
    tests, methods = found
    line = csv(cost_table(tests, methods, "cpu")).splitlines()[2].split(",")
    total, active = methods[1].parameters()
    assert line == ["encdec_smoe", str(total), str(active), "0.2", "0.2", "0.25"]
