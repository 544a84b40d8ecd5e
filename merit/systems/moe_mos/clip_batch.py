"""Padded batches of rated clips."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from merit.data.padding import moved, pinned, stack_padded


@dataclass
class MosBatch:
    """A zero-padded batch.

    Attributes:
        keys: names of the clips.
        lengths: (B,) samples of the waveforms.
        positions: (B,) place of each clip in its set.
        mos: (B,) mean of the ratings, or the rating of a listener; NaN without one.
        systems: (B,) class index of the generating system, -1 for one that is none of the classes.
        waveform: (B, S) normalised, or None where states are there.
        states: (B, T, L, D) hidden states, or None.
        frame_lengths: (B,) frames of the states, or None.
        listeners: (B,) number of the listener who gave ``mos``, 0 for the mean, or None when all are means.
    """

    keys: list[str]
    lengths: Tensor
    positions: Tensor
    mos: Tensor
    systems: Tensor
    waveform: Tensor | None = None
    states: Tensor | None = None
    frame_lengths: Tensor | None = None
    listeners: Tensor | None = None

    def to(self, device: torch.device) -> "MosBatch":
        """The same batch on ``device``, but for both kinds of lengths: whoever computes with them waits for no GPU."""
        return moved(self, device, left=("lengths", "frame_lengths"))

    def pin_memory(self) -> "MosBatch":
        """The same batch in page-locked memory (called by the data loader)."""
        return pinned(self)


def collate(items: Sequence[MosBatch]) -> MosBatch:
    """Join batches of one clip into a padded batch."""
    stacked = {
        name: None if getattr(items[0], name) is None else stack_padded([getattr(item, name)[0] for item in items])
        for name in ("waveform", "states")
    }
    joined = {
        name: None if getattr(items[0], name) is None else torch.cat([getattr(item, name) for item in items])
        for name in ("lengths", "positions", "mos", "systems", "frame_lengths", "listeners")
    }
    return MosBatch(keys=[key for item in items for key in item.keys], **stacked, **joined)
