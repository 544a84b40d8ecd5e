"""WavLM's attention against transformers: position bias, gradients, and one compiled graph for all lengths."""

import pytest
import torch
from transformers import AutoModel
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from merit.nets.ssl import load_encoder
from merit.nets.ssl.wavlm import position_bias


@pytest.mark.parametrize("num_frames", [1, 2, 16, 301])
def test_position_bias_equals_transformers(num_frames):
    attention = WavLMAttention(32, 4, num_buckets=32, max_distance=40).double()
    expected = attention.compute_bias(num_frames, num_frames)
    found = position_bias(attention, num_frames)
    assert torch.equal(found, expected)
    slope = torch.randn_like(expected)
    gradients = [
        torch.autograd.grad((bias * slope).sum(), attention.rel_attn_embed.weight)[0] for bias in (found, expected)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("kind", ["wavlm-large", "wavlm-base"])
@pytest.mark.parametrize("padded", [True, False])
def test_gradients_of_every_parameter_equal_transformers(kind, padded, model_directory, batch):
    path = model_directory(kind)
    waveform, lengths = batch
    if not padded:
        waveform, lengths = waveform[:, :4000], torch.full((3,), 4000)
    encoder = load_encoder(path).eval()
    features, frame_lengths = encoder.features(waveform, lengths)
    states, _ = encoder.states(features, frame_lengths)
    inside = torch.arange(states.shape[1]) < frame_lengths.unsqueeze(1)
    slope = torch.randn(states.shape, generator=torch.Generator().manual_seed(2)) * inside[..., None, None]
    (states * slope).sum().backward()

    theirs = AutoModel.from_pretrained(path).eval()
    seen = []
    theirs.encoder.layers[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for layer in theirs.encoder.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output[0]))
    # transformers goes on from the same features, since its GroupNorm over time sees the padding.
    theirs.feature_extractor.forward = lambda values: features.transpose(1, 2)
    mask = (torch.arange(waveform.shape[1]) < lengths.unsqueeze(1)).long() if padded else None
    theirs(waveform, attention_mask=mask)
    (torch.stack(seen, dim=2) * slope).sum().backward()

    expected = {name: value.grad for name, value in theirs.named_parameters() if value.grad is not None}
    found = {name: value.grad for name, value in encoder.model.named_parameters() if value.grad is not None}
    assert expected.keys() == found.keys() and len(found) > 50
    for name, gradient in expected.items():
        assert (found[name] - gradient).abs().max() <= 5e-6 * max(1.0, gradient.abs().max()), name


def test_compiled_layers_give_the_same_states_and_compile_once_for_all_lengths(model_directory):
    from torch._dynamo.testing import CompileCounterWithBackend

    torch._dynamo.reset()
    path = model_directory("wavlm-large")
    plain, compiled = load_encoder(path).eval(), load_encoder(path).eval()
    counter = CompileCounterWithBackend("eager")
    compiled.compile_layers(backend=counter)
    for length in (12345, 6421, 9000, 4000):  # not first 9000: its 32 frames are as many as channels
        lengths = torch.tensor([length, length - 700])
        waveform = torch.randn(2, length).masked_fill(torch.arange(length) >= lengths.unsqueeze(1), 0)
        with torch.no_grad():
            states, _ = compiled(waveform, lengths)
            torch.testing.assert_close(states, plain(waveform, lengths)[0])
    assert counter.frame_count == 1
    assert compiled.state_dict().keys() == plain.state_dict().keys()
