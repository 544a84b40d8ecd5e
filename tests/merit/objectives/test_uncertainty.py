"""Uncertainty weighting against the formula of Kendall et al. in float64."""

import math

import pytest
import torch

from merit.objectives.uncertainty import uncertainty_loss, uncertainty_weights


@pytest.mark.parametrize("form, factors", [("kendall", (1.0, 0.5)), ("authors", (0.5, 0.5))])
def test_uncertainty_is_the_formula(form, factors):
    """Kendall et al. 2018: L / sigma^2 for a classification, L / (2 sigma^2) for a regression, log sigma for both."""
    losses, sigmas = (1.3, 0.2), (0.7, 1.9)
    log_sigma = {
        task: torch.tensor(math.log(sigma), dtype=torch.float64, requires_grad=True)
        for task, sigma in zip(("emotion", "enhancement"), sigmas)
    }
    values = {task: torch.tensor(loss, dtype=torch.float64) for task, loss in zip(log_sigma, losses)}
    loss = uncertainty_loss(values, log_sigma, form)
    expected = sum(c * value / sigma**2 + math.log(sigma) for c, value, sigma in zip(factors, losses, sigmas))
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    for (task, parameter), c, value, sigma in zip(log_sigma.items(), factors, losses, sigmas):
        assert parameter.grad.item() == pytest.approx(1 - 2 * c * value / sigma**2, rel=1e-12)
        weight = uncertainty_weights(log_sigma, form)[task].item()
        assert weight == pytest.approx(c / sigma**2, rel=1e-12)
