"""The feed-forward layer of a block: experts beside each other, one of them chosen from outside or by a gate."""

from collections.abc import Sequence

from torch import Tensor, nn

from merit.nets.experts import Experts
from merit.nets.gate import Gate, Routing


def feed_forward(size: int, inner_size: int, dropout: float) -> nn.Sequential:
    """One expert: (..., D) -> (..., D)."""
    return nn.Sequential(
        nn.Linear(size, inner_size), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(inner_size, size)
    )


class RoutedFeedForward(nn.Module):
    """N feed-forward layers, of which one computes each frame.

    An expert that no frame is sent to is not computed and gets no gradient.

    Args:
        name: of the layer, in its routing.
        size: D.
        inner_size: of each expert.
        experts: N.
        dropout: inside an expert.
        learned: a gate chooses, instead of the caller.
    """

    def __init__(self, name: str, size: int, inner_size: int, experts: int, dropout: float, learned: bool) -> None:
        super().__init__()
        self.name = name
        self.experts = Experts((feed_forward(size, inner_size, dropout) for _ in range(experts)), run_idle=False)
        self.gate = Gate(size, experts, top_k=1) if learned and experts > 1 else None

    def forward(self, frames: Tensor, expert: int | Sequence[int], mask: Tensor) -> tuple[Tensor, Routing | None]:
        """Compute the expert of every utterance, or the one that the gate chooses for every frame.

        Args:
            frames: (B, T, D).
            expert: number of the expert of all utterances, or one for each; only looked at without a gate, and not
                where there is but one expert.
            mask: (B, T), True on real frames; a gate sends no others to an expert.

        Returns:
            (B, T, D), and what the gate decided; None without one.
        """
        if self.gate is None:
            return self.experts.assigned(frames, 0 if len(self.experts) == 1 else expert), None
        weights, probabilities = self.gate(frames)
        inside = mask.unsqueeze(-1)
        routing = Routing(self.name, weights * inside, probabilities * inside, mask)
        return self.experts(frames, routing.weights), routing
