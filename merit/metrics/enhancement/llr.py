"""Log-likelihood ratio between the linear predictions of two signals (Quackenbush et al., 1988, Eq. 2.18)."""

import numpy as np

from merit.metrics.enhancement.frames import FFT, mean_of_lowest

ORDER = 16  # of the linear prediction, at 10 kHz and above
_LAGS = np.abs(np.arange(ORDER + 1)[:, None] - np.arange(ORDER + 1))


def lag_weights() -> np.ndarray:
    """Weights (513, 17) of a power spectrum that give lags 0 to 16 of the frame: its inverse FFT, those lags alone.

    The FFT is longer than a frame and 16 samples, so that the circular correlation is the linear one.
    """
    bins = np.arange(FFT // 2 + 1)[:, None]
    counted = np.where((bins == 0) | (bins == FFT // 2), 1, 2) / FFT  # the other bins stand for their mirror images too
    return counted * np.cos(2 * np.pi / FFT * bins * np.arange(ORDER + 1))


def linear_prediction(lags: np.ndarray) -> np.ndarray:
    """Prediction polynomials 1 + a_1 z^-1 + ... of all frames by Levinson's recursion: (F, 17) from lags (F, 17)."""
    polynomial = np.zeros_like(lags)
    polynomial[:, 0] = 1.0
    error = lags[:, 0].copy()
    for order in range(1, ORDER + 1):
        reflection = -np.sum(polynomial[:, :order] * lags[:, order:0:-1], axis=1) / error
        polynomial[:, 1 : order + 1] += reflection[:, None] * polynomial[:, order - 1 :: -1]
        error *= 1 - reflection**2
    return polynomial


def prediction_error(polynomial: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """a R a' of every frame, with the Toeplitz matrix R of ``lags`` (F, 17): (F,)."""
    filtered = np.matmul(lags[:, _LAGS], polynomial[:, :, None])[:, :, 0]
    return np.sum(filtered * polynomial, axis=1)


def log_likelihood_ratio(reference_lags: np.ndarray, reference: np.ndarray, estimate: np.ndarray) -> float:
    """Mean over the lowest 95 % of the frames of log(a_e R_r a_e' / a_r R_r a_r'), without a limit on a frame.

    ``reference_lags`` (F, 17) gives R_r; ``reference`` and ``estimate`` (F, 17) are prediction polynomials.
    """
    ratio = prediction_error(estimate, reference_lags) / prediction_error(reference, reference_lags)
    # The ratio is at least 1 but for rounding in frames of digital silence; 1000 is what pysepm puts there.
    ratio = np.where(ratio > 0, ratio, 1000.0)
    return mean_of_lowest(np.log(ratio))
