"""Layer normalisation of every state, against the formula in float64."""

import numpy as np
import torch

from merit.nets.layer_norm import PerLayerNorm


def test_every_layer_is_normalised_with_its_own_scale_and_shift():
    norm = PerLayerNorm(3, 6)
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    states = 5 + torch.randn(2, 4, 3, 6)
    layers = norm(states)
    assert len(layers) == 3
    weight, bias = (parameter.detach().double().numpy() for parameter in (norm.weight, norm.bias))
    for place, layer in enumerate(layers):
        h = states[:, :, place].double().numpy()
        expected = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)
        np.testing.assert_allclose(layer.detach().numpy(), expected * weight[place] + bias[place], atol=1e-5)


def test_stored_states_are_normalised_in_the_type_of_the_parameters():
    norm = PerLayerNorm(2, 8)
    states = torch.randn(5, 2, 8).bfloat16()
    layers = norm(states)
    assert {layer.dtype for layer in layers} == {torch.float32}
    torch.testing.assert_close(torch.stack(layers, dim=-2), torch.stack(norm(states.float()), dim=-2))
