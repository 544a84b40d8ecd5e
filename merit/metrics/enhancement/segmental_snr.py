"""Segmental signal-to-noise ratio (Hansen and Pellom, 1998; Loizou, 2007)."""

import numpy as np

from merit.metrics.enhancement.frames import WINDOW, frames

LOWEST, HIGHEST = -10.0, 35.0  # dB


def segmental_snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean over 30 ms frames of 10 log10(sum (w s)^2 / sum (w (s - e))^2), each frame held within [-10, 35], in dB.

    Signals are (S,) at 16 kHz with amplitudes within +-1. No frame is left out, silent ones count as -10 dB.

    Raises:
        UndefinedScore: shorter than one frame.
    """
    reference = reference.astype(np.float64)
    eps = np.finfo(np.float64).eps
    weights = WINDOW**2
    speech = frames(reference**2) @ weights
    noise = frames((reference - estimate) ** 2) @ weights
    ratios = 10 * np.log10(speech / (noise + eps) + eps)
    return float(np.mean(np.clip(ratios, LOWEST, HIGHEST)))
