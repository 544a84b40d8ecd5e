import literal_composite as literal
import numpy as np
import pytest

from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.metrics.undefined import UndefinedScore


def test_equals_the_published_formula():
    rng = np.random.default_rng(0)
    clean = (rng.standard_normal(16000) * np.linspace(0, 0.2, 16000)).astype(np.float32)
    noisy = clean + 0.05 * rng.standard_normal(16000).astype(np.float32)
    assert segmental_snr(clean, noisy) == pytest.approx(literal.segmental_snr(clean, noisy), abs=1e-9)


def test_frames_are_limited():
    signal = np.sin(np.arange(4800) / 5).astype(np.float32)
    assert segmental_snr(signal, signal) == 35
    assert segmental_snr(signal, 100 * signal) == -10
    assert segmental_snr(signal, 0 * signal) == pytest.approx(0, abs=1e-9)


def test_error_of_a_tenth_is_twenty_db():
    signal = np.random.default_rng(0).standard_normal(4800)
    assert segmental_snr(signal, 1.1 * signal) == pytest.approx(20)


def test_less_than_a_frame_is_undefined():
    with pytest.raises(UndefinedScore):
        segmental_snr(np.ones(500), np.ones(500))
