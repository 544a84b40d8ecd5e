"""Features: Kaldi's frames, their normalisation, and what is masked."""

import random

import numpy as np
import pytest
import torch

from merit.errors import MeritError
from merit.systems.smoe.log_mel_features import frames_of, log_mel, normalised, spec_augmented


@pytest.mark.parametrize("samples", [400, 559, 560, 16000])
def test_frames_are_those_that_lie_inside(samples):
    features = log_mel(np.random.default_rng(0).standard_normal(samples).astype(np.float32), "u")
    assert features.shape == (frames_of(samples), 80) == (1 + (samples - 400) // 160, 80)


def kaldi_log_mel(samples):
    """Kaldi's ``compute-fbank-feats`` without dither, in float64, from its documentation."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    edges = np.linspace(*(1127 * np.log(1 + np.array([20.0, 8000.0]) / 700)), 82)
    bins = 1127 * np.log(1 + np.arange(256) * 16000 / 512 / 700)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rise, fall))
    frames = []
    for first in range(0, len(samples) - 399, 160):
        frame = samples[first : first + 400] * 32768.0
        frame = frame - frame.mean()
        frame = frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        frames.append(np.log(np.maximum(triangles @ power[:256], 1.2e-7)))
    return np.array(frames)


def test_they_are_kaldis_normalised_by_bin():
    samples = (np.random.default_rng(0).standard_normal(4000) * np.linspace(0.01, 0.2, 4000)).astype(np.float32)
    expected = kaldi_log_mel(samples.astype(np.float64))
    expected = (expected - expected.mean(axis=0)) / expected.std(axis=0)
    np.testing.assert_allclose(log_mel(samples, "u").numpy(), expected, atol=2e-3)


def test_each_bin_has_mean_0_and_deviation_1():
    frames = torch.randn(50, 4) * torch.tensor([1.0, 3.0, 0.1, 0.0]) + 5
    found = normalised(frames)
    torch.testing.assert_close(found.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[:, :3].square().mean(0), torch.ones(3), atol=1e-4, rtol=0)
    assert found[:, 3].eq(0).all()


def test_what_is_shorter_than_a_frame_is_refused():
    with pytest.raises(MeritError, match="u: 399 samples .* take the utterance out"):
        log_mel(np.zeros(399, np.float32), "u")


def test_one_band_and_one_stretch_are_masked():
    frames = torch.ones(300, 80)
    for seed in range(20):
        masked = spec_augmented(frames, random.Random(seed))
        bins, times = masked.eq(0).all(dim=0), masked.eq(0).all(dim=1)
        assert bins.sum() <= 27 and times.sum() <= 100
        assert masked.eq(0).sum() == 300 * bins.sum() + (80 - bins.sum()) * times.sum()
        for line in (bins, times):  # in one piece
            assert line.int().diff().abs().sum() <= 2
    assert frames.eq(1).all()
    assert len(spec_augmented(torch.ones(3, 80), random.Random(0))) == 3  # shorter than the longest mask
