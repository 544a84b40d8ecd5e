"""How far scores of predicted quality would move with other clips: intervals from resampled tests.

Clips are drawn with replacement (Efron and Tibshirani 1993), the same ones for every model, so that models can be
compared on them. Systems whose clips are not drawn are missing from a resample, as they could be from a test.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from merit.metrics.quality.agreement import quality_scores
from merit.metrics.quality.reference_rows import Scores, all_scores

RESAMPLES = 1000
LOW, HIGH = 2.5, 97.5
"""Percentiles of a 95 % interval."""


def resampled_scores(
    systems: Sequence[str],
    truth: np.ndarray,
    answers: Mapping[str, Sequence[np.ndarray]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, list[Scores]]:
    """Scores of each model on each resample, averaged over its seeds.

    Args:
        systems: of each clip.
        truth: mean opinion scores (U,).
        answers: model -> predictions (U,) of each of its seeds.
        resamples: R.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, list[Scores]] = {model: [] for model in answers}
    for _ in range(resamples):
        drawn = generator.integers(len(truth), size=len(truth))
        names = [systems[place] for place in drawn]
        for model, runs in answers.items():
            scores = [quality_scores(names, truth[drawn], run[drawn]).values() for run in runs]
            found[model].append({key: float(np.mean([one[key] for one in scores])) for key in all_scores()})
    return found


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Ends of the 95 % interval over the resamples in which a score is defined; NaN where it never is."""
    defined = np.array([value for value in values if not np.isnan(value)])
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, (LOW, HIGH))
    return float(low), float(high)
