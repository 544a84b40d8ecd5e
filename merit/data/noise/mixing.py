"""Mixing one utterance with noise at given signal-to-noise ratios.

The SNR is the ratio of the powers over the whole utterance, without voice activity detection. The noise file and the
offset in it follow from the names of utterance and noise and the seed alone, so they are the same at every SNR, in
every run and with any number of processes. What would clip is scaled: noisy, clean and noise by one gain.

In a room (an impulse response) the noise is added to the reverberant speech, the SNR is that of reverberant speech and
noise, and ``clean`` is the dry speech, aligned with it (``merit.data.noise.reverberation``).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from merit.data.audio import MIN_SAMPLES, entry_stamp, read_audio, write_audio
from merit.data.noise.reverberation import reverberate
from merit.errors import MeritError

SILENCE = 1e-10
"""Power (full scale is 1) under which a signal is silent: the rounding noise of 16 bits alone has 0.8e-10."""
FULL_SCALE = 32767 / 32768
"""Largest 16-bit sample."""
DRAWS = 10
"""Noise pieces that are tried for an utterance until one is not silent."""
SIGNALS = ("noisy", "clean", "noise")


@dataclass(frozen=True)
class Mixture:
    """Noisy speech and what it is made of, ``(S,)``, all scaled by ``gain``.

    ``noisy = clean + noise`` or, in a room, ``noisy = reverberant clean + noise``.
    """

    noisy: np.ndarray
    clean: np.ndarray
    noise: np.ndarray
    gain: float
    in_room: bool = False


@dataclass(frozen=True)
class Job:
    """An utterance, noise pieces to try in turn (file, place in it from 0 to 1), the folder for each SNR (dB), a room.

    The room is the file of an impulse response; None for none.
    """

    utterance: str
    entry: str
    draws: list[tuple[str, float]]
    folders: dict[float, Path]
    room: str | None = None


@dataclass(frozen=True)
class Sources:
    """What to mix: samples ``(S,)`` of both, the noise's file and offset (samples), silent pieces skipped before it.

    In a room, ``reverberant`` is what is heard of the speech there.
    """

    speech: np.ndarray
    noise: np.ndarray
    file: str
    offset: int
    skipped: int
    reverberant: np.ndarray | None = None


def power(signal: np.ndarray) -> float:
    """Mean square of a signal."""
    return float(np.mean(np.square(signal, dtype=np.float64)))


def too_short(utterance: str, entry: str, samples: int) -> str:
    """Say that an utterance has too few samples."""
    return f"{utterance}: {entry}: {samples} samples at 16 kHz, and one encoder frame needs {MIN_SAMPLES}"


def mix(
    speech: np.ndarray,
    noise: np.ndarray,
    snr: float,
    reverberant: np.ndarray | None = None,
    dtype: type[np.floating] = np.float64,
) -> Mixture:
    """Mix speech ``(S,)`` and noise ``(S,)``, neither silent, at a power ratio of ``snr`` dB.

    With ``reverberant`` speech ``(S,)``, it is this that the noise is added to, and that the ratio is of. Computed in,
    and returned as, ``dtype``; neither input is changed.
    """
    speech, noise = speech.astype(dtype, copy=False), noise.astype(dtype, copy=False)
    heard = speech if reverberant is None else reverberant.astype(dtype, copy=False)
    noise = noise * dtype(np.sqrt(power(heard) / (power(noise) * 10 ** (snr / 10))))
    noisy = heard + noise
    peak = max(float(np.abs(signal).max()) for signal in (noisy, speech, noise))
    if peak <= 1:
        return Mixture(noisy, speech, noise, 1.0, reverberant is not None)
    gain = FULL_SCALE / peak
    return Mixture(noisy * dtype(gain), speech * dtype(gain), noise * dtype(gain), gain, reverberant is not None)


def draw_noise(
    utterance: str, noise: str, files: Sequence[str], seed: int, forbidden: Sequence[str] = ()
) -> list[tuple[str, float]]:
    """Draw noise pieces for an utterance as (file, place from 0 to 1); the later ones replace silent ones.

    Pieces of ``forbidden`` files are left out, and the others are those that would be drawn without any such. Where
    these are all, the allowed files are drawn from; without any allowed file there are no pieces.
    """
    # Of Python's generators, random() alone promises the same numbers in every version.
    generator = random.Random(f"{seed}/{noise}/{utterance}")
    drawn = [(files[int(generator.random() * len(files))], generator.random()) for _ in range(DRAWS)]
    if pieces := [(file, place) for file, place in drawn if file not in forbidden]:
        return pieces
    allowed = [file for file in files if file not in forbidden]
    return draw_noise(utterance, noise, allowed, seed) if allowed else []


def noise_piece(noise: np.ndarray, place: float, length: int) -> tuple[np.ndarray, int]:
    """Cut ``length`` samples out of a noise recording, and return them with their offset.

    ``place`` from 0 to 1 is where in the recording: among the offsets at which the piece fits in or, when the recording
    is shorter than the piece, among all, and then the recording is repeated.
    """
    offset = int(place * (len(noise) - length + 1 if len(noise) >= length else len(noise)))
    return np.take(noise, np.arange(offset, offset + length), mode="wrap"), offset


def read_sources(job: Job) -> Sources:
    """Read the utterance of a job and the first of its noise pieces that is not silent.

    Raises:
        MeritError: when speech, noise or impulse response cannot be read, the utterance is too short or silent, or
            every noise piece is.
    """
    speech = read_audio(job.entry, job.utterance)
    if len(speech) < MIN_SAMPLES:
        raise MeritError(too_short(job.utterance, job.entry, len(speech)))
    if power(speech) < SILENCE:
        raise MeritError(f"{job.utterance}: {job.entry}: silent, so that its SNR is undefined")
    reverberant = None if job.room is None else reverberate(speech, job.room, entry_stamp(job.room))
    for skipped, (file, place) in enumerate(job.draws):
        noise, offset = noise_piece(_read_noise(file, entry_stamp(file)), place, len(speech))
        if power(noise) >= SILENCE:
            return Sources(speech, noise, file, offset, skipped, reverberant)
    raise MeritError(
        f"{job.utterance}: {len(job.draws)} pieces of noise were silent, the last one of {file}; remove silent noise"
    )


def write_mixture(mixture: Mixture, folder: Path, utterance: str) -> float:
    """Write ``{noisy,clean,noise}/<utterance>.flac`` and return the SNR (dB) of the written 16-bit files.

    It is measured from ``clean`` and ``noisy - clean``, so that clipping and rounding count as noise; in a room from
    ``noisy - noise``, the reverberant speech, and ``noise``.
    """
    paths = {signal: folder / signal / f"{utterance}.flac" for signal in SIGNALS}
    for signal, path in paths.items():
        write_audio(path, getattr(mixture, signal))
    noisy, clean, noise = (read_audio(str(path), utterance).astype(np.float64) for path in paths.values())
    heard, added = (noisy - noise, noise) if mixture.in_room else (clean, noisy - clean)
    return float(10 * np.log10(power(heard) / max(power(added), np.finfo(np.float64).tiny)))


@lru_cache(maxsize=2)
def _read_noise(file: str, stamp: str) -> np.ndarray:
    """Keep what was read last, as long as the file's ``stamp`` is the same."""
    return read_audio(file, "noise")
