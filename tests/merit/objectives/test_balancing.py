"""The balancing loss against the Switch formula in float64."""

import numpy as np
import pytest
import torch

from merit.nets.gate import Routing
from merit.nets.masks import length_mask
from merit.objectives.balancing import switch_balancing_loss


def test_switch_balancing_loss_follows_the_formula():
    lengths = torch.tensor([5, 2])
    mask = length_mask(lengths, 5)
    probabilities = torch.softmax(torch.randn(2, 5, 3), dim=-1) * mask.unsqueeze(-1)
    frames = probabilities[mask].double().numpy()
    f = np.array([(frames.argmax(1) == n).mean() for n in range(3)])
    expected = 3 * (f * frames.mean(0)).sum()
    loss = switch_balancing_loss(Routing("emotion", probabilities, probabilities, mask))
    np.testing.assert_allclose(float(loss), expected, rtol=1e-6)


@pytest.mark.parametrize("probabilities, expected", [([0.0, 1.0, 0.0], 3.0), ([1 / 3, 1 / 3, 1 / 3], 1.0)])
def test_switch_balancing_loss_at_its_ends(probabilities, expected):
    mask = torch.ones(1, 4, dtype=torch.bool)
    values = torch.tensor(probabilities).expand(1, 4, 3)
    assert float(switch_balancing_loss(Routing("emotion", values, values, mask))) == pytest.approx(expected)
