"""Tables of predicted quality."""

import numpy as np
import pytest

from merit.metrics.quality.agreement import quality_scores
from merit.metrics.quality.prediction_table import Predictions
from merit.report.table import markdown, records
from merit.systems.moe_mos.results.quality_tables import (
    interval_table,
    mean_scores,
    rank_warnings,
    score_table,
    usage_by_system_table,
    usage_table,
)

SYSTEMS = ("a", "a", "b", "b", "c", "c")
TRUTH = np.array([1.0, 2.0, 3.0, 3.5, 4.0, 5.0])


def predictions(answers, gates=((0.25, 0.75),) * 6):
    return Predictions(tuple("uvwxyz"), SYSTEMS, TRUTH, np.array(answers), np.array(gates))


GOOD = predictions(TRUTH + 0.1)
SHIFTED = predictions(TRUTH + 1.0, gates=((0.97, 0.03),) * 3 + ((0.95, 0.05),) * 3)
FLAT = predictions(3 + 0.1 * np.array([0, 1, 2, 1, 0, 3]), gates=np.zeros((6, 0)))


def test_scores_are_means_over_seeds_and_the_best_method_is_bold():
    scores = {"good": mean_scores([GOOD, SHIFTED]), "flat": mean_scores([FLAT])}
    assert scores["good"]["utterance", "mse"] == pytest.approx((0.01 + 1) / 2)
    oracle = dict(scores["good"]) | {("utterance", "mse"): 0.001}
    table = score_table(scores, {"oracle": oracle, "ceiling": None}, ["note"])
    text = markdown(table)
    assert "**0.505**" in text and "ceiling" not in text and "| oracle" in text and "**0.001**" not in text
    line = next(row for row in records(table) if row["predictor"] == "flat" and row["level"] == "system")
    assert line["srcc"] == quality_scores(SYSTEMS, TRUTH, FLAT.answers).system.srcc


def test_intervals_hold_the_value_and_seeds_their_range():
    table = interval_table({"good": [GOOD, SHIFTED]})
    cells = {column.key: cell.value for column, cell in zip(table.columns, table.rows[0])}
    assert cells["utterance_mse_seeds"] == "0.010 to 1.000"
    assert cells["utterance_mse_clips"] == "0.505 to 0.505"  # the errors of all clips are alike
    assert cells["system_srcc_seeds"] == "1.000 to 1.000"


def test_use_of_the_experts_over_clips_and_by_system():
    table = usage_table({"good": [GOOD, SHIFTED], "flat": [FLAT, FLAT]}, [7, 17])
    rows = [[cell.value for cell in row] for row in table.rows]
    assert rows[0] == ["good", "7", 0.25, 0.25, 0.75]
    assert rows[1] == ["good", "17", pytest.approx(0.04), pytest.approx(0.96), pytest.approx(0.04)]
    assert len(rows) == 2 and usage_table({"flat": [FLAT]}, [7]) is None
    systems = usage_by_system_table("good", SHIFTED)
    assert [row[0].value for row in systems.rows] == ["c", "b", "a"]  # the best rated first
    assert [cell.value for cell in systems.rows[1][1:]] == pytest.approx([3.25, 4.25, 0.96, 0.04])


def test_a_lower_error_without_better_ranks_is_warned_of():
    scores = {"good": mean_scores([SHIFTED]), "flat": mean_scores([FLAT])}
    assert rank_warnings(scores) == []
    near = mean_scores([predictions(np.array([2.0, 1.0, 3.5, 3.0, 4.0, 5.0]))])
    (warning,) = rank_warnings({"near": near, "shifted": scores["good"]})[:1]
    assert warning.startswith("Warning: near has a lower utterance MSE than shifted (0.417, 1.000) and no higher SRCC")
