"""The condition oracle and the split-half ceiling."""

import math

import numpy as np
import pytest

from merit.data.rated.ratings import RatedClip
from merit.metrics.quality.agreement import quality_scores
from merit.metrics.quality.reference_rows import condition_oracle, split_half_ceiling

SYSTEMS = ["a", "a", "a", "b", "b", "c"]
TRUTH = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 2.0])


def test_an_oracle_that_knows_the_systems_from_elsewhere():
    known = {"a": 2.5, "b": 4.0}  # c is unknown there
    expected = quality_scores(SYSTEMS[:5], TRUTH[:5], np.array([2.5, 2.5, 2.5, 4.0, 4.0])).values()
    assert condition_oracle(SYSTEMS, TRUTH, known) == expected


def test_an_oracle_on_the_test_itself_leaves_the_clip_out_and_says_nothing_of_systems():
    scores = condition_oracle(SYSTEMS, TRUTH)
    answers = np.array([2.5, 2.0, 1.5, 5.0, 4.0])  # c has no other clip
    assert scores["utterance", "mse"] == pytest.approx(np.mean((TRUTH[:5] - answers) ** 2))
    assert all(math.isnan(value) for (level, _), value in scores.items() if level == "system")


def clips(generator, bias, listeners=8, count=60):
    """Clips of twelve systems with a quality each, heard by listeners with a bias and a spread."""
    quality = np.linspace(1.5, 4.5, 12)
    biases = bias * generator.standard_normal(listeners)
    found = []
    for number in range(count):
        system = number % 12
        scores = np.clip(quality[system] + biases + 0.5 * generator.standard_normal(listeners), 1, 5)
        names = tuple(f"L{listener}" for listener in range(listeners))
        found.append(RatedClip(f"{number}.wav", f"s{system:02d}", f"u{number}", tuple(scores.tolist()), names))
    return found


def test_the_ceiling_is_what_theory_says_of_independent_listeners():
    """Two means over 4 of 8 listeners with variance 0.25: their squared difference is 0.125 in the mean."""
    scores = split_half_ceiling(clips(np.random.default_rng(0), bias=0.0))
    assert scores["utterance", "mse"] == pytest.approx(0.125, rel=0.15)
    signal = np.var(np.linspace(1.5, 4.5, 12))
    assert scores["utterance", "lcc"] == pytest.approx(signal / (signal + 0.25 / 4), abs=0.02)
    assert scores["system", "srcc"] > 0.98


def test_listeners_with_biases_agree_less_in_the_error_alone():
    fair, biased = (split_half_ceiling(clips(np.random.default_rng(0), bias)) for bias in (0.0, 1.0))
    assert biased["utterance", "mse"] > 2 * fair["utterance", "mse"]
    assert biased["system", "srcc"] > 0.97


def test_means_over_listeners_have_no_ceiling():
    assert split_half_ceiling([RatedClip("a.wav", "s", "u", (3.0,), ("",))]) is None
    assert split_half_ceiling([RatedClip("a.wav", "s", "u", (3.0,), ("L1",))]) is None
