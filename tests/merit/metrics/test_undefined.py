"""Means that leave undefined scores out."""

import math

import numpy as np
import pytest

from merit.metrics.undefined import mean_of_defined


@pytest.mark.parametrize("scores", [[1.5], [math.nan, 2.0, -1.0, math.nan], [math.inf, 1.0]])
def test_undefined_scores_are_left_out(scores):
    assert mean_of_defined(iter(scores)) == np.nanmean(scores)


@pytest.mark.parametrize("scores", [[], [math.nan, math.nan]])
def test_without_a_defined_score_the_mean_is_undefined(scores):
    assert math.isnan(mean_of_defined(scores))


def test_nothing_is_lost_between_large_scores():
    assert mean_of_defined([1e16, 1.0, -1e16, math.nan]) == pytest.approx(1 / 3)
