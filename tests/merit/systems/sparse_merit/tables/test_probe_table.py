"""The table of overruled gates."""

from routing_folder import CONDITIONS, make_run, write_csv

from merit.data.noise.mixed_names import parse_condition
from merit.report.table import records
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.probe_scores import write_probe
from merit.systems.sparse_merit.routing.routing_statistics import count_run
from merit.systems.sparse_merit.tables.probe_table import probe_table
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

ALL = list(map(parse_condition, CONDITIONS))


def test_a_probed_run_adds_its_table(tmp_path):
    header = ("condition", "gate", "f1_macro", "f1_micro", "ssnr", "utterances")
    rows = [("test_babble_-5dB", gate, f1, 0.5, 2 * f1, 15) for gate, f1 in (("own", 0.5), ("other", 0.25))]
    rows += [("test_wind_-5dB", gate, f1, 0.5, 2 * f1, 15) for gate, f1 in (("own", 0.75), ("other", 0.5))]
    rows += [("test_wind_-5dB", f"expert_{n}", 0.1 * n, 0.5, n, 15) for n in (0, 10, 2)]
    runs = [make_run(tmp_path, "sparse_merit", seed) for seed in (7, 17)]
    write_csv(runs[1].directory / "routing_probe.csv", header, rows)
    table = routing_tables({run: count_run(run, ALL) for run in runs})[3]
    assert table == probe_table(runs)
    (f1, ssnr) = records(table)
    assert [column.key for column in table.columns[2:7]] == ["own", "other", "expert_0", "expert_2", "expert_10"]
    assert (f1["seed"], f1["measure"], f1["own"], f1["other"]) == (17, "f1_macro", 0.625, 0.375)
    assert (ssnr["measure"], ssnr["own"], ssnr["expert_10"]) == ("ssnr", 1.25, 10.0)


def test_without_a_probe_there_is_no_table(tmp_path):
    run = FinishedRun("m", 7, tmp_path)
    assert probe_table([run]) is None
    write_probe(tmp_path / "routing_probe.csv", [])
    assert probe_table([run]) is None
