"""From log-mel frames to what the decoder attends to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.errors import MeritError
from merit.nets.gate import Routing
from merit.nets.masks import length_mask
from merit.systems.smoe.attention import SelfAttention
from merit.systems.smoe.feed_forward import RoutedFeedForward
from merit.systems.smoe.smoe_config import SmoeModelConfig

KERNEL, STRIDE = 5, 2
SUBSAMPLING = STRIDE**2
"""Input frames for each frame of the encoder."""


@dataclass
class Memory:
    """What the encoder makes of a padded batch.

    Attributes:
        states: (B, T, D).
        lengths: (B,) their real frames, on the host.
        mask: (B, T), True on real frames.
        routing: of the gates, where the routing is learned.
    """

    states: Tensor
    lengths: Tensor
    mask: Tensor
    routing: list[Routing]


def subsampled(lengths: Tensor) -> Tensor:
    """Frames after one convolution with stride 2."""
    return (lengths - 1).div(STRIDE, rounding_mode="floor") + 1


def sinusoids(length: int, size: int) -> Tensor:
    """Positions (length, size): sines in the first half, cosines in the second, as fairseq has them."""
    frequencies = torch.exp(torch.arange(size // 2) * -(math.log(10000) / (size // 2 - 1)))
    angles = torch.arange(length).unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Subsampling(nn.Module):
    """Two convolutions over time with stride 2 and gated linear units: (B, T, F) -> (B, about T / 4, D)."""

    def __init__(self, config: SmoeModelConfig) -> None:
        super().__init__()
        padding = KERNEL // 2
        channels = config.subsampling_channels
        self.first = nn.Conv1d(config.mel_bins, channels, KERNEL, STRIDE, padding)
        self.second = nn.Conv1d(channels // 2, 2 * config.size, KERNEL, STRIDE, padding)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames past the end of an utterance are zero before each convolution, so padding changes nothing.

        Args:
            features: (B, T, F), zero past the end.
            lengths: (B,) frames, on the host.
        """
        hidden = functional.glu(self.first(features.transpose(1, 2)), dim=1)
        lengths = subsampled(lengths)
        inside = length_mask(lengths.to(hidden.device, non_blocking=True), hidden.shape[2])
        hidden = functional.glu(self.second(hidden * inside.unsqueeze(1)), dim=1)
        return hidden.transpose(1, 2), subsampled(lengths)


class EncoderBlock(nn.Module):
    """Self-attention and routed feed-forward layer, each behind its normalisation and beside its residual."""

    def __init__(self, config: SmoeModelConfig, place: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.size)
        self.attention = SelfAttention(config.size, config.heads, config.attention_dropout)
        self.feed_forward_norm = nn.LayerNorm(config.size)
        self.feed_forward = RoutedFeedForward(
            f"encoder {place}",
            config.size,
            config.feed_forward_size,
            config.encoder_experts,
            config.dropout,
            config.routing == "learned",
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, frames: Tensor, mask: Tensor, attention_mask: Tensor | None, experts: Sequence[int]
    ) -> tuple[Tensor, Routing | None]:
        """(B, T, D) -> (B, T, D)."""
        frames = frames + self.dropout(self.attention(self.attention_norm(frames), attention_mask))
        values, routing = self.feed_forward(self.feed_forward_norm(frames), experts, mask)
        return frames + self.dropout(values), routing


class Encoder(nn.Module):
    """Convolutions, positions and blocks."""

    def __init__(self, config: SmoeModelConfig) -> None:
        super().__init__()
        self.config = config
        self.subsampling = Subsampling(config)
        self.register_buffer(
            "positions", sinusoids(-(-config.max_frames // SUBSAMPLING), config.size), persistent=False
        )
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(EncoderBlock(config, place) for place in range(1, config.encoder_layers + 1))
        self.norm = nn.LayerNorm(config.size)

    def forward(self, features: Tensor, lengths: Tensor, experts: Sequence[int]) -> Memory:
        """Encode a batch.

        Args:
            features: (B, T, F) log-mel frames, zero past the end.
            lengths: (B,) frames.
            experts: number of the bandwidth of each utterance.

        Raises:
            MeritError: when it is longer than the model takes.
        """
        lengths = lengths.cpu()
        if features.shape[1] > self.config.max_frames:
            raise MeritError(
                f"an utterance of {features.shape[1] / 100:.2f} s is longer than the model takes, "
                f"{self.config.max_frames / 100:g} s (model.max_frames); cut it at its pauses"
            )
        frames, lengths = self.subsampling(features, lengths)
        mask = length_mask(lengths.to(frames.device, non_blocking=True), frames.shape[1])
        frames = self.dropout(frames * math.sqrt(self.config.size) + self.positions[: frames.shape[1]])
        padded = bool((lengths < frames.shape[1]).any())
        attention_mask = mask[:, None, None] if padded else None
        routing = []
        for block in self.blocks:
            frames, routed = block(frames, mask, attention_mask, experts)
            routing += [] if routed is None else [routed]
        return Memory(self.norm(frames), lengths, mask, routing)
