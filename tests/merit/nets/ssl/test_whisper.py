"""Whisper's encoder against transformers' 30 s forward."""

import numpy as np
import pytest
import torch

from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.nets.ssl.log_mel import NOMINAL_LEVEL, log_mel

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def extracted_log_mel(samples: np.ndarray, num_bins: int) -> torch.Tensor:
    """(1, M, 3000) by transformers, of 30 s with silence appended."""
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=num_bins)
    return extractor(samples, sampling_rate=16000, return_tensors="pt").input_features


def test_states_of_30_s_equal_transformers_own_forward(model_directory):
    from transformers import WhisperModel

    path = model_directory("whisper")
    waveform = torch.randn(1, 480000, generator=torch.Generator().manual_seed(0))
    waveform[:, -400:] = 0  # transformers reflects the end of the 30 s, here silence follows
    reference = WhisperModel.from_pretrained(path).get_encoder().eval()
    seen = []
    reference.layers[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for layer in reference.layers:
        layer.register_forward_hook(
            lambda module, inputs, output: seen.append(output[0] if isinstance(output, tuple) else output)
        )
    with torch.no_grad():
        reference(extracted_log_mel(waveform[0].numpy() * NOMINAL_LEVEL, 80))
        states, frame_lengths = load_encoder(path).eval()(waveform, torch.tensor([480000]))
    assert frame_lengths.tolist() == [1500]
    assert (states - torch.stack(seen, dim=2)).abs().max() <= 2e-5


def test_padding_changes_nothing(model_directory, batch):
    encoder = load_encoder(model_directory("whisper")).eval()
    waveform, lengths = batch
    with torch.no_grad():
        states, frame_lengths = encoder(waveform, lengths)
        # mel frames 56, 40, 25; the odd number ends in a frame that conv2 sees half of.
        assert frame_lengths.tolist() == [28, 20, 13]
        for row, length in enumerate(lengths.tolist()):
            alone, frames = encoder(waveform[row : row + 1, :length], lengths[row : row + 1])
            assert alone.shape[1] == frames.item() == frame_lengths[row]
            assert (states[row, : frames.item()] - alone[0]).abs().max() <= 1e-5


def test_encoder_saved_alone_in_half_precision_loads_as_float32(model_config, model_directory, batch, tmp_path):
    from transformers import WhisperModel

    path = model_directory("whisper")
    alone = tmp_path / "alone"
    WhisperModel.from_pretrained(path).get_encoder().half().save_pretrained(alone)
    encoder = load_encoder(alone)
    assert {value.dtype for value in encoder.parameters()} == {torch.float32}
    whole = load_encoder(path).state_dict()
    assert all(torch.equal(value, whole[name].half().float()) for name, value in encoder.state_dict().items())


def test_training_reaches_every_layer_and_nothing_frozen(model_directory, batch):
    encoder = load_encoder(model_directory("whisper")).train()
    states, _ = encoder(*batch)
    assert states.shape[2] == encoder.num_states == 4
    states[:, :10].square().sum().backward()
    trainable = {name for name, value in encoder.named_parameters() if value.requires_grad}
    assert trainable == {name for name, value in encoder.named_parameters() if value.grad is not None}
    assert {name.split(".")[1] for name in trainable} == {"layers"}


def test_bfloat16_autocast_leaves_the_log_mel_exact(model_directory, batch):
    encoder = load_encoder(model_directory("whisper")).eval()
    with torch.no_grad():
        expected = log_mel(*batch, encoder.mel_filters)[0]
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(log_mel(*batch, encoder.mel_filters)[0], expected)
            assert encoder(*batch)[0].isfinite().all()


def test_more_than_30_s_is_refused(model_directory):
    with pytest.raises(MeritError, match="30.0 s is longer than the 30 s"):
        load_encoder(model_directory("whisper"))(torch.zeros(1, 480001), torch.tensor([480001]))
