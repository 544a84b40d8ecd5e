"""A pool of expert networks that works on what gates have chosen: paper section III-B."""

import torch
from torch import Tensor, nn


class Experts(nn.ModuleList):
    """N two-layer feed-forward networks E_n with ReLU between (paper Eq. 3; 25600-4096-1024 at the paper's sizes).

    Args:
        num_experts: N.
        input_size, hidden_size, output_size: widths of each expert.
    """

    def __init__(self, num_experts: int, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__(
            nn.Sequential(nn.Linear(input_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, output_size))
            for _ in range(num_experts)
        )
        self.output_size = output_size

    def forward(self, frames: Tensor, weights: Tensor) -> Tensor:
        """Compute ``out[f, g] = sum_n weights[f, g, n] * E_n(frames[f])`` (paper Eq. 6) for G gates at once.

        An expert sees each frame at most once however many gates chose it, and only frames that some gate chose:
        one gather puts the frames in the order of the experts, and each expert takes its part of it. An expert that
        nobody chose still runs, on zero rows, so that all its parameters get a gradient: distributed training then
        needs no search for unused parameters.

        Args:
            frames: (F, E).
            weights: (F, G, N).

        Returns:
            (F, G, output_size), in the type of the weights; zero where a frame has no weight.
        """
        chosen = weights.ne(0).any(dim=1).t()  # (N, F), so that the pairs below come expert by expert
        expert, rows = chosen.nonzero(as_tuple=True)
        counts = chosen.sum(dim=1).tolist()
        # index_select, because its gradient is added row by row; that of frames[rows] is sorted first.
        parts = frames.index_select(0, rows).split(counts)
        values = torch.cat([network(part) for network, part in zip(self, parts)]).to(weights.dtype)
        output = values.new_zeros(*weights.shape[:2], self.output_size)
        return output.index_add(0, rows, weights[rows, :, expert].unsqueeze(-1) * values.unsqueeze(1))
