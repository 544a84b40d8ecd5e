"""Pieces of recordings of any length and rate, of which no more is read than is needed."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import soundfile

from merit.data.audio import audio_duration, resample
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

CONTEXT = 1
"""Seconds on either side that a piece is resampled with; the filter reaches 64 samples of the lower rate."""


class Size(NamedTuple):
    """Sample rate (Hz) of a file and its samples at this rate."""

    rate: int
    frames: int

    @property
    def samples(self) -> int:
        """Its samples at 16 kHz."""
        return -(-self.frames * SAMPLE_RATE // self.rate)


@lru_cache(maxsize=65536)
def size_of(file: str) -> Size:
    """Rate and length of an audio file, which is looked at once in a process.

    Raises:
        MeritError: when it is missing, empty, truncated or no audio.
    """
    audio_duration(file, "noise")
    with soundfile.SoundFile(file) as sound:
        if sound.frames == 0:
            raise MeritError(f"noise: {file}: holds no samples; remove it")
        return Size(sound.samplerate, sound.frames)


def read_piece(file: str, place: float, length: int) -> tuple[np.ndarray, int]:
    """Read ``length`` samples at 16 kHz from a file, as :func:`merit.data.noise.mixing.noise_piece` cuts them.

    Of a long recording only the piece is read, with a second to either side where it is resampled; one that is shorter
    than the piece is repeated.

    Args:
        file: any audio file that libsndfile reads; several channels are averaged.
        place: from 0 to 1, where in the recording.
        length: samples.

    Returns:
        float32 ``(length,)``, and their offset in the recording.

    Raises:
        MeritError: when the file cannot be read, or holds NaN or infinite samples.
    """
    size = size_of(file)
    if size.samples < length:
        offset = int(place * size.samples)
        whole = _read(file, size, 0, size.samples)
        return np.take(whole, np.arange(offset, offset + length), mode="wrap"), offset
    offset = int(place * (size.samples - length + 1))
    return _read(file, size, offset, length), offset


def _read(file: str, size: Size, offset: int, length: int) -> np.ndarray:
    """Samples ``offset`` to ``offset + length`` at 16 kHz."""
    if size.rate == SAMPLE_RATE:
        return _read_frames(file, offset, length)
    # From a whole second on, so that the samples at 16 kHz fall where they fall in the whole recording.
    first = max(0, offset // SAMPLE_RATE - CONTEXT)
    last = -(-(offset + length) // SAMPLE_RATE) + CONTEXT
    frames = _read_frames(file, first * size.rate, min(size.frames, last * size.rate) - first * size.rate)
    begin = offset - first * SAMPLE_RATE
    return resample(frames, size.rate)[begin : begin + length]


def _read_frames(file: str, start: int, frames: int) -> np.ndarray:
    try:
        with soundfile.SoundFile(file) as sound:
            sound.seek(start)
            samples = sound.read(frames, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise MeritError(f"noise: {file}: damaged or truncated ({error.error_string}); restore or remove it") from error
    if len(samples) < frames:
        raise MeritError(f"noise: {file}: truncated, {frames - len(samples)} samples are missing; restore or remove it")
    if not np.isfinite(samples).all():
        raise MeritError(f"noise: {file}: holds NaN or infinite samples; restore or remove it")
    return samples if samples.ndim == 1 else samples.mean(axis=1)
