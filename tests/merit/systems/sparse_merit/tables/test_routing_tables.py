"""Tables IV and V against plain Python, and the health of every run."""

import numpy as np
import pytest
from routing_folder import CLASSES, CONDITIONS, TASKS, UTTERANCES, brute_force, make_run

from merit.data.noise.mixed_names import parse_condition
from merit.report.table import csv, latex, markdown, records
from merit.systems.sparse_merit.results.run_files import write_routing
from merit.systems.sparse_merit.routing.routing_statistics import count_run
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

ALL = list(map(parse_condition, CONDITIONS))


@pytest.fixture
def runs(tmp_path):
    return [
        make_run(tmp_path, "sparse_merit", 7),
        make_run(tmp_path, "sparse_merit", 17),
        make_run(tmp_path, "sparse_merit_n5", 7, num_experts=5),
    ]


def counted(runs):
    return {run: count_run(run, ALL) for run in runs}


def means(runs, keep):
    found = [brute_force(run, keep) for run in runs]
    return {
        "se_switch": np.mean([switching["enhancement"] for switching, _, _ in found]),
        "ser_switch": np.mean([switching["emotion"] for switching, _, _ in found]),
        "agreement": np.mean([agreement for _, agreement, _ in found]),
        "seeds": len(runs),
    }


def test_tables_hold_means_over_the_seeds(runs):
    table_4, table_5, _ = routing_tables(counted(runs))
    assert (table_4.name, table_5.name) == ("table_4", "table_5")
    expected = [
        {"snr": snr, "method": members[0].method} | means(members, lambda c, u, end=f"_{snr:g}dB": c.endswith(end))
        for snr in (-5.0, 5.0)
        for members in (runs[:2], runs[2:])
    ]
    assert records(table_4) == [pytest.approx(line) for line in expected]
    expected = [
        {"emotion": emotion, "method": members[0].method} | means(members, lambda c, u, e=emotion: UTTERANCES[u] == e)
        for emotion in CLASSES
        for members in (runs[:2], runs[2:])
    ]
    assert records(table_5) == [pytest.approx(line) for line in expected]


def test_every_format_can_be_written(runs):
    for table in routing_tables(counted(runs)):
        assert table.title in markdown(table) and "Sparse MERIT" in latex(table)
        assert len(csv(table).splitlines()) == 1 + len(table.rows)


def test_without_a_model_that_routes_there_are_no_tables():
    assert routing_tables({}) == []


def test_health_names_the_run_and_its_extremes(runs, caplog):
    collapsed = runs[0]
    for condition in ALL:
        experts = {utterance: np.zeros((2, 10), dtype=int) for utterance in UTTERANCES}
        write_routing(collapsed.decoded(condition) / "routing.npz", TASKS, experts)
    health = routing_tables(counted(runs))[2]
    lines = {(line["method"], line["seed"]): line for line in records(health)}
    assert lines["sparse_merit", 7] | {"warnings": 5} == lines["sparse_merit", 7]
    assert (lines["sparse_merit", 7]["se_most"], lines["sparse_merit", 7]["ser_least"]) == (1.0, 0.0)
    usage = brute_force(runs[2], lambda condition, utterance: True)[2]
    assert lines["sparse_merit_n5", 7]["ser_most"] == pytest.approx(max(usage["emotion"].values()))
    assert lines["sparse_merit_n5", 7]["se_least"] == pytest.approx(min(usage["enhancement"].values()))
    assert lines["sparse_merit_n5", 7]["warnings"] == 0
    assert caplog.text.count("sparse_merit-7: the ") == 5
    assert [note.split(":")[0] for note in health.notes[1:]] == ["sparse_merit-7"] * 5


def test_a_dense_model_is_counted_and_not_warned_about(tmp_path):
    """It uses all experts in every frame, so that its strongest one says nothing of its health."""
    dense = make_run(tmp_path, "dense_merit", 7, top_k=None)
    for condition in ALL:
        experts = {utterance: np.zeros((2, 10), dtype=int) for utterance in UTTERANCES}
        write_routing(dense.decoded(condition) / "routing.npz", TASKS, experts)
    health = routing_tables(counted([dense]))[2]
    assert [cell.value for cell in health.rows[0]] == ["dense_merit", 7, 1.0, 0.0, 1.0, 0.0, 1.0, 0]
    assert len(health.notes) == 1
