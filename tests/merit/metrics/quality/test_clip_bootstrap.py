"""Intervals over resampled clips."""

import math

import numpy as np
import pytest

from merit.metrics.quality.clip_bootstrap import interval, resampled_scores


def test_the_interval_of_an_error_is_that_of_a_mean():
    """The MSE is a mean over clips: its bootstrap interval is 1.96 standard errors to either side."""
    generator = np.random.default_rng(0)
    truth = generator.uniform(1, 5, 400)
    errors = generator.normal(0, 0.5, 400)
    systems = [f"s{number % 20}" for number in range(400)]
    resampled = resampled_scores(systems, truth, {"m": [truth + errors]}, resamples=400)["m"]
    low, high = interval([scores["utterance", "mse"] for scores in resampled])
    half = 1.96 * np.std(errors**2) / math.sqrt(400)
    assert low == pytest.approx(np.mean(errors**2) - half, rel=0.05)
    assert high == pytest.approx(np.mean(errors**2) + half, rel=0.05)


def test_models_are_scored_on_the_same_clips_and_seeds_are_averaged():
    truth = np.arange(1.0, 5.0, 0.25)
    noise = np.random.default_rng(1).normal(0, 1, len(truth))
    systems = ["a", "b"] * 8
    answers = {"one": [truth + noise], "same": [truth + noise], "two": [truth + noise, truth + 3 * noise]}
    found = resampled_scores(systems, truth, answers, resamples=5)
    assert found["one"] == found["same"]
    for one, two in zip(found["one"], found["two"]):
        assert two["utterance", "mse"] == pytest.approx(5 * one["utterance", "mse"])  # (1 + 9) / 2


def test_an_interval_without_a_value_is_nan():
    assert all(map(math.isnan, interval([math.nan])))
    assert interval([1.0, math.nan, 1.0]) == (1.0, 1.0)
