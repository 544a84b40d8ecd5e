"""Frames of 30 ms against the literal formulas, and the mean of the lowest of them."""

import literal_composite as literal
import numpy as np
import pytest

from merit.metrics.enhancement import frames as framing
from merit.metrics.enhancement.frames import FFT, frames, mean_of_lowest, weighted_power
from merit.metrics.undefined import UndefinedScore


@pytest.mark.parametrize("samples", [600, 719, 720, 9601])
def test_frames_are_those_of_the_matlab_files(samples):
    signal = np.random.default_rng(0).standard_normal(samples)
    found = frames(signal) * framing.WINDOW
    np.testing.assert_allclose(found, literal.windowed_frames(signal), atol=1e-12)


def test_less_than_a_frame_is_undefined():
    with pytest.raises(UndefinedScore, match="599 samples are too short for 30 ms frames; 600"):
        frames(np.ones(599))


def test_power_is_summed_with_weights_over_the_bins_of_each_frame():
    signal = np.random.default_rng(1).standard_normal(480 + 120 * 130)  # more frames than are transformed at once
    weights = np.random.default_rng(2).random((FFT // 2 + 1, 3))
    spectra = [np.fft.fft(frame, FFT)[: FFT // 2 + 1] for frame in literal.windowed_frames(signal)]
    np.testing.assert_allclose(weighted_power(signal, weights), np.abs(spectra) ** 2 @ weights, rtol=1e-9)


def test_digital_silence_has_a_little_power():
    assert (weighted_power(np.zeros(600), np.ones((FFT // 2 + 1, 1))) > 0).all()


@pytest.mark.parametrize("count, kept", [(1, 1), (10, 10), (20, 19), (30, 29), (70, 67), (100, 95)])
def test_ninety_five_percent_are_kept_and_halves_rounded_up(count, kept):
    values = np.random.default_rng(count).permutation(count).astype(float) ** 2
    assert mean_of_lowest(values) == pytest.approx(np.arange(kept, dtype=float).dot(np.arange(kept)) / kept)
