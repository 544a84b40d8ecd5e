"""The scores of models whose gates were overruled, one row a run."""

import math
from collections.abc import Iterable
from statistics import fmean

from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.probe_scores import OTHER, OWN, read_probe
from merit.systems.sparse_merit.results.run_files import PROBE_TABLE
from merit.systems.sparse_merit.tables.noise_table import method_cell


def probe_table(runs: Iterable[FinishedRun]) -> Table | None:
    """One row a run that was probed: its scores under every rule, averaged over the conditions; None without any."""
    tables = {run: read_probe(run.directory / PROBE_TABLE) for run in runs if (run.directory / PROBE_TABLE).exists()}
    probed = {run: rows for run, rows in tables.items() if rows}
    if not probed:
        return None
    experts = sorted({row.gate for rows in probed.values() for row in rows} - {OWN, OTHER}, key=_expert_number)
    labels = {OWN: "own gate", OTHER: "other gate", **{name: name.replace("_", " ") for name in experts}}
    measures = {"f1_macro": ("F1-macro", 3), "ssnr": ("SSNR (dB)", 2)}
    rows = []
    for run, found in probed.items():
        scores = (
            [getattr(row, measure) for row in found if row.gate == gate] for measure in measures for gate in labels
        )
        means = (Cell(fmean(values) if values else math.nan) for values in scores)
        rows.append((method_cell(run.method), Cell(run.seed), *means))
    columns = (
        Column("method", "Method"),
        Column("seed", "Seed"),
        *(
            Column(gate, label, group=measure, group_label=name, digits=digits)
            for measure, (name, digits) in measures.items()
            for gate, label in labels.items()
        ),
    )
    notes = (
        "Means over the conditions. Own gate: the model as it is. Other gate: each task follows the gate of the other "
        "one. Expert n: every frame goes to this expert, with the weight that the own gate gave to those it kept.",
    )
    title = "Scores when the gates are overruled"
    return Table("routing_probe", title, columns, tuple(rows), headings=2, group_key="measure", notes=notes)


def _expert_number(rule: str) -> int:
    return int(rule.removeprefix("expert_"))
