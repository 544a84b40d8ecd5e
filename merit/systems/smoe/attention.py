"""Multi-head attention, with the keys and values of earlier steps kept in decoding."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def split_heads(values: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, heads, T, D / heads)."""
    return values.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(values: Tensor) -> Tensor:
    """(B, heads, T, D / heads) -> (B, T, D)."""
    return values.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Frames attend to frames of the same sequence (Vaswani et al. 2017), one matrix for queries, keys and values.

    Args:
        size: D.
        heads: their number, which divides D.
        dropout: of the attention weights.
    """

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.projection = nn.Linear(size, 3 * size)
        self.output = nn.Linear(size, size)

    def _projected(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(split_heads(part, self.heads) for part in self.projection(frames).chunk(3, dim=-1))

    def forward(self, frames: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, T, D) -> (B, T, D).

        Args:
            frames: (B, T, D).
            mask: (B, 1, 1, T), True where a frame may be attended to; None for everywhere.
            causal: no frame attends to a later one.
        """
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(
            *self._projected(frames), attn_mask=mask, dropout_p=dropout, is_causal=causal
        )
        return self.output(join_heads(attended))

    def step(self, frame: Tensor, kept: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The newest frame of each sequence, (B, 1, D) -> (B, 1, D), and the keys and values to keep.

        Args:
            frame: (B, 1, D).
            kept: keys and values (B, heads, t, D / heads) of the frames before; None at the first.
        """
        query, key, value = self._projected(frame)
        if kept is not None:
            key, value = torch.cat([kept[0], key], dim=2), torch.cat([kept[1], value], dim=2)
        attended = functional.scaled_dot_product_attention(query, key, value)
        return self.output(join_heads(attended)), (key, value)


class CrossAttention(nn.Module):
    """Tokens attend to what the encoder made of the speech.

    Args:
        size, heads, dropout: as of :class:`SelfAttention`.
    """

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(size, size)
        self.key_value = nn.Linear(size, 2 * size)
        self.output = nn.Linear(size, size)

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Memory (B, T, D) -> keys and values (B, heads, T, D / heads), which stay the same for all tokens."""
        return tuple(split_heads(part, self.heads) for part in self.key_value(memory).chunk(2, dim=-1))

    def forward(self, tokens: Tensor, keys_and_values: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """(B, U, D) -> (B, U, D).

        Args:
            tokens: (B, U, D); the U of an utterance may be tokens of one text, or newest tokens of several.
            keys_and_values: of :meth:`keys_and_values`.
            mask: (B, 1, 1, T), True on real frames.
        """
        query = split_heads(self.query(tokens), self.heads)
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(query, *keys_and_values, attn_mask=mask, dropout_p=dropout)
        return self.output(join_heads(attended))
