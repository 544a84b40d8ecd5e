"""Signals that people hand over in memory."""

import numpy as np
from torch import Tensor

from merit.data.audio import MIN_SAMPLES, resample
from merit.errors import MeritError


def check_length(samples: int, name: str) -> None:
    """Refuse a signal of less than one encoder frame.

    Raises:
        MeritError: when there are too few samples at 16 kHz.
    """
    if samples < MIN_SAMPLES:
        raise MeritError(
            f"{name}: {samples} samples at 16 kHz are too short; expected at least {MIN_SAMPLES}, one encoder frame"
        )


def mono_at_16_khz(waveform: np.ndarray | Tensor, sample_rate: int) -> np.ndarray:
    """Bring a signal that somebody gives to the form that models take: float32 (S,) at 16 kHz.

    Args:
        waveform: ``(S,)`` or ``(channels, S)``, whose channels are averaged; floating point with full scale 1, or 16 or
            32-bit integers.
        sample_rate: Hz.

    Raises:
        MeritError: when the signal is empty, not finite, or of another shape or type.
    """
    samples = waveform.detach().cpu().numpy() if isinstance(waveform, Tensor) else np.asarray(waveform)
    if samples.ndim not in (1, 2) or samples.ndim == 2 and samples.shape[0] > samples.shape[1] > 0:
        raise MeritError(f"waveform: the shape is {samples.shape}; expected (samples,) or (channels, samples)")
    if sample_rate != int(sample_rate) or sample_rate <= 0:
        raise MeritError(f"waveform: the sample rate is {sample_rate}; expected a whole number of Hz")
    if samples.dtype in (np.int16, np.int32):
        samples = samples / -float(np.iinfo(samples.dtype).min)
    elif not np.issubdtype(samples.dtype, np.floating):
        raise MeritError(f"waveform: the type is {samples.dtype}; expected floating point, int16 or int32")
    if samples.size == 0:
        raise MeritError("waveform: holds no samples")
    if not np.isfinite(samples).all():
        raise MeritError("waveform: holds NaN or infinite samples")
    if samples.ndim == 2:
        samples = samples.mean(axis=0)
    return resample(np.ascontiguousarray(samples, dtype=np.float32), int(sample_rate))
