"""GradNorm against Chen et al.'s formula in float64."""

import math

import pytest
import torch

from merit.objectives.gradnorm import gradnorm_loss, renormalise


def test_gradnorm_update_is_the_papers():
    """Chen et al. 2018, Algorithm 1, with every quantity written out."""
    weights = torch.tensor([1.2, 0.8], dtype=torch.float64, requires_grad=True)
    norms, losses, first = (torch.tensor(v, dtype=torch.float64) for v in ([2.0, 0.5], [0.6, 0.3], [1.0, 0.4]))
    alpha = 1.5
    g = [1.2 * 2.0, 0.8 * 0.5]
    rates = [0.6 / 1.0, 0.3 / 0.4]
    mean_g, mean_rate = sum(g) / 2, sum(rates) / 2
    targets = [mean_g * (rate / mean_rate) ** alpha for rate in rates]
    loss = gradnorm_loss(weights, norms, losses, first, alpha)
    assert loss.item() == pytest.approx(abs(g[0] - targets[0]) + abs(g[1] - targets[1]), rel=1e-12)
    loss.backward()
    # The target is a constant: the slope is the norm, with the sign of what is too much or too little.
    expected = [math.copysign(2.0, g[0] - targets[0]), math.copysign(0.5, g[1] - targets[1])]
    assert weights.grad.tolist() == pytest.approx(expected, rel=1e-12)
    with torch.no_grad():
        weights -= 0.1 * weights.grad
    renormalise(weights)
    assert weights.sum().item() == pytest.approx(2) and (weights > 0).all()
