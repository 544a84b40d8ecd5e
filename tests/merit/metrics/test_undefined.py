"""Means without what is not defined."""

import math

from merit.metrics.undefined import mean_of_defined


def test_undefined_values_stay_out_of_the_mean():
    assert mean_of_defined(value for value in (1.0, math.nan, 4.0)) == 2.5
    assert math.isnan(mean_of_defined([math.nan])) and math.isnan(mean_of_defined([]))


def test_the_sum_is_exact():
    assert mean_of_defined([1e16, 1.0, -1e16]) == 1 / 3
