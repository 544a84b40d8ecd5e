"""Diversity and sparsity of a dense gate: the formulas in float64, their minima, and that they pull apart."""

import numpy as np
import pytest
import torch

from merit.objectives.utterance_gate import diversity_loss, sparsity_losses

EVEN_ONE_HOT = torch.eye(4, dtype=torch.float64).repeat(3, 1)
ONE_TAKES_ALL = torch.eye(4, dtype=torch.float64)[:1].repeat(12, 1)
UNIFORM = torch.full((12, 4), 0.25, dtype=torch.float64)


def test_they_follow_their_formulas():
    gates = torch.softmax(3 * torch.randn(7, 5, dtype=torch.float64), dim=-1)
    values = gates.numpy()
    assert diversity_loss(gates).item() == pytest.approx(5 * (values.mean(0) ** 2).sum(), abs=1e-12)
    rows = np.abs(values).sum(1) / np.sqrt((values**2).sum(1))
    np.testing.assert_allclose(sparsity_losses(gates).numpy(), rows, atol=1e-12)


@pytest.mark.parametrize("gates, diversity, sparsity", [(EVEN_ONE_HOT, 1, 1), (ONE_TAKES_ALL, 4, 1), (UNIFORM, 1, 2)])
def test_the_ends_of_their_ranges(gates, diversity, sparsity):
    assert diversity_loss(gates).item() == pytest.approx(diversity, abs=1e-12)
    assert sparsity_losses(gates).mean().item() == pytest.approx(sparsity, abs=1e-12)


def minimised(diversity_weight, sparsity_weight):
    """Gates (64, 4) after gradient descent on the two losses from near uniform logits that lean to the first."""
    logits = (0.3 * torch.randn(64, 4, dtype=torch.float64) + torch.tensor([1.0, 0, 0, 0])).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        gates = torch.softmax(logits, dim=-1)
        loss = diversity_weight * diversity_loss(gates) + sparsity_weight * sparsity_losses(gates).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.softmax(logits, dim=-1).detach()


def test_they_pull_apart():
    """Sparsity alone lets one expert take most, diversity alone keeps rows flat, both give sharp rows, evenly."""
    sparse, even, both = minimised(0, 1), minimised(1, 0), minimised(1, 1)
    assert sparsity_losses(sparse).mean() < 1.05 and diversity_loss(sparse) > 1.5
    assert diversity_loss(even) < 1.001 and sparsity_losses(even).mean() > 1.5
    assert diversity_loss(both) < 1.1 and sparsity_losses(both).mean() < 1.05
