"""Uncertainty weighting of tasks (Kendall, Gal and Cipolla 2018; paper section IV-C)."""

from typing import Literal

import torch
from torch import Tensor

UncertaintyForm = Literal["kendall", "authors"]

FACTORS = {
    "kendall": {"emotion": 1.0, "enhancement": 0.5},
    "authors": {"emotion": 0.5, "enhancement": 0.5},
}
"""What stands before ``L / sigma^2``: 1 for a classification and 1/2 for a regression (Kendall); the authors' released
code has the regression's for both tasks."""

INITIAL_LOG_SIGMA = {"kendall": 0.0, "authors": 1.0}


def uncertainty_weights(log_sigma: dict[str, Tensor], form: UncertaintyForm) -> dict[str, Tensor]:
    """Factor ``c / sigma^2`` of each task's loss."""
    return {task: FACTORS[form][task] * torch.exp(-2 * value) for task, value in log_sigma.items()}


def uncertainty_loss(losses: dict[str, Tensor], log_sigma: dict[str, Tensor], form: UncertaintyForm) -> Tensor:
    """``sum_t c_t L_t / sigma_t^2 + log sigma_t``, with ``log_sigma`` a learnable number for each task."""
    weights = uncertainty_weights(log_sigma, form)
    return sum(weights[task] * loss + log_sigma[task] for task, loss in losses.items())
