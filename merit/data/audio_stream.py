"""Audio files of any length, read and written in pieces, so that one longer than the memory passes through."""

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from merit.data.audio import audio_duration, entry_file, resample, to_16_bits
from merit.errors import MeritError
from merit.files import atomic_path
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

BLOCK_SECONDS = 10
"""Audio read at a time."""
RESAMPLING_CONTEXT = 1
"""Seconds on either side that a piece is resampled with; the filter reaches 64 samples of the lower rate."""


def overlapping_pieces(
    blocks: Iterable[np.ndarray], size: int, overlap: int
) -> Iterator[tuple[np.ndarray, bool, bool]]:
    """Cut a signal that comes in blocks of any length into pieces of ``size`` samples.

    Every piece begins with the last ``overlap`` samples of the one before. The last piece may be shorter, but goes
    at least one sample beyond its overlap. A signal without samples has no pieces.

    Yields:
        samples ``(S,)``, whether they are the first piece, and whether they are the last.
    """
    held = np.empty(0, dtype=np.float32)
    first = True
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > size:
            yield held[:size], first, False
            held = held[size - overlap :]
            first = False
    if len(held):
        yield held, first, True


def file_duration(path: Path) -> float:
    """Return the duration of an audio file in seconds.

    Raises:
        MeritError: when the file is missing, empty, truncated or of no known kind, as far as its header tells.
    """
    if not path.is_file():
        raise MeritError(f"{path}: there is no such file")
    if entry_file(str(path)) != path:
        raise MeritError(f"{path}: a name that wav.scp would read as a command; rename the file")
    return audio_duration(str(path), path.name)


def stream_audio(path: Path | str) -> Iterator[np.ndarray]:
    """Yield an audio file as consecutive blocks at 16 kHz, mono, float32 ``(S,)``.

    Together they are what :func:`merit.data.audio.read_audio` gives, of which some seconds are in memory at a time.

    Raises:
        MeritError: when the file is missing, empty, truncated or undecodable, or holds NaN or infinite samples.
    """
    path = Path(path)
    file_duration(path)  # refuses what cannot be opened and says why
    with soundfile.SoundFile(path) as sound:
        rate = sound.samplerate
        pieces = overlapping_pieces(
            _mono_blocks(sound, path), (BLOCK_SECONDS + 2 * RESAMPLING_CONTEXT) * rate, 2 * RESAMPLING_CONTEXT * rate
        )
        # Pieces begin at whole seconds, so the samples at 16 kHz fall where they fall in the whole signal.
        context = RESAMPLING_CONTEXT * SAMPLE_RATE
        for piece, first, last in pieces:
            yield resample(piece, rate)[0 if first else context : None if last else -context]


def _mono_blocks(sound: soundfile.SoundFile, path: Path) -> Iterator[np.ndarray]:
    count = 0
    try:
        # Not sound.blocks(), which repeats old samples where a file breaks off.
        while len(block := sound.read(BLOCK_SECONDS * sound.samplerate, dtype="float32", always_2d=True)):
            if not np.isfinite(block).all():
                raise MeritError(f"{path}: holds NaN or infinite samples")
            count += len(block)
            yield block.mean(axis=1)
    except soundfile.LibsndfileError as error:
        raise MeritError(f"{path}: damaged or truncated ({error.error_string})") from error
    if count == 0:
        raise MeritError(f"{path}: holds no samples")
    if count < sound.frames:
        raise MeritError(f"{path}: truncated, {sound.frames - count} of {sound.frames} samples are missing")


class _ErrorKeepingFile(io.FileIO):
    """A file that keeps its write error; libsndfile answers a full disk with a bare assertion or not at all."""

    error: OSError | None = None

    def write(self, data: bytes) -> int:
        written = 0
        try:
            while written < len(data):  # the last bytes that fit go first, the error comes with the rest
                written += super().write(data[written:])
        except OSError as error:
            self.error = error
        return written


@contextmanager
def audio_writer(path: Path | str) -> Iterator[Callable[[np.ndarray], None]]:
    """Write a 16 kHz mono file of 16 bits in pieces, FLAC or WAV by the suffix of ``path``; it appears at the end.

    Yields a function that appends samples ``(S,)``. Samples beyond +-1 are clipped, with one warning.

    Raises:
        MeritError: when a sample is NaN or infinite, or the disk is full.
    """
    clipped = count = 0

    def write(samples: np.ndarray) -> None:
        nonlocal clipped, count
        if not np.isfinite(samples).all():
            raise MeritError(f"{path}: not written, since the samples hold NaN or infinity")
        clipped += int(np.count_nonzero(np.abs(samples) > 1))
        count += len(samples)
        sound.write(to_16_bits(samples))

    with atomic_path(path) as temporary, _ErrorKeepingFile(temporary, "w+") as file:
        try:
            kind = Path(path).suffix[1:].upper()
            with soundfile.SoundFile(file, "w", SAMPLE_RATE, channels=1, subtype="PCM_16", format=kind) as sound:
                yield write
        finally:
            if file.error is not None:
                raise file.error
    if clipped:
        logger.warning("%s: %d of %d samples are beyond full scale and were clipped", path, clipped, count)
