"""The log-mel spectrum against transformers' feature extractor."""

import numpy as np
import pytest
import torch

from merit.nets.ssl.log_mel import NOMINAL_LEVEL, log_mel, mel_filters

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def extracted_log_mel(samples: np.ndarray, num_bins: int) -> torch.Tensor:
    """(1, M, 3000) by transformers, of 30 s with silence appended."""
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=num_bins)
    return extractor(samples, sampling_rate=16000, return_tensors="pt").input_features


@pytest.mark.parametrize("num_bins", [80, 128])
def test_log_mel_equals_transformers_feature_extractor(num_bins):
    generator = np.random.default_rng(0)
    lengths = [16000, 12345, 480, 170]
    waveform = torch.zeros(4, 16000)
    for row, length in enumerate(lengths):
        # Loud and quiet halves, so that the floor 8 below the maximum matters.
        signal = generator.standard_normal(length) * np.where(np.arange(length) < length / 2, 1, 1e-5)
        waveform[row, :length] = torch.from_numpy(signal)
    mel, frames = log_mel(waveform, torch.tensor(lengths), mel_filters(num_bins))
    assert frames.tolist() == [100, 77, 3, 1]
    assert mel.shape == (4, num_bins, 100)
    for row, length in enumerate(lengths):
        expected = extracted_log_mel(waveform[row, :length].numpy() * NOMINAL_LEVEL, num_bins)
        assert (mel[row, :, : frames[row]] - expected[0, :, : frames[row]]).abs().max() <= 1e-5
        assert not mel[row, :, frames[row] :].any()
