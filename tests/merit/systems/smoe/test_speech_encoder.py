"""The encoder: lengths, padding, positions, and the plain transformer that it is with one expert."""

import math

import pytest
import torch
from small_smoe import TINY
from torch import nn

from merit.errors import MeritError
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_encoder import Encoder, Subsampling, sinusoids, subsampled

SIZES = {"size": 8, "heads": 2, "feed_forward_size": 12, "encoder_layers": 2, "subsampling_channels": 6, "mel_bins": 5}


def test_positions_are_those_of_the_paper_of_the_transformer():
    found = sinusoids(4, 6)
    for place in range(4):
        for number in range(3):
            angle = place / 10000 ** (number / 2)  # fairseq: exponents from 0 to 1, both included
            assert found[place, number].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert found[place, 3 + number].item() == pytest.approx(math.cos(angle), abs=1e-6)


@pytest.mark.parametrize("frames", range(1, 20))
def test_lengths_are_those_of_the_convolutions(frames):
    module = Subsampling(SmoeModelConfig(**SIZES))
    values, lengths = module(torch.zeros(1, frames, 5), torch.tensor([frames]))
    assert values.shape[1] == lengths.item() == subsampled(subsampled(torch.tensor(frames))).item()


def test_an_utterance_comes_to_the_same_alone_and_in_a_padded_batch():
    torch.manual_seed(1)
    encoder = Encoder(TINY).eval()
    lengths = torch.tensor([37, 21, 30])
    features = torch.randn(3, 37, 80)
    for row, length in enumerate(lengths):
        features[row, length:] = 0
    together = encoder(features, lengths, [0, 0, 1])
    for row, (length, expert) in enumerate(zip(lengths.tolist(), [0, 0, 1])):
        alone = encoder(features[row : row + 1, :length], lengths[row : row + 1], [expert])
        torch.testing.assert_close(together.states[row, : alone.states.shape[1]], alone.states[0])
        assert together.lengths[row] == alone.states.shape[1] == together.mask[row].sum()


def test_with_one_expert_it_is_pytorchs_transformer():
    encoder = Encoder(SmoeModelConfig(**SIZES)).double().eval()
    plain = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True), 2, nn.LayerNorm(8),
        enable_nested_tensor=False,
    ).double().eval()  # fmt: skip
    plain.norm.load_state_dict(encoder.norm.state_dict())
    for theirs, ours in zip(plain.layers, encoder.blocks):
        expert = ours.feed_forward.experts[0]
        pairs = [
            (theirs.norm1, ours.attention_norm),
            (theirs.norm2, ours.feed_forward_norm),
            (theirs.self_attn.out_proj, ours.attention.output),
            (theirs.linear1, expert[0]),
            (theirs.linear2, expert[3]),
        ]
        for target, source in pairs:
            target.load_state_dict(source.state_dict())
        theirs.self_attn.in_proj_weight.data.copy_(ours.attention.projection.weight)
        theirs.self_attn.in_proj_bias.data.copy_(ours.attention.projection.bias)
    features, lengths = torch.randn(2, 19, 5, dtype=torch.float64), torch.tensor([19, 19])
    hidden, _ = encoder.subsampling(features, lengths)
    expected = plain(hidden * math.sqrt(8) + sinusoids(hidden.shape[1], 8))
    torch.testing.assert_close(encoder(features, lengths, [0, 1]).states, expected)


def test_the_experts_of_the_bandwidths_are_others():
    torch.manual_seed(1)
    encoder = Encoder(TINY).eval()
    features, lengths = torch.randn(1, 30, 80), torch.tensor([30])
    wide, narrow = (encoder(features, lengths, [number]).states for number in (0, 1))
    assert not torch.allclose(wide, narrow)


def test_what_is_too_long_is_refused():
    encoder = Encoder(SmoeModelConfig(**SIZES, max_frames=20))
    with pytest.raises(MeritError, match="0.21 s is longer than the model takes, 0.2 s"):
        encoder(torch.zeros(1, 21, 5), torch.tensor([21]), [0])
