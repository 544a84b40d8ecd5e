"""What predictions are to be read beside: knowing the system alone, and one half of the listeners against the other.

A test with few systems is easy for whoever knows their mean ratings; and nobody can agree with listeners better than
these do among themselves.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from merit.data.rated.ratings import RatedClip
from merit.metrics.quality.agreement import LEVELS, MEASURES, quality_scores
from merit.metrics.undefined import mean_of_defined

SPLITS = 100
"""Random halves that a ceiling is averaged over."""

Scores = dict[tuple[str, str], float]
"""(level, measure) -> value."""


def condition_oracle(systems: Sequence[str], truth: np.ndarray, known: Mapping[str, float] | None = None) -> Scores:
    """Scores of who says of every clip the mean rating of its system.

    Args:
        systems: of each clip.
        truth: mean opinion scores (U,), NaN without a rating.
        known: system -> mean rating elsewhere, as in the dev set; None takes the other clips of the same system, which
            is nothing to judge systems by: their mean over a system is its mean. What has no such mean is left out.
    """
    truth = np.asarray(truth, float)
    if known is not None:
        answers = np.array([known.get(system, math.nan) for system in systems])
        return quality_scores(systems, truth, answers).values()
    answers = np.full(len(truth), math.nan)
    names = np.array(systems)
    for place in np.flatnonzero(~np.isnan(truth)):
        others = (names == names[place]) & ~np.isnan(truth)
        others[place] = False
        if others.any():
            answers[place] = truth[others].mean()
    scores = quality_scores(systems, truth, answers).values()
    return {key: math.nan if key[0] == "system" else value for key, value in scores.items()}


def split_half_ceiling(clips: Sequence[RatedClip], splits: int = SPLITS, seed: int = 0) -> Scores | None:
    """Agreement of one half of the listeners of a set with the other, as if one predicted the other.

    The listeners are cut in halves at random; of a clip the means of both are compared where both have one. All values
    are means over the splits; a split in which one is undefined is left out of its mean.

    Args:
        clips: with their listeners.
        splits: how often.
        seed: of the splits.

    Returns:
        The scores; None when fewer than two listeners are known.
    """
    listeners = sorted({listener for clip in clips for listener in clip.listeners if listener})
    if len(listeners) < 2:
        return None
    generator = np.random.default_rng(seed)
    found: list[Scores] = []
    for _ in range(splits):
        drawn = generator.permutation(len(listeners))
        first = {listeners[place] for place in drawn[: len(listeners) // 2]}
        halves = np.array([[_mean(clip, first, inside) for inside in (True, False)] for clip in clips])
        found.append(quality_scores([clip.system_id for clip in clips], halves[:, 0], halves[:, 1]).values())
    return {key: mean_of_defined([split[key] for split in found]) for key in all_scores()}


def all_scores() -> list[tuple[str, str]]:
    """All (level, measure), in order."""
    return [(level, measure) for level in LEVELS for measure in MEASURES]


def _mean(clip: RatedClip, listeners: set[str], inside: bool) -> float:
    scores = [
        score for score, listener in zip(clip.scores, clip.listeners) if listener and (listener in listeners) == inside
    ]
    return sum(scores) / len(scores) if scores else math.nan
