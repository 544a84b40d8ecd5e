"""The paired bootstrap: is one method better than another on the utterances that were tested.

Utterances are drawn with replacement, the same ones for every method (Efron and Tibshirani 1993, Koehn 2004), which
keeps to what was sampled: the test set, for the models as they were trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

WEIGHTS_AT_ONCE = 4_000_000
"""Numbers of one block of resampling weights, 16 MB."""

ROUNDING = 1e-12
"""Differences below it are none: means over seeds that are equal may differ in the last digit."""


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another.

    Attributes:
        mean: difference of the scores on the whole test set, averaged over the seeds.
        low, high: ends of its 95 % interval, percentiles of the resamples.
        p: one-sided, (1 + resamples that are not better) / (1 + resamples).
    """

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Resampled:
    """Scores of one method, averaged over its seeds.

    Attributes:
        measures: names of the M scores.
        observed: of the whole test set, (M,).
        resampled: of the resamples, (R, M).
        lower_is_better: whether they are errors.
    """

    measures: tuple[str, ...]
    observed: np.ndarray
    resampled: np.ndarray
    lower_is_better: bool = False

    def minus(self, other: "Resampled") -> dict[str, Difference]:
        """Measure -> how much better this is than a method that was scored on the same resamples."""
        sign = -1 if self.lower_is_better else 1
        observed, resampled = (
            sign * (mine - theirs)
            for mine, theirs in ((self.observed, other.observed), (self.resampled, other.resampled))
        )
        low, high = np.percentile(resampled, (2.5, 97.5), axis=0)
        not_better = (resampled < ROUNDING).sum(axis=0)
        p = (1 + not_better) / (1 + len(resampled))
        columns = zip(observed.tolist(), low.tolist(), high.tolist(), p.tolist())
        return {measure: Difference(*column) for measure, column in zip(self.measures, columns)}


def resampling_weights(utterances: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often every resample draws each utterance, in blocks (r, U) that together have R rows."""
    generator = np.random.default_rng(seed)
    rows_at_once = max(1, WEIGHTS_AT_ONCE // utterances)
    for first in range(0, resamples, rows_at_once):
        rows = min(rows_at_once, resamples - first)
        drawn = generator.integers(utterances, size=(rows, utterances)) + utterances * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * utterances)
        yield counts.reshape(rows, utterances).astype(np.float32)
