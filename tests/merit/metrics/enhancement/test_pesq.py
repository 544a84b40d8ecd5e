import math

import numpy as np
import pytest
from test_composite import noisy_pair

from merit.metrics.enhancement.pesq import wideband_pesq
from merit.metrics.undefined import UndefinedScore

RUMBLE = np.sin(2 * np.pi * 20 * np.arange(16000) / 16000)


def test_an_undistorted_signal_has_the_highest_score():
    # P.862.2: MOS-LQO = 0.999 + 4 / (1 + exp(-1.3669 x + 3.8224)), and x is 4.5 without distortion.
    clean, noisy = noisy_pair()
    best = 0.999 + 4 / (1 + math.exp(-1.3669 * 4.5 + 3.8224))
    assert wideband_pesq(clean, clean) == pytest.approx(best, abs=1e-4)
    assert 1 < wideband_pesq(clean, noisy) < best


@pytest.mark.parametrize(
    ("reference", "estimate", "reason"),
    [
        (np.zeros(16000), np.ones(16000), "digital silence"),
        (np.ones(16000), np.zeros(16000), "digital silence"),
        (np.ones(3000), np.ones(3000), "1/4 of a second"),
        (RUMBLE, RUMBLE, "No utterances"),
    ],
)
def test_undefined_cases_say_why(reference, estimate, reason):
    with pytest.raises(UndefinedScore, match=reason):
        wideband_pesq(reference, estimate)
