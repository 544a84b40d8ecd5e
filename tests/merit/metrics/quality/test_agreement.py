"""Agreement with listeners against scipy's definitions written out, and the convention of the field."""

import itertools
import math

import numpy as np
import pytest

from merit.metrics.quality.agreement import agreement, quality_scores, system_means

TRUTH = np.array([1.0, 2.0, 2.0, 3.5, 4.0, 4.5])
ANSWERS = np.array([1.5, 1.0, 2.5, 2.5, 4.5, 4.0])


def ranks(values):
    """Mean ranks of ties, by counting."""
    return np.array([(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values])


def pearson(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum())


def tau_b(x, y):
    """By pairs: (concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y))."""
    signs = [(np.sign(a - b), np.sign(c - d)) for (a, c), (b, d) in itertools.combinations(zip(x, y), 2)]
    numerator = sum(first * second for first, second in signs)
    return numerator / math.sqrt(sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs))


def test_the_four_measures_with_ties():
    found = agreement(TRUTH, ANSWERS)
    assert found.mse == pytest.approx(np.mean((TRUTH - ANSWERS) ** 2))
    assert found.lcc == pytest.approx(pearson(TRUTH, ANSWERS))
    assert found.srcc == pytest.approx(pearson(ranks(TRUTH), ranks(ANSWERS)))
    assert found.ktau == pytest.approx(tau_b(TRUTH, ANSWERS))
    assert found.count == 6


def test_systems_are_averaged_before_they_are_compared():
    systems = ["a", "b", "a", "c", "b", "a"]
    found = quality_scores(systems, TRUTH, ANSWERS)
    truth = np.array([(1 + 2 + 4.5) / 3, (2 + 4) / 2, 3.5])
    answers = np.array([(1.5 + 2.5 + 4) / 3, (1 + 4.5) / 2, 2.5])
    assert found.system.mse == pytest.approx(np.mean((truth - answers) ** 2))
    assert found.system.lcc == pytest.approx(pearson(truth, answers))
    assert found.system.srcc == pytest.approx(pearson(ranks(truth), ranks(answers)))
    assert found.system.count == 3 and found.single_clip_systems == 1
    assert found.utterance == agreement(TRUTH, ANSWERS)


def test_clips_without_a_rating_are_left_out_of_both_means():
    systems = ["a", "a", "b", "b", "c"]
    truth = np.array([1.0, math.nan, 3.0, 4.0, math.nan])
    answers = np.array([1.5, 5.0, 3.0, 3.0, 1.0])
    found = quality_scores(systems, truth, answers)
    assert found.utterance.count == 3 and found.system.count == 2
    assert found.system.mse == pytest.approx((0.5**2 + 0.5**2) / 2)
    assert system_means(systems, truth) == {"a": 1.0, "b": 3.5}


@pytest.mark.parametrize(
    "truth, answers",
    [([], []), ([3.0], [2.0]), ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]), ([2.0, 2.0], [1.0, 3.0]), ([math.nan], [1.0])],
)
def test_what_is_undefined_is_nan(truth, answers):
    found = agreement(np.array(truth), np.array(answers))
    assert all(math.isnan(value) for value in (found.lcc, found.srcc, found.ktau))
    assert math.isnan(found.mse) == (found.count == 0)
