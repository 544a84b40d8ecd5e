"""Attentive statistics pooling (Okabe et al., Interspeech 2018)."""

import torch
from torch import Tensor, nn


class AttentiveStatisticsPooling(nn.Module):
    """Frames -> attention-weighted mean and standard deviation over time.

    The score of a frame is ``v . tanh(W x + b)``; the softmax runs over the real frames of an utterance. Sizes as in
    the Interspeech 2025 challenge baseline, which the paper builds on (1,050,624 parameters at D = 1024).

    Args:
        hidden_size: D.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(hidden_size, hidden_size)
        # The baseline draws this from N(0, 1). Scores then spread so far that one frame takes nearly all the weight
        # and the classifier sees a single frame; drawn narrower, all frames count about alike at the start.
        self.attention = nn.Parameter(torch.randn(hidden_size) / hidden_size**0.5)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D) and mask (B, T) -> (B, 2 D), in float32: the variance is a difference of near-equal numbers."""
        projected = torch.tanh(self.projection(frames))
        with torch.autocast(frames.device.type, enabled=False):
            scores = projected.to(self.attention.dtype) @ self.attention
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=1).unsqueeze(-1)
        frames = frames.float()
        mean = (weights * frames).sum(dim=1)
        variance = (weights * frames.square()).sum(dim=1) - mean.square()
        return torch.cat([mean, variance.clamp_min(1e-5).sqrt()], dim=-1)
