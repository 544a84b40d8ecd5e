"""A pool of expert networks, ``out = sum_n w[..., n] * E_n(x)``: who chooses them is not its business."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from merit.errors import MeritError


class Experts(nn.ModuleList):
    """N networks E_n that work on the rows that chose them.

    Weights ``w (..., N)`` from a gate, sparse or dense, go into :meth:`forward`; where somebody outside names the
    expert (by a tag, say), :meth:`assigned` computes the same without weights.

    Args:
        networks: E_0 ... E_{N-1}, each (..., E) -> (..., D), row by row and with one D.
        run_idle: an expert without rows still runs, on zero rows, so that all its parameters get a gradient of zero:
            distributed training then needs no search for unused parameters. Otherwise it does not run, its gradients
            stay None, and an optimiser leaves it as it was, bit for bit, weight decay and momentum included.
    """

    def __init__(self, networks: Iterable[nn.Module], run_idle: bool = True) -> None:
        super().__init__(networks)
        self.run_idle = run_idle

    def forward(self, frames: Tensor, weights: Tensor) -> Tensor:
        """Compute ``out[..., g, :] = sum_n weights[..., g, n] * E_n(frames[...])`` for G gates at once, or for one.

        An expert sees each frame at most once however many gates chose it, and only frames that some gate chose:
        one gather puts the frames in the order of the experts, and each expert takes its part of it.

        Args:
            frames: (..., E).
            weights: (..., G, N), or (..., N) of one gate.

        Returns:
            (..., G, D) or (..., D), in the type of the weights; zero where a frame has no weight.

        Raises:
            MeritError: when the weights do not fit the frames and the experts.
        """
        gates = weights.shape[frames.ndim - 1 : -1]
        if len(gates) > 1 or weights.shape != (*frames.shape[:-1], *gates, len(self)):
            raise MeritError(
                f"weights of shape {tuple(weights.shape)} for frames of shape {tuple(frames.shape)}; expected (..., "
                f"{len(self)}) or (..., gates, {len(self)}) with all but the last dimension of the frames in front"
            )
        shape = weights.shape[:-1]
        frames = frames.reshape(-1, frames.shape[-1])  # (F, E)
        weights = weights.reshape(-1, *(gates or (1,)), len(self))  # (F, G, N)
        chosen = weights.ne(0).any(dim=1).t()  # (N, F), so that the pairs below come expert by expert
        expert, rows = chosen.nonzero(as_tuple=True)
        # index_select, because its gradient is added row by row; that of frames[rows] is sorted first. Dense weights
        # are gathered too: padding has none, and the gradient of frames is the sum over experts in one fixed order.
        values = self._in_order(frames.index_select(0, rows), chosen.sum(dim=1).tolist()).to(weights.dtype)
        output = values.new_zeros(*weights.shape[:2], values.shape[-1])
        output = output.index_add(0, rows, weights[rows, :, expert].unsqueeze(-1) * values.unsqueeze(1))
        return output.view(*shape, values.shape[-1])

    def assigned(self, frames: Tensor, expert: int | Sequence[int]) -> Tensor:
        """Compute E_n(frames) with n from outside: what :meth:`forward` does for weights 1 at n and 0 elsewhere.

        The choice is known on the host, so nothing is read back from the device. Items in the order of their
        experts, as they are when all go to one, are neither gathered nor put back.

        Args:
            frames: (B, ..., E), B items.
            expert: n of all items, or one for each.

        Returns:
            (B, ..., D), in the type that the experts compute.

        Raises:
            MeritError: when there is not one expert for each item, or none of that number.
        """
        items = [expert] * len(frames) if isinstance(expert, int) else list(expert)
        if len(items) != len(frames) or not set(items) <= set(range(len(self))):
            raise MeritError(
                f"experts {sorted(set(items))} assigned to {len(items)} items; expected one of 0 to {len(self) - 1} "
                f"for each of the {len(frames)} items"
            )
        counts = [items.count(n) for n in range(len(self))]
        if items == sorted(items):
            return self._in_order(frames, counts)
        order = torch.tensor(sorted(range(len(items)), key=items.__getitem__)).to(frames.device, non_blocking=True)
        return self._in_order(frames.index_select(0, order), counts).index_select(0, order.argsort())

    def _in_order(self, frames: Tensor, counts: list[int]) -> Tensor:
        """Frames (F, ..., E), the first ``counts[0]`` for E_0, the next for E_1 and so on -> (F, ..., D)."""
        running = [n for n, count in enumerate(counts) if count or self.run_idle]
        if not running:
            return self[0](frames).detach()  # of zero rows: only the width is to be known
        if len(running) == 1:
            return self[running[0]](frames)  # neither split nor joined; both would copy, here or in the backward pass
        parts = frames.split([counts[n] for n in running])
        return torch.cat([self[n](part) for n, part in zip(running, parts)])
