"""Short-time objective intelligibility (Taal et al., 2011), as implemented by the ``pystoi`` package."""

import warnings
from functools import lru_cache

import numpy as np
import pystoi
from pystoi.utils import resample_oct

from merit.metrics.undefined import UndefinedScore
from merit.time_grid import SAMPLE_RATE

STOI_RATE = 10000
"""STOI is defined at this rate, in Hz; pystoi resamples signals of other rates to it."""


def stoi(reference: np.ndarray, estimate: np.ndarray) -> float:
    """STOI of ``estimate`` against ``reference``, both (S,) at 16 kHz; about 0 to 1 (the same).

    The resampled reference is kept for its next estimates.

    Raises:
        UndefinedScore: digital silence (a correlation with a constant), or fewer than the 30 frames (0.4 s) of speech
            that one segment of STOI needs; pystoi returns 1e-5 there.
    """
    if not np.any(reference) or not np.any(estimate):
        raise UndefinedScore("STOI is a correlation, and one of the signals is digital silence")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            clean = _resampled(reference.tobytes(), reference.dtype.str)
            score = pystoi.stoi(clean, resample_oct(estimate, STOI_RATE, SAMPLE_RATE), STOI_RATE, extended=False)
        except (RuntimeWarning, ValueError, np.exceptions.AxisError) as problem:
            raise UndefinedScore("less than 0.4 s of speech remains after STOI removed silent frames") from problem
    if not np.isfinite(score):
        raise UndefinedScore("STOI found no number for this pair")
    return float(score)


@lru_cache(maxsize=4)
def _resampled(samples: bytes, dtype: str) -> np.ndarray:
    return resample_oct(np.frombuffer(samples, dtype), STOI_RATE, SAMPLE_RATE)
