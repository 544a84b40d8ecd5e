"""Tables of wrong labels and of the training of experts."""

import csv as csv_module
import io
import json

import pytest

from merit.report.table import csv, markdown
from merit.systems.smoe.results.probe_tables import (
    label_noise_table,
    learned_routing_table,
    speed_table,
    updates_table,
    wrong_expert_table,
)
from merit.systems.smoe.results.smoe_experiment import find_runs, read_tests


@pytest.fixture
def found(text_experiment):
    methods = find_runs(text_experiment[0], ["base", "encdec_smoe"], [7], "", [])
    return read_tests(text_experiment[1], methods), methods


def rows(table):
    return list(csv_module.DictReader(io.StringIO(csv(table))))


def test_wrong_experts_stand_beside_the_right_ones(found):
    table = rows(wrong_expert_table(*found))
    values = {row["way"]: float(row["wer"]) for row in table if row["set"] == "test"}
    assert {row["method"] for row in table} == {"encdec_smoe"}  # the base was not probed
    assert values["given"] == values["other_bandwidth"] == 0
    assert values["other_expert"] == values["other_tag"] > 90  # French beside English
    assert wrong_expert_table(found[0], found[1][:1]) is None


def test_a_share_of_wrong_labels_lies_between_none_and_all(found):
    tests, methods = found
    table = rows(label_noise_table(tests, methods[1]))
    task = {float(row["share"]): float(row["wer"]) for row in table if row["label"] == "task" and row["set"] == "test"}
    assert task[0.0] == 0 and task[1.0] > 90 and list(task.values()) == sorted(task.values())
    (heard,) = [row for row in table if row["label"].startswith("bandwidth, from") and row["set"] == "test"]
    assert float(heard["share"]) == 0.5  # all are heard as narrow, and half are
    assert label_noise_table(tests, methods[0]) is None


def test_uneven_experts_are_flagged(found):
    _, methods = found
    text = markdown(updates_table(methods, [7]))
    assert "Warning: encdec_smoe, seed 7: updates of the encoder's experts differ by a factor of 1.80." in text
    assert updates_table(methods[:1], [7]) is None


def test_choices_of_gates_are_shown_by_label(found):
    _, methods = found
    assert learned_routing_table(methods, [7]) is None
    path = methods[1].runs[0] / "probe/probe.json"
    probe = json.loads(path.read_text())
    shares = {"wide": [0.9, 0.1], "narrow": [0.3, 0.7]}
    probe["routing"] = [
        {"layer": "encoder 1", "bandwidth": bandwidth, "task": task, "shares": shares[bandwidth]}
        for bandwidth in shares
        for task in ("transcribe", "translate")
    ]
    path.write_text(json.dumps(probe))
    (row,) = rows(learned_routing_table(methods, [7]))
    assert (row["layer"], row["bandwidth"], row["task"]) == ("encoder 1", "90 / 30", "60 / 60")
    assert float(row["bandwidth_told"]) == pytest.approx(80) and float(row["task_told"]) == pytest.approx(50)


def test_times_are_shown_with_sizes(tmp_path):
    path = tmp_path / "speed.csv"
    path.write_text("experts,parameters,active,milliseconds,lowest,highest\n2,1500000,1000000,12.34,12.0,13.0\n")
    assert "|       2 |     1.50 M | 1.00 M |      12.3 |" in markdown(speed_table(path))
