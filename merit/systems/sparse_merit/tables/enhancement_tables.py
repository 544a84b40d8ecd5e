"""Tables of speech enhancement: Table II with the noisy input, and Table VII."""

import math
from collections.abc import Mapping, Sequence
from statistics import stdev

from merit.data.noise.mixed_names import NoiseCondition
from merit.errors import MeritError
from merit.metrics.enhancement.measures import DIGITS, LOWER_IS_BETTER, MEASURES
from merit.metrics.undefined import mean_of_defined
from merit.report.table import Cell, Column, Table, with_best_in_bold
from merit.systems.sparse_merit.results.experiment import Experiment
from merit.systems.sparse_merit.results.run_files import ENHANCEMENT_TABLE
from merit.systems.sparse_merit.results.score_tables import (
    COMPOSITE_NOTES,
    EnhancementRow,
    enhancement_row,
    runs_with,
)
from merit.systems.sparse_merit.tables.emotion_tables import BALANCING
from merit.systems.sparse_merit.tables.noise_table import count_of, method_cell, noise_table

NOISY = "noisy"
Enhancement = Mapping[tuple[NoiseCondition, str], Sequence[EnhancementRow]]
"""Condition and method (or ``noisy``, the unprocessed input) -> scores, one for each seed."""


def enhancement_scores(experiment: Experiment) -> Enhancement:
    """Means of all methods with enhanced speech and of the noisy input, which comes first in every condition.

    Conditions without any enhanced speech are left out.

    Raises:
        MeritError: when the noisy input was not scored, sets of utterances differ, or the composite measures are of
            several variants.
    """
    found = {}
    for condition in experiment.conditions:
        if methods := runs_with(experiment.runs, condition, ENHANCEMENT_TABLE):
            found[condition, NOISY] = [enhancement_row(experiment.noisy, condition)]
            for method, seeds in methods.items():
                found[condition, method] = [enhancement_row(run.scores, condition) for run in seeds]
            rows = [(method, row) for (where, method), rows in found.items() if where == condition for row in rows]
            if len({row.utterances for _, row in rows}) > 1:
                listed = ", ".join(f"{method} {row.utterances}" for method, row in rows)
                raise MeritError(f"{condition.name}: the numbers of scored utterances differ ({listed}); score again")
    composite_variant(found)
    return found


def composite_variant(scores: Enhancement) -> str | None:
    """The variant of CSIG, CBAK and COVL; None where it is not recorded or nothing was scored.

    Raises:
        MeritError: when there are several.
    """
    variants = {row.composite for rows in scores.values() for row in rows}
    if len(variants) > 1:
        raise MeritError(
            f"scores with different composite variants ({', '.join(sorted(map(str, variants)))}) in one comparison; "
            "score all methods again with one --composite"
        )
    return variants.pop() if variants else None


def table_2(scores: Enhancement) -> Table:
    """The six measures of all methods with enhanced speech, under those of the noisy input."""
    methods = list(dict.fromkeys(method for _, method in scores))
    return _table("table_2", "Speech enhancement of all methods (Table II)", methods, scores)


def table_7(scores: Enhancement) -> Table:
    """The six measures of Sparse MERIT without and with the balancing loss."""
    title = "Speech enhancement without and with the balancing loss (Table VII)"
    return _table("table_7", title, BALANCING, scores)


def _table(name: str, title: str, methods: Sequence[str], scores: Enhancement) -> Table:
    scores = {(condition, method): rows for (condition, method), rows in scores.items() if method in methods}
    columns = []
    for measure in MEASURES:
        lower = measure in LOWER_IS_BETTER
        columns.append(Column(measure, measure, digits=DIGITS[measure], lower_is_better=lower))
        columns.append(Column(f"{measure}_std", f"{measure}, std", shown=False))
    columns += [Column("seeds", "Seeds", shown=False), Column("undefined", "Undefined", shown=False)]
    headings = [Cell(NOISY, "Noisy") if method == NOISY else method_cell(method) for method in methods]
    cells = {key: _cells(rows) for key, rows in scores.items()}
    utterances = count_of((row.utterances for rows in scores.values() for row in rows), "utterances")
    seeds = count_of((len(rows) for (_, method), rows in scores.items() if method != NOISY), "seeds")
    notes = [
        f"Means over {utterances} and {seeds} (standard deviations over the seeds in `tables/{name}.csv`). "
        f"PESQ is wide band (P.862.2), SSNR in dB. {COMPOSITE_NOTES[composite_variant(scores)]} Bold: best of its SNR.",
    ]
    if undefined := sum(sum(row.failures.values()) for rows in scores.values() for row in rows):
        notes.append(
            f"{undefined} scores are undefined (digital silence, no speech found, too short) and left out of the means."
        )
    return with_best_in_bold(noise_table(name, title, headings, columns, cells, notes))


def _cells(rows: Sequence[EnhancementRow]) -> list[Cell]:
    cells = []
    for measure in MEASURES:
        values = [row.means[measure] for row in rows if not math.isnan(row.means[measure])]
        cells += [Cell(mean_of_defined(values)), Cell(stdev(values) if len(values) > 1 else None)]
    return [*cells, Cell(len(rows)), Cell(sum(sum(row.failures.values()) for row in rows))]
