"""Tables IV and V against plain Python, and the health of every run."""

import numpy as np
import pytest
from routing_folder import CLASSES, CONDITIONS, TASKS, UTTERANCES, brute_force, make_run, write_csv

from merit.report.table import csv, latex, markdown, records
from merit.systems.sparse_merit.decoding import write_routing
from merit.systems.sparse_merit.results.conditions import parse_condition
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

ALL = list(map(parse_condition, CONDITIONS))


@pytest.fixture
def runs(tmp_path):
    return [
        make_run(tmp_path, "ft_mtl", 7, routed=False),
        make_run(tmp_path, "sparse_merit", 7),
        make_run(tmp_path, "sparse_merit", 17),
        make_run(tmp_path, "sparse_merit_n5", 7, num_experts=5),
    ]


def means(runs, keep):
    found = [brute_force(run, keep) for run in runs]
    return {
        "se_switch": np.mean([switching["enhancement"] for switching, _, _ in found]),
        "ser_switch": np.mean([switching["emotion"] for switching, _, _ in found]),
        "agreement": np.mean([agreement for _, agreement, _ in found]),
        "seeds": len(runs),
    }


def test_tables_hold_means_over_the_seeds(runs):
    table_4, table_5, _ = routing_tables(runs, ALL)
    assert (table_4.name, table_5.name) == ("table_4", "table_5")
    expected = [
        {"snr": snr, "method": of[0].method} | means(of, lambda c, u, end=f"_{snr:g}dB": c.endswith(end))
        for snr in (-5.0, 5.0)
        for of in (runs[1:3], runs[3:])
    ]
    assert records(table_4) == [pytest.approx(line) for line in expected]
    expected = [
        {"emotion": emotion, "method": of[0].method} | means(of, lambda c, u, of=emotion: UTTERANCES[u] == of)
        for emotion in CLASSES
        for of in (runs[1:3], runs[3:])
    ]
    assert records(table_5) == [pytest.approx(line) for line in expected]


def test_every_format_can_be_written(runs):
    for table in routing_tables(runs, ALL):
        assert table.title in markdown(table) and "Sparse MERIT" in latex(table)
        assert len(csv(table).splitlines()) == 1 + len(table.rows)


def test_without_a_model_that_routes_there_are_no_tables(runs):
    assert routing_tables(runs[:1], ALL) == []


def test_health_names_the_run_and_its_extremes(runs, caplog):
    collapsed = runs[1]
    for condition in ALL:
        experts = {utterance: np.zeros((2, 10), dtype=int) for utterance in UTTERANCES}
        write_routing(collapsed.decoded(condition) / "routing.npz", TASKS, experts)
    health = routing_tables(runs, ALL)[2]
    lines = {(line["method"], line["seed"]): line for line in records(health)}
    assert lines["sparse_merit", 7] | {"warnings": 5} == lines["sparse_merit", 7]
    assert (lines["sparse_merit", 7]["se_most"], lines["sparse_merit", 7]["ser_least"]) == (1.0, 0.0)
    usage = brute_force(runs[3], lambda condition, utterance: True)[2]
    assert lines["sparse_merit_n5", 7]["ser_most"] == pytest.approx(max(usage["emotion"].values()))
    assert lines["sparse_merit_n5", 7]["se_least"] == pytest.approx(min(usage["enhancement"].values()))
    assert lines["sparse_merit_n5", 7]["warnings"] == 0
    assert caplog.text.count("sparse_merit-7: the ") == 5
    assert [note.split(":")[0] for note in health.notes[1:]] == ["sparse_merit-7"] * 5


def test_a_probed_run_adds_its_table(runs):
    header = ("condition", "gate", "f1_macro", "f1_micro", "ssnr", "utterances")
    rows = [("test_babble_-5dB", gate, f1, 0.5, 2 * f1, 15) for gate, f1 in (("own", 0.5), ("other", 0.25))]
    rows += [("test_wind_-5dB", gate, f1, 0.5, 2 * f1, 15) for gate, f1 in (("own", 0.75), ("other", 0.5))]
    rows += [("test_wind_-5dB", f"expert_{n}", 0.1 * n, 0.5, n, 15) for n in (0, 10, 2)]
    write_csv(runs[2].directory / "routing_probe.csv", header, rows)
    table = routing_tables(runs, ALL)[3]
    (f1, ssnr) = records(table)
    assert [column.key for column in table.columns[2:7]] == ["own", "other", "expert_0", "expert_2", "expert_10"]
    assert (f1["seed"], f1["measure"], f1["own"], f1["other"]) == (17, "f1_macro", 0.625, 0.375)
    assert (ssnr["measure"], ssnr["own"], ssnr["expert_10"]) == ("ssnr", 1.25, 10.0)
