"""Padded batches of speech and text."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from merit.data.padding import moved, pinned, stack_padded

UNSCORED = -100
"""Target of a token that no loss is taken of, as PyTorch has it."""


@dataclass
class SpeechBatch:
    """A zero-padded batch of one task.

    Attributes:
        keys: names of the utterances.
        lengths: (B,) samples of the audio.
        features: (B, T, F) log-mel frames.
        frames: (B,) their real frames.
        bandwidths: number of the bandwidth of each utterance, as its label says.
        task: number of the task, as its label says; that of all utterances.
        tokens: (B, U) what the decoder reads: start, tags, text; or None without texts.
        token_mask: (B, U), True on real tokens, or None.
        targets: (B, U) the token after each, ``UNSCORED`` for tags and padding, or None.
        transcripts: (B, V) tokens of what was said, for CTC, or None.
        transcript_lengths: (B,) their real tokens, or None.
    """

    keys: list[str]
    lengths: Tensor
    features: Tensor
    frames: Tensor
    bandwidths: list[int]
    task: int
    tokens: Tensor | None = None
    token_mask: Tensor | None = None
    targets: Tensor | None = None
    transcripts: Tensor | None = None
    transcript_lengths: Tensor | None = None

    def to(self, device: torch.device) -> "SpeechBatch":
        """The same batch on ``device``, but for lengths: whoever computes with them waits for no GPU."""
        return moved(self, device, left=("lengths", "frames", "transcript_lengths"))

    def pin_memory(self) -> "SpeechBatch":
        """The same batch in page-locked memory (called by the data loader)."""
        return pinned(self)


def collate(items: Sequence[SpeechBatch]) -> SpeechBatch:
    """Join batches of one utterance into a padded batch, sorted by bandwidth: experts then take it apart by slices."""
    items = sorted(items, key=lambda item: item.bandwidths)
    joined = {name: torch.cat([getattr(item, name) for item in items]) for name in ("lengths", "frames")}
    if items[0].tokens is not None:
        joined["tokens"] = stack_padded([item.tokens[0] for item in items])
        joined["token_mask"] = stack_padded([item.token_mask[0] for item in items])
        joined["targets"] = stack_padded([item.targets[0] for item in items])
        joined["targets"].masked_fill_(~joined["token_mask"], UNSCORED)
    if items[0].transcripts is not None:
        joined["transcripts"] = stack_padded([item.transcripts[0] for item in items])
        joined["transcript_lengths"] = torch.cat([item.transcript_lengths for item in items])
    return SpeechBatch(
        keys=[key for item in items for key in item.keys],
        features=stack_padded([item.features[0] for item in items]),
        bandwidths=[number for item in items for number in item.bandwidths],
        task=items[0].task,
        **joined,
    )
