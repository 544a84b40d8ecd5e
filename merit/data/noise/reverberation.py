"""Speech in rooms: convolution with measured or simulated impulse responses.

A response is shifted and scaled so that its direct path arrives at once and with the power of the dry speech. The dry
speech is then what reaches the microphone without the room, aligned with the reverberant speech: a reference for
enhancement that removes reverberation too.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from scipy import fft

from merit.data.audio import audio_duration, resample
from merit.data.noise.recordings import NoiseFile, find_audio, noise_files
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

DIRECT = round(0.0025 * SAMPLE_RATE)
"""Samples around the largest one that belong to the direct path: 2.5 ms, as in Zahorik (2002)."""
FRACTIONS = (0.8, 0.1, 0.1)


def response_files(folder: Path, manifest: Path, part: str, seed: int = 0) -> list[NoiseFile]:
    """Return the impulse responses of one part of a folder, which is split and checked as a noise corpus is.

    The folder is part of the files' names.

    Raises:
        MeritError: when there are none, or as ``merit.data.noise.recordings.noise_files``.
    """
    if not find_audio(folder):
        raise MeritError(f"--rir {folder}: no audio files; give a folder of impulse responses (WAV, FLAC)")
    files = noise_files(folder, manifest, part, FRACTIONS, seed)
    return [replace(file, file=str(folder / file.file)) for file in files]


def draw_response(utterance: str, files: Sequence[NoiseFile], seed: int) -> str:
    """Draw the impulse response of an utterance, the same in every noise and at every SNR."""
    return files[int(random.Random(f"{seed}/rir/{utterance}").random() * len(files))].file


def reverberate(speech: np.ndarray, file: str, stamp: str, dtype: type[np.floating] = np.float64) -> np.ndarray:
    """Convolve speech ``(S,)`` with the impulse response in a file, aligned by its direct path; ``(S,)``.

    Args:
        speech: at 16 kHz.
        file: the impulse response; of several channels the first one.
        stamp: of the file (``merit.data.audio.entry_stamp``); a response is kept as long as it stays the same.
        dtype: that is computed in and returned.

    Raises:
        MeritError: when the file is unreadable or silent, or no impulse response.
    """
    spectrum, length, delay = _read_spectrum(file, stamp, dtype)
    size = _block(length)
    step = size - length + 1  # of the speech; what it becomes reaches into the next block
    count = -(-len(speech) // step)
    blocks = np.zeros((count, step), dtype)
    blocks.reshape(-1)[: len(speech)] = speech
    spectra = fft.rfft(blocks, size)
    spectra *= spectrum
    heard = np.zeros(count * step + length - 1, dtype)
    for place, block in enumerate(fft.irfft(spectra, size, overwrite_x=True)):
        heard[place * step : place * step + size] += block
    return heard[delay : delay + len(speech)]


def normalise(response: np.ndarray) -> tuple[np.ndarray, int]:
    """Scale an impulse response ``(R,)`` to a direct path of energy 1 and a positive peak; returns its delay too.

    The direct path is the largest sample and ``DIRECT`` samples to either side. Its energy, unlike the largest sample,
    does not depend on where between two samples it arrives. The delay is that of the largest sample.

    Raises:
        MeritError: when the response is silent, or has more than half of its energy before the direct path.
    """
    delay = int(np.abs(response).argmax())
    begin = max(0, delay - DIRECT)
    energy = float(np.sum(response[begin : delay + DIRECT + 1] ** 2))
    if energy == 0:
        raise MeritError("silent")
    if np.sum(response[:begin] ** 2) > np.sum(response[begin:] ** 2):
        raise MeritError("no impulse response, since most of its energy comes before its peak")
    return response * (np.sign(response[delay]) / np.sqrt(energy)), delay


def _block(length: int) -> int:
    """Samples of a Fourier transform for a response of so many: short ones stay in the processor's cache."""
    return 1 << (2 * length - 1).bit_length()


@lru_cache(maxsize=64)
def _read_spectrum(file: str, stamp: str, dtype: type[np.floating]) -> tuple[np.ndarray, int, int]:
    """Spectrum, length and delay of the response in a file; kept, since it does not depend on the speech."""
    response, delay = _read_response(file)
    return fft.rfft(response.astype(dtype), _block(len(response))), len(response), delay


def _read_response(file: str) -> tuple[np.ndarray, int]:
    audio_duration(file, "impulse response")  # refuses what is missing, truncated or no audio
    # The first microphone: an average over several would be a comb filter.
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        if len(samples) == 0 or not np.isfinite(samples).all():
            raise MeritError("empty, or holds NaN or infinite samples")
        return normalise(resample(np.ascontiguousarray(samples[:, 0]), rate).astype(np.float64))
    except (MeritError, soundfile.LibsndfileError) as error:
        raise MeritError(f"impulse response: {file}: {error}; restore or remove it") from error
