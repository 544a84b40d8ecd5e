"""Limits on agreement and expert usage."""

import pytest

from merit.systems.sparse_merit.routing.routing_health import health_warnings

EVEN = [0.4, 0.3, 0.3]


@pytest.mark.parametrize("agreement", [None, 0.0, 0.33, 0.9])
def test_healthy_routing_gives_no_warning(agreement):
    assert health_warnings({"emotion": EVEN, "enhancement": [0.05, 0.9, 0.05]}, agreement) == []


def test_gates_that_agree_too_often():
    (warning,) = health_warnings({"emotion": EVEN, "enhancement": EVEN}, 0.913)
    assert "emotion and enhancement" in warning and "91.3%" in warning


def test_one_expert_that_does_everything_and_the_others_that_do_nothing():
    collapsed, starved = health_warnings({"emotion": EVEN, "enhancement": [0.01, 0.97, 0.02]}, 0.5)
    assert "enhancement gate sends 97.0% of the frames to expert 1" in collapsed
    assert "enhancement" in starved and "expert 0 (1.0%), expert 2 (2.0%)" in starved


def test_an_expert_may_starve_without_another_doing_everything():
    (warning,) = health_warnings({"emotion": [0.5, 0.46, 0.04]})
    assert "expert 2 (4.0%)" in warning


def test_a_single_expert_has_no_choice_to_be_unhealthy():
    assert health_warnings({"emotion": [1.0], "enhancement": [1.0]}, 1.0) == []


def test_counts_instead_of_shares_are_refused():
    with pytest.raises(ValueError, match="emotion gate adds up to 100"):
        health_warnings({"emotion": [40, 30, 30]})
