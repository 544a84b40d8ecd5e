"""CSIG, CBAK and COVL: predicted ratings of speech, background and overall quality (Hu and Loizou, 2008).

Regressions over PESQ, LLR, WSS and segmental SNR with the coefficients of composite.m; PESQ is the wide-band one at
16 kHz, as everybody reports it. Two variants differ in the WSS:

- ``matlab``: signals within +-1, equal to the authors' MATLAB files.
- ``cmgan``: signals divided by 32768 once more, as in the Python port of CMGAN. Most band energies then fall below the
  floor of -100 dB, and the WSS comes out too low and depends on the level. The MERIT paper was scored with that port:
  use it to compare with the paper's Table II.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from merit.metrics.enhancement.frames import weighted_power
from merit.metrics.enhancement.llr import ORDER, lag_weights, linear_prediction, log_likelihood_ratio
from merit.metrics.enhancement.wss import SpectralSlopes, band_weights, spectral_slopes, weighted_spectral_slope

CompositeVariant = Literal["matlab", "cmgan"]
_WSS_DIVISOR: dict[str, float] = {"matlab": 1.0, "cmgan": 32768.0}
# Of a power spectrum, side by side, so that both come from one product.
_LAGS_AND_BANDS = np.hstack([lag_weights(), band_weights()])


@dataclass(frozen=True)
class SignalAnalysis:
    """What the composite measures need of one signal: autocorrelation lags, prediction polynomials, band slopes."""

    lags: np.ndarray
    prediction: np.ndarray
    slopes: SpectralSlopes


@dataclass(frozen=True)
class CompositeScores:
    """Predicted ratings within [1, 5]."""

    csig: float
    cbak: float
    covl: float


def analyse(signal: np.ndarray, variant: CompositeVariant = "matlab") -> SignalAnalysis:
    """Analyse ``signal`` (S,), 16 kHz, amplitudes within +-1; one FFT a frame serves both distances.

    Raises:
        UndefinedScore: shorter than one frame.
    """
    lags, bands = np.split(weighted_power(signal, _LAGS_AND_BANDS), [ORDER + 1], axis=1)
    return SignalAnalysis(lags, linear_prediction(lags), spectral_slopes(bands, _WSS_DIVISOR[variant]))


def distances(reference: SignalAnalysis, estimate: SignalAnalysis) -> tuple[float, float]:
    """LLR and WSS of two signals of the same length, analysed with the same variant."""
    llr = log_likelihood_ratio(reference.lags, reference.prediction, estimate.prediction)
    return llr, weighted_spectral_slope(reference.slopes, estimate.slopes)


def composite(pesq: float, llr: float, wss: float, segmental_snr: float) -> CompositeScores:
    """The three ratings from wide-band PESQ, LLR, WSS and segmental SNR in dB."""
    csig = 3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss
    cbak = 1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * segmental_snr
    covl = 1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss
    return CompositeScores(*(float(np.clip(rating, 1, 5)) for rating in (csig, cbak, covl)))
