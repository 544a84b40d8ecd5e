"""Weighted spectral slope distance (Klatt, ICASSP 1982) on 25 critical bands up to 4 kHz."""

from dataclasses import dataclass

import numpy as np

from merit.metrics.enhancement.frames import FFT, mean_of_lowest

NYQUIST = 8000.0  # Hz
# Centre frequencies and bandwidths in Hz, from Loizou's wss.m.
CENTRES = np.array(
    [50, 120, 190, 260, 330, 400, 470, 540, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30, 1288.72, 1442.54]
    + [1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63]
)
BANDWIDTHS = np.array(
    [70, 70, 70, 70, 70, 70, 70, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823, 168.154]
    + [183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136]
)
GLOBAL_PEAK, LOCAL_PEAK = 20.0, 1.0  # dB, Klatt's constants for the weights
FLOOR = 1e-10  # of a band's energy: -100 dB


def band_weights() -> np.ndarray:
    """Weights (513, 25) of a power spectrum that give the energy of every critical band.

    They are Gaussian filters of equal area, cut at -30 dB; the bin of the Nyquist frequency is in none.
    """
    bins = np.arange(FFT // 2 + 1)[:, None]
    centres = np.floor(CENTRES / NYQUIST * (FFT // 2))
    widths = BANDWIDTHS / NYQUIST * (FFT // 2)
    gains = np.exp(-11 * ((bins - centres) / widths) ** 2) * (BANDWIDTHS[0] / BANDWIDTHS)
    return np.where((gains > np.exp(-30 / (2 * 2.303))) & (bins < FFT // 2), gains, 0.0)


@dataclass(frozen=True)
class SpectralSlopes:
    """Slopes between neighbouring critical bands, in dB, and Klatt's weights of them, both (24, F)."""

    slopes: np.ndarray
    weights: np.ndarray


def spectral_slopes(bands: np.ndarray, divisor: float = 1.0) -> SpectralSlopes:
    """Slopes and weights of all frames from the energies (F, 25) of their bands, the signal divided first."""
    energy = bands.T / divisor**2
    energy = 10 * np.log10(np.maximum(energy, FLOOR))
    slopes = np.diff(energy, axis=0)
    below = energy[:-1]
    global_weight = GLOBAL_PEAK / (GLOBAL_PEAK + energy.max(axis=0) - below)
    local_weight = LOCAL_PEAK / (LOCAL_PEAK + _nearest_peaks(slopes, below) - below)
    return SpectralSlopes(slopes, global_weight * local_weight)


def _nearest_peaks(slopes: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Energy of the peak uphill of each band, (24, F) from slopes and energies (24, F).

    Uphill is to the right where the slope is positive, else to the left. To the right, the search of wss.m ends one
    band short of the peak; this is kept, since the published scores carry it.
    """
    rightward, leftward = energy.copy(), energy.copy()
    for band in range(len(slopes) - 2, -1, -1):
        rightward[band] = np.where(slopes[band + 1] > 0, rightward[band + 1], energy[band])
    for band in range(1, len(slopes)):
        leftward[band] = np.where(slopes[band - 1] <= 0, leftward[band - 1], energy[band])
    return np.where(slopes > 0, rightward, leftward)


def weighted_spectral_slope(reference: SpectralSlopes, estimate: SpectralSlopes) -> float:
    """Mean over the lowest 95 % of the frames of the weighted squared differences of the slopes."""
    weights = (reference.weights + estimate.weights) / 2
    squares = (reference.slopes - estimate.slopes) ** 2
    return mean_of_lowest(np.sum(weights * squares, axis=0) / np.sum(weights, axis=0))
