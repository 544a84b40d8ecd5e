"""Agreement of two series of scores: mean squared error and three correlations, over clips and over systems.

The convention is that of mos-finetune-ssl's ``predict.py``, of sheet and of the VoiceMOS and AudioMOS challenges: at
the level of systems, truth and prediction are averaged within each system first, then compared.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

MEASURES = ("mse", "lcc", "srcc", "ktau")
LEVELS = ("utterance", "system")


@dataclass(frozen=True)
class Agreement:
    """Of ``count`` pairs; a measure that is undefined is NaN.

    Attributes:
        mse: mean squared error.
        lcc: Pearson's linear correlation.
        srcc: Spearman's rank correlation.
        ktau: Kendall's tau-b.
        count: pairs that were compared.
    """

    mse: float
    lcc: float
    srcc: float
    ktau: float
    count: int

    def values(self) -> dict[str, float]:
        """Measure -> value, in the order of ``MEASURES``."""
        return {name: value for name, value in asdict(self).items() if name in MEASURES}


@dataclass(frozen=True)
class QualityScores:
    """Agreement at both levels.

    Attributes:
        utterance: over clips.
        system: over the means of systems.
        single_clip_systems: systems whose mean is that of one clip.
    """

    utterance: Agreement
    system: Agreement
    single_clip_systems: int

    def values(self) -> dict[tuple[str, str], float]:
        """(level, measure) -> value."""
        return {(level, measure): value for level in LEVELS for measure, value in getattr(self, level).values().items()}


def agreement(truth: np.ndarray, predicted: np.ndarray) -> Agreement:
    """Compare two series (U,); pairs one of which is NaN are left out.

    Correlations of fewer than two pairs, or where a series is constant, are NaN; so is the error of none.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    there = ~(np.isnan(truth) | np.isnan(predicted))
    truth, predicted = truth[there], predicted[there]
    mse = float(np.mean((truth - predicted) ** 2)) if len(truth) else math.nan
    if len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return Agreement(mse, math.nan, math.nan, math.nan, len(truth))
    return Agreement(
        mse,
        float(np.corrcoef(truth, predicted)[0, 1]),
        float(stats.spearmanr(truth, predicted).statistic),
        float(stats.kendalltau(truth, predicted).statistic),
        len(truth),
    )


def system_means(systems: Sequence[str], values: np.ndarray) -> dict[str, float]:
    """System -> mean of its values that are not NaN, sorted by system; systems without any are left out."""
    grouped: dict[str, list[float]] = {}
    for system, value in zip(systems, values):
        if not math.isnan(value):
            grouped.setdefault(system, []).append(float(value))
    return {system: math.fsum(grouped[system]) / len(grouped[system]) for system in sorted(grouped)}


def quality_scores(systems: Sequence[str], truth: np.ndarray, predicted: np.ndarray) -> QualityScores:
    """Agreement over clips and over systems.

    Args:
        systems: of each clip.
        truth: mean opinion score of each clip (U,), NaN where nobody rated it.
        predicted: (U,).
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    there = ~(np.isnan(truth) | np.isnan(predicted))
    names = [system for system, holds in zip(systems, there) if holds]
    means = [system_means(names, values[there]) for values in (truth, predicted)]
    counts = {name: names.count(name) for name in set(names)}
    return QualityScores(
        utterance=agreement(truth, predicted),
        system=agreement(*(np.array(list(mean.values())) for mean in means)),
        single_clip_systems=sum(count == 1 for count in counts.values()),
    )
