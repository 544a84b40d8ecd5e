"""Log-mel frames of a waveform, normalised by utterance, and SpecAugment."""

import random

import numpy as np
import torch
from torch import Tensor
from torchaudio.compliance import kaldi

from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

FRAME_SHIFT = 160
"""Samples from one frame to the next, 10 ms."""

FRAME_LENGTH = 400
"""Samples of a frame, 25 ms."""


def frames_of(samples: int) -> int:
    """Frames of so many samples: only those that lie inside (Kaldi's ``snip_edges``)."""
    return max(0, 1 + (samples - FRAME_LENGTH) // FRAME_SHIFT)


def log_mel(samples: np.ndarray, key: str, mel_bins: int = 80) -> Tensor:
    """Kaldi's log-mel filter banks without dither, each bin with mean 0 and deviation 1 over the utterance.

    Args:
        samples: (S,) float32 at 16 kHz, fractions of full scale.
        key: the utterance, for messages.
        mel_bins: F.

    Returns:
        (T, F) float32.

    Raises:
        MeritError: when the utterance is shorter than a frame.
    """
    if len(samples) < FRAME_LENGTH:
        raise MeritError(
            f"{key}: {len(samples)} samples at 16 kHz are shorter than one frame of {FRAME_LENGTH}; take the utterance "
            "out of the data directory"
        )
    waveform = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)).unsqueeze(0) * 32768
    frames = kaldi.fbank(waveform, num_mel_bins=mel_bins, sample_frequency=SAMPLE_RATE, dither=0.0)
    return normalised(frames)


def normalised(frames: Tensor) -> Tensor:
    """(T, F) with mean 0 and deviation 1 of every bin over time; a bin that never moves becomes 0."""
    centred = frames - frames.mean(dim=0)
    return centred / centred.square().mean(dim=0).sqrt().clamp_min(1e-5)


def spec_augmented(
    frames: Tensor, draw: random.Random, frequency_mask: int = 27, time_mask: int = 100, time_share: float = 1.0
) -> Tensor:
    """One band of bins and one stretch of frames set to 0, their mean: policy LB of SpecAugment (Park et al. 2019).

    Args:
        frames: (T, F).
        draw: of the widths and places, each even from 0 to its largest.
        frequency_mask: largest width of the band.
        time_mask: largest length of the stretch, in frames.
        time_share: which it also is at most of the utterance.
    """
    frames = frames.clone()
    width = draw.randint(0, min(frequency_mask, frames.shape[1]))
    first = draw.randint(0, frames.shape[1] - width)
    frames[:, first : first + width] = 0
    length = draw.randint(0, min(time_mask, int(time_share * len(frames))))
    first = draw.randint(0, len(frames) - length)
    frames[first : first + length] = 0
    return frames
