"""Pieces of recordings of any length and rate.

A recording is read in blocks of a second, each of which is resampled by itself, with what the filter reaches to on
either side. So a piece has the same samples, bit by bit, whether it is cut out of a whole recording that is kept in
memory or read alone, of which no more is read than is needed. (Ogg and MP3 are always read alone.)
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import soundfile

from merit.data.audio import audio_duration, resample
from merit.data.noise.online.kept_audio import KEPT
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

LOSSLESS = ("WAV", "WAVEX", "FLAC")
"""libsndfile's names of formats of which any stretch is read alike wherever it begins."""
REACH = 100
"""Samples, at the lower of both rates, that a block is resampled with on either side; the filter reaches 68."""


class Size(NamedTuple):
    """Sample rate (Hz) of a file, its samples at this rate, and whether each of them is there by itself."""

    rate: int
    frames: int
    lossless: bool

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
        # What MP3 decodes to depends, in its last bits, on where the decoding began.
        return Size(sound.samplerate, sound.frames, sound.format in LOSSLESS)


def read_piece(file: str, place: float, length: int) -> tuple[np.ndarray, int]:
    """Read ``length`` samples at 16 kHz from a file, from where :func:`merit.data.noise.mixing.noise_piece` cuts them.

    A recording that is shorter than the piece is repeated.

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
    whole = None
    if size.lossless:
        whole = KEPT.recording(file, size.samples, lambda: _read(file, size, 0, size.samples))
    if size.samples < length:
        offset = int(place * size.samples)
        repeated = _read(file, size, 0, size.samples) if whole is None else whole
        return np.take(repeated, np.arange(offset, offset + length), mode="wrap"), offset
    offset = int(place * (size.samples - length + 1))
    return _read(file, size, offset, length) if whole is None else whole[offset : offset + length], offset


def _read(file: str, size: Size, offset: int, length: int) -> np.ndarray:
    """Samples ``offset`` to ``offset + length`` at 16 kHz."""
    try:
        with soundfile.SoundFile(file) as sound:
            if size.rate == SAMPLE_RATE:
                return _read_frames(sound, file, offset, length)
            first = offset // SAMPLE_RATE
            last = -(-(offset + length) // SAMPLE_RATE)
            samples = np.concatenate([_block(sound, file, size, number) for number in range(first, last)])
    except soundfile.LibsndfileError as error:
        raise MeritError(f"noise: {file}: damaged or truncated ({error.error_string}); restore or remove it") from error
    begin = offset - first * SAMPLE_RATE
    return samples[begin : begin + length]


def _block(sound: soundfile.SoundFile, file: str, size: Size, number: int) -> np.ndarray:
    """A second at 16 kHz, or what there is of it at the end."""
    # Both rates have a sample at every multiple of these.
    common = math.gcd(size.rate, SAMPLE_RATE)
    ours, theirs = SAMPLE_RATE // common, size.rate // common
    reach = -(-REACH // min(ours, theirs))
    first = max(0, number * common - reach)
    frames = min(size.frames, ((number + 1) * common + reach) * theirs) - first * theirs
    resampled = resample(_read_frames(sound, file, first * theirs, frames), size.rate)
    begin = (number * common - first) * ours
    return resampled[begin : begin + SAMPLE_RATE]


def _read_frames(sound: soundfile.SoundFile, file: str, start: int, frames: int) -> np.ndarray:
    sound.seek(start)
    samples = sound.read(frames, dtype="float32")
    if len(samples) < frames:
        raise MeritError(f"noise: {file}: truncated, {frames - len(samples)} samples are missing; restore or remove it")
    if not np.isfinite(samples).all():
        raise MeritError(f"noise: {file}: holds NaN or infinite samples; restore or remove it")
    return samples if samples.ndim == 1 else samples.mean(axis=1)
