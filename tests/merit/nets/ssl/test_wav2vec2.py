"""WavLM, HuBERT, wav2vec 2.0 and data2vec against transformers' own forward."""

import pytest
import torch
from torch.nn import functional

from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.nets.ssl.wav2vec2 import masked_group_norm

KINDS = [
    "wavlm-large",
    "wavlm-base",
    "hubert-large",
    "hubert-base",
    "wav2vec2-large",
    "wav2vec2-base",
    "data2vec-audio",
]
# GroupNorm over time and data2vec's stacked convolutions make transformers' own states depend on padding.
PADDING_SAFE_IN_TRANSFORMERS = ["wavlm-large", "hubert-large", "wav2vec2-large"]


def transformers_states(path, waveform, lengths=None):
    """H_0 ... H_L by forward hooks on the layers of transformers' model: (B, T, L + 1, D)."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(path).eval().to(waveform.dtype)
    seen = []
    layers = model.encoder.layers
    layers[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
    for layer in layers:
        layer.register_forward_hook(
            lambda module, inputs, output: seen.append(output[0] if isinstance(output, tuple) else output)
        )
    mask = None
    if lengths is not None:
        mask = (torch.arange(waveform.shape[1]) < lengths.unsqueeze(1)).long()
    with torch.no_grad():
        model(waveform, attention_mask=mask)
    return torch.stack(seen, dim=2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_equals_transformers_on_the_same_batch(kind, model_directory, batch):
    path = model_directory(kind)
    waveform, lengths = batch
    if kind not in PADDING_SAFE_IN_TRANSFORMERS:
        waveform, lengths = waveform[:, :4000], torch.tensor([4000] * 3)
    with torch.no_grad():
        states, frame_lengths = load_encoder(path).eval()(waveform, lengths)
    expected = transformers_states(path, waveform, lengths)
    assert states.shape == expected.shape == (3, int(frame_lengths.max()), 4, 32)
    for row, frames in enumerate(frame_lengths.tolist()):
        assert (states[row, :frames] - expected[row, :frames]).abs().max() <= 5e-6


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind, model_directory, batch):
    """In double precision, so that only a real difference shows: a padded batch against each utterance alone."""
    path = model_directory(kind)
    waveform, lengths = batch[0].double(), batch[1]
    with torch.no_grad():
        states, frame_lengths = load_encoder(path).eval().double()(waveform, lengths)
    for row, (length, frames) in enumerate(zip(lengths.tolist(), frame_lengths.tolist())):
        alone = transformers_states(path, waveform[row : row + 1, :length])
        assert alone.shape[1] == frames
        assert (states[row, :frames] - alone[0]).abs().max() <= 1e-10


def test_last_state_is_the_one_before_the_final_layer_norm(model_directory, batch):
    path = model_directory("wavlm-large")
    encoder = load_encoder(path).eval()
    waveform = batch[0][:1]
    with torch.no_grad():
        states, _ = encoder(waveform, torch.tensor([9000]))
        from transformers import AutoModel

        last_hidden_state = AutoModel.from_pretrained(path).eval()(waveform).last_hidden_state
        normalised = encoder.model.encoder.layer_norm(states[:, :, -1])
    assert (normalised - last_hidden_state).abs().max() <= 5e-6
    assert (states[:, :, -1] - last_hidden_state).abs().max() > 0.1


def test_frame_lengths_equal_transformers_formula_and_the_states(model_directory):
    encoder = load_encoder(model_directory("wavlm-large")).eval()
    samples = torch.arange(400, 3000)
    assert torch.equal(encoder.frame_lengths(samples), encoder.model._get_feat_extract_output_lengths(samples))
    assert encoder.frame_lengths(torch.tensor([0, 9, 399, 400, 719, 720])).tolist() == [0, 0, 0, 1, 1, 2]
    # 16 s and 11.04 s by hand: 400 + 320 (T - 1) samples give T frames.
    assert encoder.frame_lengths(torch.tensor([256000, 176720])).tolist() == [799, 552]
    with torch.no_grad():
        for length in (400, 719, 720, 1039, 1040):
            states, frame_lengths = encoder(torch.randn(1, length), torch.tensor([length]))
            assert states.shape[1] == frame_lengths.item()


@pytest.mark.parametrize("kind", KINDS)
def test_training_drops_no_layer_and_every_trainable_parameter_gets_a_gradient(kind, model_directory, batch):
    encoder = load_encoder(model_directory(kind)).train()
    states, frame_lengths = encoder(*batch)
    assert states.shape[2] == encoder.num_states == 4
    sum(states[row, :frames].square().sum() for row, frames in enumerate(frame_lengths)).backward()
    assert not any(parameter.requires_grad for parameter in encoder.model.feature_extractor.parameters())
    trainable = {name for name, parameter in encoder.named_parameters() if parameter.requires_grad}
    assert trainable == {name for name, parameter in encoder.named_parameters() if parameter.grad is not None}
    assert all(layer.final_layer_norm.weight.grad.abs().sum() > 0 for layer in encoder.model.encoder.layers)


def test_training_masks_nothing(model_config, batch):
    """Without dropout, training and evaluation give the same states, though the configuration has SpecAugment on."""
    from merit.nets.ssl import build_encoder

    config = model_config("wavlm-large").to_dict()
    config |= {name: 0.0 for name in ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout")}
    encoder = build_encoder(config)
    with torch.no_grad():
        assert torch.equal(encoder.train()(*batch)[0], encoder.eval()(*batch)[0])


def test_gradient_checkpointing_changes_no_gradient(model_directory, batch):
    path = model_directory("wavlm-large")
    gradients = []
    for checkpointing in (False, True):
        encoder = load_encoder(path, gradient_checkpointing=checkpointing).train()
        torch.manual_seed(0)
        encoder(*batch)[0][:, :10].square().mean().backward()
        gradients.append([value.grad for value in encoder.parameters() if value.grad is not None])
    assert len(gradients[0]) == len(gradients[1])
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(*gradients))


@pytest.mark.parametrize("kind", ["wavlm-large", "wav2vec2-base"])
def test_bfloat16_autocast_stays_near_float32_on_a_padded_batch(kind, model_directory, batch):
    encoder = load_encoder(model_directory(kind)).eval()
    with torch.no_grad():
        expected, frame_lengths = encoder(*batch)
        with torch.autocast("cpu", torch.bfloat16):
            states, _ = encoder(*batch)
    for row, frames in enumerate(frame_lengths.tolist()):
        error = (states[row, :frames] - expected[row, :frames]).square().mean().sqrt()
        assert error / expected[row, :frames].std() < 0.05


def test_masked_group_norm_equals_group_norm_of_each_utterance_alone():
    torch.manual_seed(0)
    norm = torch.nn.GroupNorm(5, 5)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    hidden, lengths = torch.randn(2, 5, 40) * 3 + 1, torch.tensor([40, 23])
    normalised = masked_group_norm(norm, hidden, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = functional.group_norm(hidden[row : row + 1, :, :length], 5, norm.weight, norm.bias, norm.eps)
        assert torch.allclose(normalised[row, :, :length], alone[0], atol=1e-6)


def test_a_signal_shorter_than_a_frame_is_refused(model_directory):
    encoder = load_encoder(model_directory("wavlm-large"))
    with pytest.raises(MeritError, match="399 samples .* 400 samples"):
        encoder(torch.zeros(2, 800), torch.tensor([800, 399]))


@pytest.mark.parametrize("kind", KINDS)
def test_states_of_stored_features_are_those_of_the_waveform(kind, model_directory, batch):
    encoder = load_encoder(model_directory(kind)).eval()
    with torch.no_grad():
        features, frame_lengths = encoder.features(*batch)
        assert features.shape == (3, int(frame_lengths.max()), encoder.feature_size)
        states, _ = encoder.states(features, frame_lengths)
        assert torch.equal(states, encoder(*batch)[0])
