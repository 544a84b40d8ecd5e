"""Signals in memory: any rate, shape and type that can be meant."""

import numpy as np
import pytest
import torch

from merit.data.waveform import check_length, mono_at_16_khz
from merit.errors import MeritError

TONE = (0.5 * np.sin(2 * np.pi * 200 * np.arange(4800) / 48000)).astype(np.float32)


@pytest.mark.parametrize(
    "waveform",
    [
        TONE,
        torch.tensor(TONE),
        np.stack([0.5 * TONE, 1.5 * TONE]),
        (TONE * 32768).round().astype(np.int16),
        torch.tensor((TONE.astype(np.float64) * 2**31).round()).to(torch.int32),
    ],
)
def test_all_kinds_are_the_same_signal(waveform):
    found = mono_at_16_khz(waveform, 48000)
    assert found.dtype == np.float32 and found.shape == (1600,)
    expected = 0.5 * np.sin(2 * np.pi * 200 * np.arange(1600) / 16000)
    np.testing.assert_allclose(found[100:-100], expected[100:-100], atol=1e-3)


@pytest.mark.parametrize(
    "waveform, rate, message",
    [
        (np.zeros((2, 2, 2)), 16000, "the shape is"),
        (np.zeros((300, 2)), 16000, r"expected \(samples,\) or \(channels, samples\)"),
        (np.zeros(3), 0, "the sample rate is 0"),
        (np.zeros(3), 16000.5, "expected a whole number of Hz"),
        (np.zeros(3, dtype=np.uint8), 16000, "the type is uint8"),
        (np.zeros(0), 16000, "holds no samples"),
        (np.array([0.0, np.nan]), 16000, "NaN or infinite"),
    ],
)
def test_what_cannot_be_meant_is_named(waveform, rate, message):
    with pytest.raises(MeritError, match=message):
        mono_at_16_khz(waveform, rate)


def test_less_than_a_frame_is_refused():
    check_length(400, "a.wav")
    with pytest.raises(MeritError, match="a.wav: 399 samples at 16 kHz are too short; expected at least 400"):
        check_length(399, "a.wav")
