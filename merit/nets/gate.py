"""Routing: which expert works on which frame, and how much its output counts.

Everything that routes meets in one tensor: weights ``w (..., N)`` with ``out = sum_n w[..., n] * E_n(x)``.
A gate produces such weights, :class:`merit.nets.experts.Experts` consumes them, training and analysis read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from merit.errors import MeritError

GateWeight = Literal["prob", "hard"]


@dataclass
class Routing:
    """What one gate decided for a padded batch.

    Attributes:
        name: the task the gate belongs to.
        weights: (B, T, N) factors of the experts' outputs, zero where an expert was not chosen and on padded frames.
        probabilities: (B, T, N) softmax of the gate before top-K, zero on padded frames.
        mask: (B, T) True on real frames.
    """

    name: str
    weights: Tensor
    probabilities: Tensor
    mask: Tensor


def gates_once(routing: Sequence[Routing]) -> list[Routing]:
    """The routing of each gate, once: tasks that share a gate share its tensors."""
    return list({id(routed.probabilities): routed for routed in routing}.values())


class Gate(nn.Module):
    """Softmax gate with top-K selection: paper Eq. 4 and 5.

    The softmax runs over all N experts before the selection and is not renormalised after it, so at K = 1 the
    kept probability still depends on the gate's parameters and they learn from the task loss. Renormalising would
    make it a constant 1.

    Args:
        input_size: width of the frames.
        num_experts: N.
        top_k: K experts kept for each frame; None keeps all (dense).
        weight: ``prob`` multiplies the experts' outputs by the probability (Eq. 6). ``hard`` multiplies by 1, as the
            authors' released code does; such a gate gets no gradient from the task.

    Raises:
        MeritError: when K is not between 1 and N, or a dense gate is to have hard weights.
    """

    def __init__(self, input_size: int, num_experts: int, top_k: int | None, weight: GateWeight = "prob") -> None:
        super().__init__()
        if top_k is not None and not 1 <= top_k <= num_experts:
            raise MeritError(f"top_k is {top_k}; it must lie between 1 and the number of experts, {num_experts}")
        if top_k is None and weight == "hard":
            raise MeritError("a dense gate weighs experts by its probabilities; hard weights need top_k")
        self.top_k = top_k
        self.weight = weight
        self.projection = nn.Linear(input_size, num_experts)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(..., E) -> weights (..., N) and probabilities (..., N), both float32.

        So is the product of frames and weights, whatever autocast says: in 16 bits experts tie.
        """
        with torch.autocast(frames.device.type, enabled=False):
            logits = self.projection(frames.to(self.projection.weight.dtype))
        probabilities = torch.softmax(logits.float(), dim=-1)
        kept = probabilities if self.weight == "prob" else torch.ones_like(probabilities)
        if self.top_k is None:
            return kept, probabilities
        chosen = torch.zeros_like(probabilities).scatter(-1, probabilities.topk(self.top_k, dim=-1).indices, 1.0)
        return kept * chosen, probabilities
