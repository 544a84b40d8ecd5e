"""The decoder: step by step as at once, and pytorch's where there is one expert."""

import math

import pytest
import torch
from small_smoe import TINY
from torch import nn

from merit.errors import MeritError
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_encoder import Memory, sinusoids
from merit.systems.smoe.text_decoder import Decoder


def memory_of(lengths, size, dtype=torch.float32):
    states = torch.randn(len(lengths), max(lengths), size, dtype=dtype)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    return Memory(states, torch.tensor(lengths), mask, [])


def test_steps_with_kept_keys_come_to_the_logits_of_the_whole_text():
    torch.manual_seed(1)
    decoder = Decoder(TINY, 11).eval()
    memory = memory_of([6, 4], 16)
    tokens = torch.randint(11, (2, 7))
    expected, _ = decoder(tokens, memory, 1, torch.ones_like(tokens, dtype=torch.bool))
    state = decoder.start(memory, 1)
    found = torch.stack([decoder.step(tokens[:, place], state) for place in range(7)], dim=1)
    torch.testing.assert_close(found, expected)


def test_hypotheses_of_an_utterance_share_its_memory_and_utterances_can_leave():
    torch.manual_seed(1)
    decoder = Decoder(TINY, 11).eval()
    memory = memory_of([6, 4], 16)
    state = decoder.start(memory, 0)
    decoder.step(torch.tensor([3, 4]), state)
    state.reorder(torch.tensor([1, 1]), torch.tensor([1]))  # the second utterance goes on alone, twice
    found = decoder.step(torch.tensor([7, 8]), state)
    alone = Memory(memory.states[1:], memory.lengths[1:], memory.mask[1:], [])
    for row, token in zip(found, (7, 8)):
        texts = torch.tensor([[4, token]])
        expected, _ = decoder(texts, alone, 0, torch.ones_like(texts, dtype=torch.bool))
        torch.testing.assert_close(row, expected[0, -1])


def test_no_token_sees_a_later_one():
    decoder = Decoder(TINY, 11).eval()
    memory = memory_of([5], 16)
    first, second = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[1, 2, 9, 9]])
    everywhere = torch.ones_like(first, dtype=torch.bool)
    one, other = (decoder(tokens, memory, 0, everywhere)[0] for tokens in (first, second))
    torch.testing.assert_close(one[:, :2], other[:, :2])
    assert not torch.allclose(one[:, 2:], other[:, 2:])


def test_with_one_expert_it_is_pytorchs_transformer():
    config = SmoeModelConfig(size=8, heads=2, feed_forward_size=6, decoder_layers=2, decoder_widening=2)
    decoder = Decoder(config, 7).double().eval()
    layer = nn.TransformerDecoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True)
    plain = nn.TransformerDecoder(layer, 2, nn.LayerNorm(8)).double().eval()
    plain.norm.load_state_dict(decoder.norm.state_dict())
    for theirs, ours in zip(plain.layers, decoder.blocks):
        expert, cross = ours.feed_forward.experts[0], ours.memory_attention
        pairs = [
            (theirs.norm1, ours.attention_norm),
            (theirs.norm2, ours.memory_norm),
            (theirs.norm3, ours.feed_forward_norm),
            (theirs.self_attn.out_proj, ours.attention.output),
            (theirs.multihead_attn.out_proj, cross.output),
            (theirs.linear1, expert[0]),
            (theirs.linear2, expert[3]),
        ]
        for target, source in pairs:
            target.load_state_dict(source.state_dict())
        theirs.self_attn.in_proj_weight.data.copy_(ours.attention.projection.weight)
        theirs.self_attn.in_proj_bias.data.copy_(ours.attention.projection.bias)
        theirs.multihead_attn.in_proj_weight.data.copy_(torch.cat([cross.query.weight, cross.key_value.weight]))
        theirs.multihead_attn.in_proj_bias.data.copy_(torch.cat([cross.query.bias, cross.key_value.bias]))
    memory, tokens = memory_of([5, 3], 8, torch.float64), torch.randint(7, (2, 4))
    hidden = decoder.embedding(tokens) * math.sqrt(8) + sinusoids(4, 8)
    later = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
    expected = plain(hidden, memory.states, tgt_mask=later, memory_key_padding_mask=~memory.mask)
    found, _ = decoder(tokens, memory, 0, torch.ones_like(tokens, dtype=torch.bool))
    torch.testing.assert_close(found, expected @ decoder.output.weight.T)


def test_a_text_that_is_too_long_is_refused():
    decoder = Decoder(TINY, 11)
    tokens = torch.zeros(1, TINY.max_tokens + 1, dtype=torch.long)
    with pytest.raises(MeritError, match="a text of 41 tokens is longer than the model takes, 40"):
        decoder(tokens, memory_of([3], 16), 0, torch.ones_like(tokens, dtype=torch.bool))
