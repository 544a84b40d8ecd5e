"""Scores that a metric has no value for: what it raises, and means without them."""

import math
from collections.abc import Iterable


class UndefinedScore(Exception):
    """The metric is not defined for these signals; the message is the reason.

    Not an error of the program or of the user: the score becomes NaN, is counted, and stays out of the mean.
    """


def mean_of_defined(values: Iterable[float]) -> float:
    """Mean of those that are not NaN; NaN where none is left."""
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan
