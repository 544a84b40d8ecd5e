"""Finding the predictions of an experiment: methods, seeds and, for a cross-validation, folds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from merit.errors import MeritError
from merit.metrics.quality.prediction_table import Predictions, read_predictions

PREDICTIONS = "predictions.csv"


class Experiment(NamedTuple):
    """Where the predictions of an experiment lie.

    Attributes:
        exp: folder of the runs, ``<method>[_<tag>]-<seed>``.
        methods: names.
        seeds: of the trainings.
        tag: of all runs.
        folds: names of the folds of a cross-validation, each with a model of its own; empty without one.
    """

    exp: Path
    methods: Sequence[str]
    seeds: Sequence[int]
    tag: str = ""
    folds: Sequence[str] = ()

    def tables(self, method: str, seed: int) -> list[Path]:
        """The tables of a run, which are one test together."""
        run = self.exp / f"{method}{'_' if self.tag else ''}{self.tag}-{seed}"
        return [run / fold / PREDICTIONS for fold in self.folds] or [run / PREDICTIONS]


def predictions_of(experiment: Experiment) -> dict[str, list[Predictions]]:
    """Method -> predictions of each seed, all of the same clips in the same order.

    Raises:
        MeritError: when a table is missing or damaged, or the tables are not of the same clips and ratings.
    """
    found = {
        method: [sorted_clips(read_predictions(experiment.tables(method, seed))) for seed in experiment.seeds]
        for method in experiment.methods
    }
    first = next(runs[0] for runs in found.values())
    for method, runs in found.items():
        for seed, run in zip(experiment.seeds, runs):
            require_same_test(first, run, str(experiment.tables(method, seed)[0]))
    return found


def sorted_clips(predictions: Predictions) -> Predictions:
    """The same clips, sorted by name."""
    order = np.argsort(predictions.clips)
    return Predictions(
        tuple(predictions.clips[place] for place in order),
        tuple(predictions.systems[place] for place in order),
        predictions.truth[order],
        predictions.answers[order],
        predictions.gates[order],
    )


def require_same_test(expected: Predictions, found: Predictions, name: str) -> None:
    """Refuse to compare predictions of different clips or ratings.

    Raises:
        MeritError: names the table.
    """
    same = expected.clips == found.clips and np.allclose(expected.truth, found.truth, equal_nan=True)
    if not same:
        raise MeritError(
            f"{name}: not the clips and ratings of the other tables ({len(found.clips)} clips, expected "
            f"{len(expected.clips)}); predict again (stage 4)"
        )
