"""The six measures of one enhanced utterance in one pass: PESQ, CSIG, CBAK, COVL, SSNR, STOI."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from merit.errors import MeritError
from merit.metrics.enhancement.composite import CompositeVariant, SignalAnalysis, analyse, composite, distances
from merit.metrics.enhancement.pesq import wideband_pesq
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.metrics.enhancement.stoi import stoi
from merit.metrics.undefined import UndefinedScore

MEASURES = ("PESQ", "CSIG", "CBAK", "COVL", "SSNR", "STOI")
DIGITS = dict.fromkeys(MEASURES, 2) | {"STOI": 3}
"""Decimals of each in a table."""
LOWER_IS_BETTER: frozenset[str] = frozenset()
"""Those of which less is better."""
LENGTH_TOLERANCE = 0.01  # of the longer signal


@dataclass(frozen=True)
class EnhancementScores:
    """The value of every measure, NaN where it is undefined, and for those the reason."""

    values: dict[str, float]
    failures: dict[str, str]


def enhancement_scores(
    reference: np.ndarray, estimate: np.ndarray, variant: CompositeVariant = "matlab"
) -> EnhancementScores:
    """Score ``estimate`` against the clean ``reference``, both (S,) at 16 kHz with amplitudes within +-1.

    Signals whose lengths differ by up to 1 % are cut to the shorter one. A measure that is undefined for them (digital
    silence, too short, no speech found) is NaN with a reason. PESQ and segmental SNR are computed once and enter the
    composite measures; the analysis of a reference is kept for its next estimates.

    Raises:
        MeritError: when the lengths differ by more than 1 %.
    """
    length = min(len(reference), len(estimate))
    if max(len(reference), len(estimate)) - length > LENGTH_TOLERANCE * max(len(reference), len(estimate)):
        raise MeritError(
            f"the reference has {len(reference)} samples and the estimate {len(estimate)}, more than 1 % apart; "
            "the two are not the same utterance, or one of them is truncated"
        )
    reference, estimate = reference[:length], estimate[:length]
    if not (np.isfinite(reference).all() and np.isfinite(estimate).all()):
        return _undefined("reference or estimate holds NaN or infinite samples")
    if not reference.any():
        return _undefined("the reference is digital silence")

    values, failures = dict.fromkeys(MEASURES, np.nan), {}

    def measure(name: str, score: Callable[[np.ndarray, np.ndarray], float]) -> None:
        try:
            values[name] = score(reference, estimate)
        except UndefinedScore as reason:
            failures[name] = str(reason)

    measure("PESQ", wideband_pesq)
    measure("SSNR", segmental_snr)
    measure("STOI", stoi)
    if missing := [name for name in ("PESQ", "SSNR") if name in failures]:
        reason = f"needs {missing[0]}: {failures[missing[0]]}"
        return EnhancementScores(values, failures | dict.fromkeys(("CSIG", "CBAK", "COVL"), reason))
    clean = _analyse_reference(reference.tobytes(), reference.dtype.str, variant)
    llr, wss = distances(clean, analyse(estimate, variant))
    ratings = composite(values["PESQ"], llr, wss, values["SSNR"])
    values |= {"CSIG": ratings.csig, "CBAK": ratings.cbak, "COVL": ratings.covl}
    return EnhancementScores(values, failures)


@lru_cache(maxsize=4)
def _analyse_reference(samples: bytes, dtype: str, variant: CompositeVariant) -> SignalAnalysis:
    # By content and not by file: every SNR has its own copy of the clean file, equal unless the mixture was scaled.
    return analyse(np.frombuffer(samples, dtype), variant)


def _undefined(reason: str) -> EnhancementScores:
    return EnhancementScores(dict.fromkeys(MEASURES, np.nan), dict.fromkeys(MEASURES, reason))
