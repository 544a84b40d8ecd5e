"""Softmax-weighted sum of the hidden states: front end of phase 1 and of the FT-MTL baselines."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.nets.gate import Routing
from merit.nets.layer_norm import PerLayerNorm


class WeightedSum(nn.Module):
    """One convex combination of the L layers, shared by the tasks (BSSE-SE, Hung et al. 2022; paper section IV-C).

    Args:
        num_states: L, number of hidden states.
        hidden_size: D.
        tasks: names of the tasks that read the sum.
        layer_norm: normalise each layer first.
    """

    def __init__(self, num_states: int, hidden_size: int, tasks: Sequence[str], layer_norm: bool = True) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.norm = PerLayerNorm(num_states, hidden_size) if layer_norm else None
        self.layer_logits = nn.Parameter(torch.ones(num_states))

    def forward(self, states: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], list[Routing]]:
        """States (B, T, L, D) and mask (B, T) -> ``{task: z (B, T, D)}``, zero on padded frames; no routing.

        Scale and shift of a layer's norm are taken into its share of the sum, and one layer is worked on at a time:
        phase 1 is bound by the memory that the states pass through, and this way they pass once.
        """
        shares = torch.softmax(self.layer_logits, dim=0)
        layers = (layer.to(shares.dtype) for layer in states.unbind(2))
        scales, mixed = shares.unsqueeze(1), shares.new_zeros(states.shape[-1])
        if self.norm is not None:
            layers = (functional.layer_norm(layer, layer.shape[-1:]) for layer in layers)
            scales, mixed = scales * self.norm.weight, (scales * self.norm.bias).sum(0)
        for layer, scale in zip(layers, scales):
            mixed = torch.addcmul(mixed, layer, scale)
        return dict.fromkeys(self.tasks, mixed * mask.unsqueeze(-1)), []
