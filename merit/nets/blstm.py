"""Bidirectional LSTM over padded batches."""

import torch
from torch import Tensor, nn


class BidirectionalLSTM(nn.Module):
    """Stacked bidirectional LSTM layers whose backward direction starts at each utterance's own last frame.

    The backward direction runs over time-reversed copies, so no sequence needs packing: packed sequences split every
    time step off a joint tensor, which costs the backward pass on CPU quadratic time, and want lengths on the host.

    Args:
        input_size: width of the input.
        hidden_size: width of each direction.
        num_layers: number of layers.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.ahead = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size in sizes)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, input_size) and lengths (B,) -> (B, T, 2 hidden_size), forward half first.

        Frames past an utterance's end hold no meaning.
        """
        time = torch.arange(frames.shape[1], device=frames.device)
        reversed_time = lengths.unsqueeze(1) - 1 - time
        mirror = torch.where(reversed_time >= 0, reversed_time, time).unsqueeze(-1)
        for ahead, back in zip(self.ahead, self.back):
            behind, _ = back(frames.take_along_dim(mirror, dim=1))
            frames = torch.cat([ahead(frames)[0], behind.take_along_dim(mirror, dim=1)], dim=-1)
        return frames
