"""Table III: scores on the dev set over the number of experts."""

import math
from collections.abc import Sequence
from statistics import fmean

from merit.metrics.label_table import read_label_table
from merit.report.table import Cell, Column, Table, with_best_in_bold
from merit.systems.sparse_merit.results.conditions import Condition
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.results.score_tables import EMOTION_TABLE, ENHANCEMENT_TABLE, enhancement_row, runs_with
from merit.systems.sparse_merit.results.tables import CLEAN, count_of, noise_label, snr_cell
from merit.systems.sparse_merit.routing.routing_statistics import model_settings

EXPERT_METHODS = ("sparse_merit", "sparse_merit_n1", "sparse_merit_n5", "sparse_merit_n7", "sparse_merit_n9")
"""Methods that differ in the number of experts alone."""


def table_3(runs: Sequence[Run], conditions: Sequence[Condition], seen: Sequence[str] = ()) -> Table | None:
    """F1-macro and SSNR over the number of experts, means over the seeds; None when none of the methods was scored.

    Args:
        runs: of all methods; those that are not of ``EXPERT_METHODS`` are left out.
        conditions: of the dev set.
        seen: noises of the training data.
    """
    rows, counts = [], []
    runs = [run for run in runs if run.method in EXPERT_METHODS]
    for condition in conditions:
        emotion = runs_with(runs, condition, EMOTION_TABLE)
        enhancement = runs_with(runs, condition, ENHANCEMENT_TABLE)
        methods = {
            run.method: model_settings(run)["num_experts"] for run in runs if run.method in emotion.keys() | enhancement
        }
        for method in sorted(methods, key=methods.__getitem__):
            tables = [read_label_table(run.score(condition) / EMOTION_TABLE) for run in emotion.get(method, ())]
            means = [enhancement_row(run.directory / "score", condition).means for run in enhancement.get(method, ())]
            counts += [len(table.reference) for table in tables]
            rows.append(
                (
                    snr_cell(condition.snr),
                    Cell(condition.noise or CLEAN, noise_label(condition.noise or CLEAN, seen)),
                    Cell(methods[method]),
                    _mean([table.scores().f1_macro for table in tables]),
                    _mean([of_seed["SSNR"] for of_seed in means]),
                    Cell(max(len(tables), len(means))),
                )
            )
    if not rows:
        return None
    columns = (
        Column("snr", "SNR (dB)"),
        Column("noise", "Noise"),
        Column("experts", "Experts"),
        Column("f1_macro", "F1-macro"),
        Column("SSNR", "SSNR (dB)", digits=2),
        Column("seeds", "Seeds"),
    )
    utterances = f" ({count_of(counts, 'utterances')})" if counts else ""
    notes = (f"Scores of the whole dev set{utterances}, means over the seeds. Bold: best.",)
    title = "Dev set over the number of experts of Sparse MERIT (Table III)"
    return with_best_in_bold(Table("table_3", title, columns, tuple(rows), headings=3, blocks=2, notes=notes))


def _mean(values: Sequence[float]) -> Cell:
    defined = [value for value in values if not math.isnan(value)]
    return Cell(fmean(defined) if defined else math.nan)
