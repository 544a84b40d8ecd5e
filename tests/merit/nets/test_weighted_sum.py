"""The weighted sum of the states against its formula in float64."""

import numpy as np
import pytest
import torch

from merit.nets.masks import length_mask
from merit.nets.weighted_sum import WeightedSum


@pytest.mark.parametrize("layer_norm", [True, False])
def test_weighted_sum_is_a_convex_combination_of_normalised_layers(layer_norm):
    front_end = WeightedSum(4, 6, ["emotion"], layer_norm=layer_norm)
    for parameter in front_end.parameters():
        torch.nn.init.normal_(parameter)
    states = torch.randn(2, 5, 4, 6)
    mask = length_mask(torch.tensor([5, 2]), 5)
    z, routing = front_end(states, mask)
    share = np.exp(front_end.layer_logits.detach().double().numpy())
    share /= share.sum()
    h = states.double().numpy()
    if layer_norm:
        h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)
        h = h * front_end.norm.weight.detach().numpy() + front_end.norm.bias.detach().numpy()
    expected = np.einsum("l,btld->btd", share, h) * mask.numpy()[..., None]
    np.testing.assert_allclose(z["emotion"].detach().numpy(), expected, atol=1e-5)
    assert routing == []
