"""PESQ, wide band: ITU-T P.862 with the mapping of P.862.2, from the ``pesq`` package (the C code of the ITU)."""

import numpy as np
from pesq import PesqError, pesq

from merit.metrics.undefined import UndefinedScore
from merit.time_grid import SAMPLE_RATE


def wideband_pesq(reference: np.ndarray, estimate: np.ndarray) -> float:
    """MOS-LQO of ``estimate`` against ``reference``, both (S,) at 16 kHz; about 1.02 (bad) to 4.64 (the same).

    Raises:
        UndefinedScore: shorter than a quarter of a second, or no speech found in one of the signals.
    """
    if not np.any(reference) or not np.any(estimate):
        raise UndefinedScore("PESQ needs a signal on both sides, and one of them is digital silence")
    try:
        score = pesq(SAMPLE_RATE, reference, estimate, "wb")
    except PesqError as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise UndefinedScore(reason.decode() if isinstance(reason, bytes) else str(reason)) from error
    if not np.isfinite(score):
        raise UndefinedScore("PESQ found no number for this pair")
    return float(score)
