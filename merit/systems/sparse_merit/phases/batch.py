"""Padded batches of utterances, and random crops of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from merit.data.crops import crop_window
from merit.data.padding import moved, pinned, stack_padded


@dataclass
class Batch:
    """A zero-padded batch.

    Attributes:
        keys: utterance names.
        lengths: (B,) samples of the waveforms.
        noisy, clean: (B, S) normalised waveforms, or None when not asked for.
        labels: (B,) class indices, or None.
        states: (B, T, L, D) hidden states of the noisy speech, or None.
        frame_lengths: (B,) frames of the states or the features, or None.
        features: (B, T, C) what the encoder's convolutional front end makes of the noisy speech, or None.
    """

    keys: list[str]
    lengths: Tensor
    noisy: Tensor | None = None
    clean: Tensor | None = None
    labels: Tensor | None = None
    states: Tensor | None = None
    frame_lengths: Tensor | None = None
    features: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same batch with all tensors on ``device`` but for both kinds of lengths, which stay where they are.

        So whoever computes with them need not wait for a GPU.
        """
        return moved(self, device, left=("lengths", "frame_lengths"))

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory (called by the data loader)."""
        return pinned(self)


def collate(items: Sequence[Batch]) -> Batch:
    """Join batches of one utterance into a padded batch."""

    def joined(name: str) -> Tensor | None:
        values = [getattr(item, name) for item in items]
        return None if values[0] is None else stack_padded([value[0] for value in values])

    return Batch(
        keys=[key for item in items for key in item.keys],
        lengths=torch.cat([item.lengths for item in items]),
        **{name: joined(name) for name in ("noisy", "clean", "states", "features")},
        **{
            name: None if getattr(items[0], name) is None else torch.cat([getattr(item, name) for item in items])
            for name in ("labels", "frame_lengths")
        },
    )


def crop_states(batch: Batch, epoch: int, seed: int, crop_frames: int) -> Batch:
    """Crop a batch of whole utterances with states to ``crop_frames`` frames, each at its own :func:`crop_window`.

    Nothing waits for a GPU when the two kinds of lengths are in the memory of the host; features are left out.
    """
    items = []
    for b, key in enumerate(batch.keys):
        frames, samples = crop_window(key, epoch, seed, int(batch.frame_lengths[b]), int(batch.lengths[b]), crop_frames)
        one = slice(b, b + 1)
        items.append(
            Batch(
                keys=[key],
                lengths=torch.tensor([samples.stop - samples.start], device=batch.lengths.device),
                noisy=None if batch.noisy is None else batch.noisy[one, samples],
                clean=None if batch.clean is None else batch.clean[one, samples],
                labels=None if batch.labels is None else batch.labels[one],
                states=batch.states[one, frames],
                frame_lengths=torch.tensor([frames.stop - frames.start], device=batch.lengths.device),
            )
        )
    return collate(items)
