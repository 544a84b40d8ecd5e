"""Which positions of padded batches are real."""

import torch
from torch import Tensor


def length_mask(lengths: Tensor, size: int | None = None) -> Tensor:
    """(B,) lengths -> (B, size) mask, True inside."""
    size = int(lengths.max()) if size is None else size
    return torch.arange(size, device=lengths.device).unsqueeze(0) < lengths.unsqueeze(1)
