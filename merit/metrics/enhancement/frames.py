"""The 30 ms frames that segmental SNR, LLR and WSS share (Loizou, "Speech Enhancement", 2007, and its MATLAB files)."""

import numpy as np

from merit.metrics.undefined import UndefinedScore

FRAME = 480  # samples, 30 ms at 16 kHz
HOP = 120  # samples, a quarter of a frame
FFT = 1024  # the power of two at or above two frames
BLOCK = 64  # frames transformed at once: what is made of them stays in the processor's cache
# MATLAB's hanning(480): the zeros at both ends are left out.
WINDOW = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, FRAME + 1) / (FRAME + 1)))


def frames(signal: np.ndarray) -> np.ndarray:
    """Overlapping frames of ``signal`` (S,), without window, as a read-only view (F, 480).

    F is S // 120 - 4: one frame fewer than would fit, as in the MATLAB files.

    Raises:
        UndefinedScore: when there is no frame (shorter than 600 samples, 37.5 ms).
    """
    count = len(signal) // HOP - FRAME // HOP
    if count < 1:
        raise UndefinedScore(f"{len(signal)} samples are too short for 30 ms frames; 600 (37.5 ms) are needed")
    return np.lib.stride_tricks.sliding_window_view(signal, FRAME)[::HOP][:count]


def weighted_power(signal: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over the power spectrum of every windowed frame of ``signal`` (S,): (F, K), float64.

    Args:
        signal: 16 kHz, amplitudes within +-1.
        weights: (513, K) weights of the FFT bins.

    Raises:
        UndefinedScore: shorter than one frame.
    """
    found = frames(signal)
    sums = np.empty((len(found), weights.shape[1]))
    for start in range(0, len(found), BLOCK):
        # composite.m adds eps to every sample, which keeps the frames of digital silence defined.
        windowed = (found[start : start + BLOCK] + np.finfo(np.float64).eps) * WINDOW
        spectra = np.fft.rfft(windowed, FFT)
        sums[start : start + BLOCK] = (spectra.real**2 + spectra.imag**2) @ weights
    return sums


def mean_of_lowest(distances: np.ndarray, fraction: float = 0.95) -> float:
    """Mean of the lowest 95 % of the frames' ``distances`` (F,); the count is rounded half up, as MATLAB rounds."""
    count = int(np.floor(fraction * len(distances) + 0.5))
    return float(np.mean(np.partition(distances, count - 1)[:count]))
