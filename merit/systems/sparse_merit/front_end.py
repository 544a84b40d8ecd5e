"""The mixture-of-experts front end: paper sections III-A and III-B."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from merit.device import compute_dtype
from merit.nets.experts import Experts
from merit.nets.gate import Gate, GateWeight, Routing
from merit.nets.layer_norm import PerLayerNorm


def feed_forward(input_size: int, hidden_size: int, output_size: int) -> nn.Sequential:
    """One expert: two layers with ReLU between (paper Eq. 3; 25600-4096-1024 at the paper's sizes)."""
    return nn.Sequential(nn.Linear(input_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, output_size))


class MixtureOfExperts(nn.Module):
    """Hidden states of all layers -> one representation for each task, by experts chosen frame by frame.

    Per-layer LayerNorm, concatenation (Eq. 2), one gate for each task (Eq. 4, 5), a shared pool of experts (Eq. 6).

    Args:
        num_states: L, number of hidden states of the encoder (25 for WavLM Large).
        hidden_size: D, their width; also the width of the output.
        tasks: names of the gates.
        num_experts: N.
        expert_size: width between the two layers of an expert.
        top_k, gate_weight: see :class:`merit.nets.gate.Gate`.
        shared_gate: one gate decides for all tasks.
        num_shared_experts: experts beside the routed ones that work on every frame of every task with weight 1
            (as the shared experts of DeepSeekMoE, Dai et al. 2024).
        layer_norm: normalise each layer before the concatenation.
    """

    def __init__(
        self,
        num_states: int,
        hidden_size: int,
        tasks: Sequence[str],
        num_experts: int = 3,
        expert_size: int = 4096,
        top_k: int | None = 1,
        gate_weight: GateWeight = "prob",
        shared_gate: bool = False,
        num_shared_experts: int = 0,
        layer_norm: bool = True,
    ) -> None:
        super().__init__()
        width = num_states * hidden_size
        self.tasks = tuple(tasks)
        self.norm = PerLayerNorm(num_states, hidden_size) if layer_norm else None
        gates = ["shared"] if shared_gate else tasks
        self.gates = nn.ModuleDict({name: Gate(width, num_experts, top_k, gate_weight) for name in gates})
        self.experts = Experts(feed_forward(width, expert_size, hidden_size) for _ in range(num_experts))
        self.shared_experts = Experts(feed_forward(width, expert_size, hidden_size) for _ in range(num_shared_experts))

    def frames(self, states: Tensor) -> Tensor:
        """States (B, T, L, D) -> normalised, joined frames (B, T, L D) in the type of matrix products (Eq. 2)."""
        dtype = compute_dtype(self.experts[0][0].weight)
        layers = states.unbind(-2) if self.norm is None else self.norm(states)
        return torch.cat([layer.to(dtype) for layer in layers], dim=-1)

    def route(self, frames: Tensor, mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Frames (B, T, L D) and mask (B, T) -> weights and probabilities, both (B, T, N) and zero on padding.

        One pair for each task, in the order of ``tasks``.
        """
        padding = ~mask.unsqueeze(-1)
        frames = frames.to(self.experts[0][0].weight.dtype)  # once, for all gates
        decided = [tuple(values.masked_fill(padding, 0) for values in gate(frames)) for gate in self.gates.values()]
        return decided * len(self.tasks) if len(decided) < len(self.tasks) else decided

    def mix(self, frames: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
        """Frames (B, T, L D) and weights (B, T, G, N), zero on padding -> (B, T, G, D): Eq. 6 and the shared experts.

        Padded frames never reach an expert.
        """
        output = self.experts(frames, weights)
        if len(self.shared_experts):
            everywhere = mask.to(weights.dtype).unsqueeze(-1).expand(-1, -1, len(self.shared_experts))
            output = output + self.shared_experts(frames, everywhere).unsqueeze(2)
        return output

    def forward(self, states: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], list[Routing]]:
        """States (B, T, L, D) and mask (B, T) -> ``{task: z (B, T, D)}`` (Eq. 7) and the routing of every gate.

        On padded frames z, weights and probabilities are zero.
        """
        frames = self.frames(states)
        decided = self.route(frames, mask)
        output = self.mix(frames, torch.stack([weights for weights, _ in decided], dim=2), mask)
        representations = {task: output[:, :, g] for g, task in enumerate(self.tasks)}
        routing = [
            Routing(task, weights, probabilities, mask) for task, (weights, probabilities) in zip(self.tasks, decided)
        ]
        return representations, routing
