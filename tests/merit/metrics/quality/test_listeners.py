"""Listeners and panels, against numbers worked out by hand and scipy's own tests on plain lists."""

import math

import numpy as np
import pytest
from scipy import stats

from merit.data.rated.ratings import RatedClip
from merit.metrics.quality.listeners import bias_of, listeners_of, panel_shift


def clip(system, number, **scores):
    return RatedClip(f"{number}.wav", system, f"{number}", tuple(scores.values()), tuple(scores))


FIRST = [clip("a", 1, A=2.0, B=4.0), clip("a", 2, A=3.0, B=4.0), clip("b", 1, A=1.0, B=2.0), clip("c", 1, A=5.0)]
SECOND = [clip("a", 3, C=4.0, D=5.0), clip("b", 2, C=3.0, D=3.0)]


def test_how_a_listener_rates_and_differs_from_those_who_heard_the_same():
    first, second = listeners_of(FIRST)
    assert (first.name, first.ratings, second.name, second.ratings) == ("A", 4, "B", 3)
    assert first.mean == pytest.approx(11 / 4) and first.deviation == pytest.approx(np.std([2, 3, 1, 5], ddof=1))
    assert first.bias == pytest.approx(-(2 + 1 + 1) / 3) and second.bias == -first.bias
    (alone,) = listeners_of([clip("a", 1, A=3.0)])
    assert math.isnan(alone.deviation) and math.isnan(alone.bias)


def test_panels_are_compared_on_the_systems_that_both_heard():
    shift = panel_shift(FIRST, SECOND)
    assert shift.systems == 2 and shift.listeners == (2, 2)
    assert shift.difference == pytest.approx(((4.5 - 3.25) + (3 - 1.5)) / 2)
    expected = stats.ttest_ind([2.0, 10 / 3], [3.5, 4.0], equal_var=False).pvalue  # c was heard by one panel alone
    assert shift.p == pytest.approx(expected)


def test_means_over_listeners_have_no_listeners():
    means = [RatedClip("a.wav", "a", "1", (3.0,), ("",))]
    assert listeners_of(means) == []
    shift = panel_shift(means, SECOND)
    assert shift.difference == 1.5 and shift.listeners == (0, 2) and math.isnan(shift.p)
    assert math.isnan(panel_shift(means, [clip("z", 1, A=1.0)]).difference)


def test_what_is_left_of_an_error_without_its_mean():
    truth, answers = np.array([3.0, 4.0, math.nan, 5.0]), np.array([2.0, 3.5, 1.0, 3.0])
    bias, left = bias_of(truth, answers)
    assert bias == pytest.approx((1 + 0.5 + 2) / 3)
    assert left == pytest.approx(np.mean((truth - answers)[[0, 1, 3]] ** 2) - bias**2)
    assert all(map(math.isnan, bias_of(np.array([math.nan]), np.array([1.0]))))
