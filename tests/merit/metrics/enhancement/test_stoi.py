import numpy as np
import pytest
from test_composite import noisy_pair

from merit.metrics.enhancement.stoi import stoi
from merit.metrics.undefined import UndefinedScore


def test_falls_with_noise():
    clean, noisy = noisy_pair(snr=0.0)
    assert stoi(clean, clean) == pytest.approx(1)
    assert 0 < stoi(clean, noisy) < stoi(clean, (clean + noisy) / 2) < 1


@pytest.mark.parametrize("samples", [100, 3000])
def test_too_little_speech_is_undefined(samples):
    clean, noisy = (signal[:samples] for signal in noisy_pair())
    with pytest.raises(UndefinedScore, match="0.4 s"):
        stoi(clean, noisy)


def test_digital_silence_is_undefined():
    clean, _ = noisy_pair()
    with pytest.raises(UndefinedScore, match="digital silence"):
        stoi(clean, np.zeros_like(clean))
