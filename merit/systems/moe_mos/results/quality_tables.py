"""Tables of predicted quality: agreement with listeners, and how the experts are used."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from merit.metrics.quality.agreement import LEVELS, MEASURES, quality_scores, system_means
from merit.metrics.quality.clip_bootstrap import interval, resampled_scores
from merit.metrics.quality.prediction_table import Predictions
from merit.metrics.quality.reference_rows import Scores, all_scores
from merit.report.table import Cell, Column, Table, with_best_in_bold

LABELS = {"mse": "MSE", "lcc": "LCC", "srcc": "SRCC", "ktau": "KTAU"}
GROUPS = {"utterance": "Utterance", "system": "System"}
CONVENTION = (
    "Truth and prediction of a system are averaged over its clips first (mos-finetune-ssl, sheet, the challenges). "
    "KTAU is Kendall's tau-b. Means over the seeds."
)


def mean_scores(runs: Sequence[Predictions]) -> Scores:
    """Scores averaged over the seeds of a method."""
    found = [quality_scores(run.systems, run.truth, run.answers).values() for run in runs]
    return {key: float(np.mean([scores[key] for scores in found])) for key in all_scores()}


def score_table(
    methods: Mapping[str, Scores], references: Mapping[str, Scores | None], notes: Sequence[str] = ()
) -> Table:
    """One row a method, with the best in bold, and rows of reference below a rule.

    Args:
        methods: title -> scores.
        references: title -> scores, None where they cannot be given.
        notes: sentences below the table.
    """
    columns = [Column("kind", "", shown=False), Column("predictor", "Predictor")]
    columns += [
        Column(measure, LABELS[measure], level, GROUPS[level], lower_is_better=measure == "mse")
        for level in LEVELS
        for measure in MEASURES
    ]
    below = (CONVENTION, *notes)
    rows = tuple(_row("method", title, scores) for title, scores in methods.items())
    table = with_best_in_bold(Table("scores", "Agreement with listeners", tuple(columns), rows, 2, 1, "level", below))
    beside = tuple(_row("reference", title, scores) for title, scores in references.items() if scores is not None)
    return replace(table, rows=table.rows + beside)


def _row(kind: str, title: str, scores: Scores) -> tuple[Cell, ...]:
    return Cell(kind), Cell(title), *(Cell(scores[key]) for key in all_scores())


def interval_table(methods: Mapping[str, Sequence[Predictions]]) -> Table:
    """95 % intervals of what is compared most, from resampled clips, and the range over the seeds."""
    first = next(iter(methods.values()))[0]
    rated = ~np.isnan(first.truth)
    systems = [system for system, holds in zip(first.systems, rated) if holds]
    answers = {title: [run.answers[rated] for run in runs] for title, runs in methods.items()}
    resampled = resampled_scores(systems, first.truth[rated], answers)
    shown = {("utterance", "mse"): "Utterance MSE", ("system", "srcc"): "System SRCC"}
    columns = [Column("predictor", "Predictor")]
    for (level, measure), label in shown.items():
        columns.append(Column(f"{level}_{measure}_clips", f"{label}, clips"))
        columns.append(Column(f"{level}_{measure}_seeds", f"{label}, seeds"))
    rows = []
    for title, runs in methods.items():
        cells = [Cell(title)]
        for key in shown:
            values = [quality_scores(run.systems, run.truth, run.answers).values()[key] for run in runs]
            cells.append(_range(*interval([scores[key] for scores in resampled[title]])))
            cells.append(_range(min(values), max(values)))
        rows.append(tuple(cells))
    note = "Clips: 95 % of 1,000 tests whose clips are drawn with replacement. Seeds: the lowest and the highest."
    return Table("intervals", "How far the scores would move", tuple(columns), tuple(rows), notes=(note,))


def _range(low: float, high: float) -> Cell:
    return Cell(None if math.isnan(low) else f"{low:.3f} to {high:.3f}")


def usage_table(methods: Mapping[str, Sequence[Predictions]], seeds: Sequence[int]) -> Table | None:
    """Share of each expert in the gate's weight over the test, a row for each run; None where no model has two."""
    most = max(run.gates.shape[1] for runs in methods.values() for run in runs)
    if most < 2:
        return None
    columns = [Column("predictor", "Predictor"), Column("seed", "Seed"), Column("least", "Least used")]
    columns += [Column(f"expert_{number}", f"Expert {number}") for number in range(1, most + 1)]
    rows = []
    for title, runs in methods.items():
        for seed, run in zip(seeds, runs):
            if run.gates.shape[1] < 2:
                continue
            shares = run.gates.mean(axis=0).tolist()
            cells = [Cell(share) for share in shares] + [Cell(None)] * (most - len(shares))
            rows.append((Cell(title), Cell(str(seed)), Cell(min(shares)), *cells))
    note = "Mean weight of the gate over the clips of the test. An expert below 0.05 is as good as lost."
    return Table("usage", "Use of the experts", tuple(columns), tuple(rows), headings=2, notes=(note,))


def usage_by_system_table(title: str, run: Predictions) -> Table:
    """Mean weight of each expert for the clips of each system, best rated systems first."""
    means = system_means(run.systems, run.truth)
    experts = range(run.gates.shape[1])
    columns = [
        Column("system", "System"),
        Column("mos", "Listeners", digits=2),
        Column("answer", "Predicted", digits=2),
    ]
    columns += [Column(f"expert_{number + 1}", f"Expert {number + 1}", digits=2) for number in experts]
    answers = system_means(run.systems, run.answers)
    names = np.array(run.systems)
    rows = []
    for system in sorted(answers, key=lambda name: -means.get(name, 0.0)):
        shares = run.gates[names == system].mean(axis=0).tolist()
        cells = [Cell(means.get(system)), Cell(answers[system]), *(Cell(share) for share in shares)]
        rows.append((Cell(system), *cells))
    return Table("systems", f"Systems, as heard by {title}", tuple(columns), tuple(rows))


def rank_warnings(methods: Mapping[str, Scores]) -> list[str]:
    """Pairs of methods of which one has the lower error and not the better ranks: it is nearer to the scale alone."""
    found = []
    for level in LEVELS:
        for title, scores in methods.items():
            for other, theirs in methods.items():
                lower = scores[level, "mse"] < theirs[level, "mse"]
                if lower and scores[level, "srcc"] <= theirs[level, "srcc"]:
                    found.append(
                        f"Warning: {title} has a lower {level} MSE than {other} ({scores[level, 'mse']:.3f}, "
                        f"{theirs[level, 'mse']:.3f}) and no higher SRCC ({scores[level, 'srcc']:.3f}, "
                        f"{theirs[level, 'srcc']:.3f}): nearer to the scale of the listeners, and no better at ranking."
                    )
    return found
