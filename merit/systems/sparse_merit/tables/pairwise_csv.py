"""Every comparison of two methods as CSV: Welch tests and paired bootstrap."""

from collections.abc import Iterable
from itertools import permutations

from merit.metrics.significance import MEASURES, SIGNIFICANCE_LEVEL
from merit.report.table import records_csv
from merit.systems.sparse_merit.results.emotion_comparison import EmotionComparison
from merit.systems.sparse_merit.results.experiment import CLEAN


def welch_csv(comparisons: Iterable[EmotionComparison]) -> str:
    """All Welch tests, a line an ordered pair: is ``method`` better than ``other``; p is empty where undefined."""
    lines = []
    for comparison in comparisons:
        for method, other in permutations(comparison.subsets, 2):
            for measure in MEASURES:
                p = comparison.p(method, other, measure)
                lines.append(
                    {
                        **_place(comparison),
                        "measure": measure,
                        "method": method,
                        "other": other,
                        "mean": comparison.mean(method, measure),
                        "other_mean": comparison.mean(other, measure),
                        "scores": len(comparison.subsets[method][measure]),
                        "p": p,
                        "significant": "yes" if p <= SIGNIFICANCE_LEVEL else "no",
                    }
                )
    return records_csv(lines)


def bootstrap_csv(comparisons: Iterable[EmotionComparison]) -> str:
    """All paired bootstraps, ``method`` minus ``other``: 95 % interval, one-sided p that ``method`` is not better."""
    lines = []
    for comparison in comparisons:
        for method, other in permutations(comparison.resampled, 2):
            scores = comparison.resampled[method]
            for measure, difference in scores.minus(comparison.resampled[other]).items():
                lines.append(
                    {
                        **_place(comparison),
                        "measure": measure,
                        "method": method,
                        "other": other,
                        "difference": difference.mean,
                        "low": difference.low,
                        "high": difference.high,
                        "p": difference.p,
                        "utterances": comparison.utterances,
                        "resamples": len(scores.resampled),
                    }
                )
    return records_csv(lines)


def _place(comparison: EmotionComparison) -> dict[str, float | str]:
    condition = comparison.condition
    clean = condition.snr is None
    return {"snr": CLEAN if clean else condition.snr, "noise": CLEAN if clean else condition.noise}
