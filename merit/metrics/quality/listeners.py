"""The listeners behind mean opinion scores: how each rates, how far two panels are apart, what a panel's bias costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from merit.data.rated.ratings import RatedClip


@dataclass(frozen=True)
class Listener:
    """How one listener rated.

    Attributes:
        name: of the listener.
        ratings: how many.
        mean: of them.
        deviation: standard deviation of them (of the sample); NaN of a single one.
        bias: mean difference to the others who rated the same clips; NaN where nobody else did.
    """

    name: str
    ratings: int
    mean: float
    deviation: float
    bias: float


@dataclass(frozen=True)
class PanelShift:
    """How much higher a second panel rates, over the systems that both heard.

    Attributes:
        systems: that both heard.
        difference: mean over these systems of the second panel's mean less the first's; NaN without one.
        listeners: of both panels.
        p: of Welch's two-sided test that the listeners of both panels have the same mean, each listener counted once;
            NaN where a panel has fewer than two listeners, or none differs from any other.
    """

    systems: int
    difference: float
    listeners: tuple[int, int]
    p: float


def listeners_of(clips: Sequence[RatedClip]) -> list[Listener]:
    """How each known listener rated, sorted by name."""
    scores: dict[str, list[float]] = {}
    differences: dict[str, list[float]] = {}
    for clip in clips:
        total, count = sum(clip.scores), len(clip.scores)
        for name, score in zip(clip.listeners, clip.scores):
            if name:
                scores.setdefault(name, []).append(score)
                if count > 1:
                    differences.setdefault(name, []).append(score - (total - score) / (count - 1))
    return [
        Listener(
            name,
            len(own),
            float(np.mean(own)),
            float(np.std(own, ddof=1)) if len(own) > 1 else math.nan,
            float(np.mean(differences[name])) if name in differences else math.nan,
        )
        for name, own in sorted(scores.items())
    ]


def panel_shift(first: Sequence[RatedClip], second: Sequence[RatedClip]) -> PanelShift:
    """Compare two panels on the systems that both heard, whose clips may be others."""
    means = [_by_system(clips) for clips in (first, second)]
    common = sorted(means[0].keys() & means[1].keys())
    difference = float(np.mean([means[1][name] - means[0][name] for name in common])) if common else math.nan
    heard = [[clip for clip in clips if clip.system_id in common] for clips in (first, second)]
    panels = [[listener.mean for listener in listeners_of(clips)] for clips in heard]
    p = math.nan
    if min(map(len, panels)) > 1 and len({*panels[0], *panels[1]}) > 1:
        p = float(stats.ttest_ind(*panels, equal_var=False).pvalue)
    return PanelShift(len(common), difference, (len(panels[0]), len(panels[1])), p)


def bias_of(truth: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    """Mean of truth less answers over the rated clips, and the mean squared error once it is added to the answers."""
    truth, answers = np.asarray(truth, float), np.asarray(answers, float)
    errors = (truth - answers)[~np.isnan(truth)]
    if not len(errors):
        return math.nan, math.nan
    return float(errors.mean()), float(errors.var())


def _by_system(clips: Sequence[RatedClip]) -> dict[str, float]:
    """System -> mean over its clips of their mean ratings."""
    grouped: dict[str, list[float]] = {}
    for clip in clips:
        if clip.scores:
            grouped.setdefault(clip.system_id, []).append(clip.mean)
    return {system: float(np.mean(values)) for system, values in grouped.items()}
