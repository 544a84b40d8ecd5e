"""Layer normalisation of every hidden state with parameters of its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PerLayerNorm(nn.Module):
    """Normalise each of ``L`` hidden states over its channels; every layer has its own scale and shift.

    The residual stream of an encoder grows from layer to layer; without this the deepest states dominate a
    concatenation or a sum. The paper does not mention it, the authors' release has it (25 LayerNorms for WavLM Large).

    Args:
        num_states: L, number of hidden states.
        hidden_size: D, channels of each.
    """

    def __init__(self, num_states: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_states, hidden_size))
        self.bias = nn.Parameter(torch.zeros(num_states, hidden_size))

    def forward(self, states: Tensor) -> list[Tensor]:
        """States (..., L, D) in any type -> L tensors (..., D) in the type of the parameters.

        Layer by layer: then the backward pass needs the states themselves and no copy of them.
        """
        layers = zip(states.unbind(-2), self.weight, self.bias)
        return [
            functional.layer_norm(layer.to(scale.dtype), scale.shape, scale, shift) for layer, scale, shift in layers
        ]
