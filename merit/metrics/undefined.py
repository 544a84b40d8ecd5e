"""Scores that a metric cannot give: what it raises, and means that leave them out."""

import math
from collections.abc import Iterable


class UndefinedScore(Exception):
    """The metric is not defined for these signals; the message is the reason.

    Not an error of the program or of the user: the score becomes NaN, is counted, and stays out of the mean.
    """


def mean_of_defined(scores: Iterable[float]) -> float:
    """Mean of the scores that are not NaN, without rounding between them; NaN where there is none."""
    defined = [score for score in scores if not math.isnan(score)]
    return math.fsum(defined) / len(defined) if defined else math.nan
