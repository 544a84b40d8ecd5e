"""What padded batches of all systems do: stack utterances of unequal lengths, move to a device, lock their pages."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import TypeVar

import torch
from torch import Tensor

BatchType = TypeVar("BatchType")
"""A dataclass some of whose fields are tensors."""


def stack_padded(values: Sequence[Tensor]) -> Tensor:
    """Tensors (T_b, ...) -> (B, max T, ...), padded with zeros.

    ``pad_sequence`` writes zeros everywhere first, which takes long for states.
    """
    stacked = values[0].new_empty(len(values), max(map(len, values)), *values[0].shape[1:])
    for row, value in zip(stacked, values):
        row[: len(value)] = value
        row[len(value) :] = 0
    return stacked


def moved(batch: BatchType, device: torch.device, left: Collection[str]) -> BatchType:
    """The same batch with all tensors on ``device`` but for the fields ``left``, which stay where they are."""
    found = {
        field.name: value.to(device, non_blocking=True)
        for field in fields(batch)
        if field.name not in left and isinstance(value := getattr(batch, field.name), Tensor)
    }
    return replace(batch, **found)


def pinned(batch: BatchType) -> BatchType:
    """The same batch in page-locked memory."""
    found = {
        field.name: value.pin_memory()
        for field in fields(batch)
        if isinstance(value := getattr(batch, field.name), Tensor)
    }
    return replace(batch, **found)
