"""The model: sizes, ranges, padding, and a float64 computation of the whole head."""

import math

import numpy as np
import pytest
import torch

from merit.nets.ssl import build_encoder
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.quality_model import MeanPooling, MosHead, MosNetwork

SMALL = {"expert_size": 6, "representation_size": 5}


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    "config, norm, pooling, per_expert",
    [
        (MosModelConfig(), 2 * 13 * 768, 768 * 768 + 768 + 768, 1536 * 256 + 256 + 256 * 128 + 128),
        (MosModelConfig(pooling="mean", layer_norm=False, num_experts=2), 0, 0, 768 * 256 + 256 + 256 * 128 + 128),
    ],
)
def test_sizes_with_wav2vec2_base(config, norm, pooling, per_expert):
    """13 states of 768, 12 systems; the sizes of other_systems 1.2, part by part."""
    model = MosNetwork(config, 13, 768, 12)
    width = 1536 if config.pooling == "statistics" else 768
    gate = width * config.num_experts + config.num_experts
    expected = norm + 13 + pooling + gate + config.num_experts * per_expert + (128 + 1) + (128 * 12 + 12)
    assert parameters(model) == expected
    if config == MosModelConfig():
        assert expected == 2_324_638


def states(batch=2, frames=7):
    return torch.randn(batch, frames, 3, 8), torch.tensor([frames, frames - 3])[:batch]


@pytest.mark.parametrize("pooling", ["statistics", "mean"])
def test_padding_changes_nothing(pooling):
    model = MosNetwork(MosModelConfig(pooling=pooling, **SMALL), 3, 8, 4).eval()
    values, lengths = states()
    together = model(None, lengths * 320, values, lengths)
    values[1, 4:] = 1e4
    padded = model(None, lengths * 320, values, lengths)
    alone = model(None, lengths[1:] * 320, values[1:, :4], lengths[1:])
    for found in (padded, together):
        torch.testing.assert_close(found.mos[1:], alone.mos)
        torch.testing.assert_close(found.systems[1:], alone.systems)
    assert together.mos.shape == (2,) and together.systems.shape == (2, 4)
    assert together.routing.weights.shape == (2, 1, 4) and together.routing.mask.all()
    torch.testing.assert_close(together.routing.weights.sum(-1), torch.ones(2, 1))


def test_the_whole_head_in_float64():
    """y = 3 + 2 tanh(w . sum_n g_n E_n(u)) with u the attentive mean and deviation of the weighted sum."""
    model = MosNetwork(MosModelConfig(layer_norm=False, **SMALL), 3, 8, 4).eval()
    values, _ = states(1)
    found = model(None, torch.tensor([2240]), values, torch.tensor([7]))
    p = {name: value.double().numpy() for name, value in model.state_dict().items()}
    logits = p["fusion.layer_logits"]
    fused = np.einsum("l,tld->td", np.exp(logits) / np.exp(logits).sum(), values[0].double().numpy())
    scores = np.tanh(fused @ p["pooling.projection.weight"].T + p["pooling.projection.bias"]) @ p["pooling.attention"]
    weights = np.exp(scores) / np.exp(scores).sum()
    mean = weights @ fused
    pooled = np.concatenate([mean, np.sqrt(weights @ fused**2 - mean**2)])
    gate = np.exp(p["gate.projection.weight"] @ pooled + p["gate.projection.bias"])
    gate /= gate.sum()
    z = np.zeros(5)
    for n in range(4):
        hidden = np.maximum(p[f"experts.{n}.0.weight"] @ pooled + p[f"experts.{n}.0.bias"], 0)
        z += gate[n] * (p[f"experts.{n}.3.weight"] @ hidden + p[f"experts.{n}.3.bias"])
    mos = 3 + 2 * np.tanh(p["mos_head.projection.weight"] @ z + p["mos_head.projection.bias"])
    assert found.mos.item() == pytest.approx(mos.item(), abs=1e-5)
    systems = p["system_head.weight"] @ z + p["system_head.bias"]
    np.testing.assert_allclose(found.systems[0].detach().numpy(), systems, atol=1e-5)
    np.testing.assert_allclose(found.routing.probabilities[0, 0].detach().numpy(), gate, atol=1e-6)


def test_mos_stays_between_1_and_5():
    head = MosHead(1)
    with torch.no_grad():
        head.projection.weight.fill_(1.0)
        head.projection.bias.zero_()
        found = head(torch.tensor([[-100.0], [0.0], [100.0], [math.atanh(0.5)]]))
    torch.testing.assert_close(found, torch.tensor([1.0, 3.0, 5.0, 4.0]))


def test_mean_pooling_is_over_real_frames():
    frames = torch.tensor([[[1.0], [3.0], [float("inf")]]])
    assert MeanPooling()(frames, torch.tensor([[True, True, False]])).item() == 2.0


def test_every_parameter_learns():
    model = MosNetwork(MosModelConfig(dropout=0.0, **SMALL), 3, 8, 4)
    values, lengths = states()
    output = model(None, lengths * 320, values, lengths)
    (output.mos.sum() + output.systems.square().sum()).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_its_own_encoder_makes_the_states_that_would_come_from_outside():
    from transformers import Wav2Vec2Config

    settings = Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    ).to_dict()
    encoder = build_encoder(settings).eval()
    model = MosNetwork(MosModelConfig(**SMALL), encoder.num_states, encoder.hidden_size, 4, encoder=encoder).eval()
    waveform, lengths = torch.randn(2, 4000), torch.tensor([4000, 3000])
    waveform[1, 3000:] = 0
    inside = model(waveform, lengths)
    outside = model(None, lengths, *encoder(waveform, lengths))
    torch.testing.assert_close(inside.mos, outside.mos)


def test_listeners_differ_from_the_mean_listener_in_mos_alone():
    model = MosNetwork(MosModelConfig(rater_embedding=True, **SMALL), 3, 8, 4, num_listeners=2).eval()
    values, lengths = states()
    given = (None, lengths * 320, values, lengths)
    mean = model(*given)
    torch.testing.assert_close(model(*given, torch.tensor([1, 2])).mos, mean.mos)  # before anything is learnt
    with torch.no_grad():
        model.listeners.weight[2] = 1.0
    asked = model(*given, torch.tensor([0, 2]))
    assert asked.mos[0] == mean.mos[0] and asked.mos[1] != mean.mos[1]
    torch.testing.assert_close(asked.systems, mean.systems)
    assert parameters(model) - parameters(MosNetwork(MosModelConfig(**SMALL), 3, 8, 4)) == 3 * 5
