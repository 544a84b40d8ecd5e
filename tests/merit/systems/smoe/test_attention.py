"""Attention: PyTorch's own modules, with the same weights, give the same."""

import torch
from torch import nn

from merit.systems.smoe.attention import CrossAttention, SelfAttention


def reference(query, key_value, output, heads):
    """``nn.MultiheadAttention`` with these weights; ``key_value`` (2D, D) and ``query`` (D, D) as linear layers."""
    size = output.in_features
    module = nn.MultiheadAttention(size, heads, batch_first=True).double()
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.cat([query[0], key_value[0]]))
        module.in_proj_bias.copy_(torch.cat([query[1], key_value[1]]))
        module.out_proj.load_state_dict(output.state_dict())
    return module


def test_self_attention_is_that_of_pytorch_with_padding_and_causality():
    module = SelfAttention(8, 2, 0.0).double().eval()
    frames = torch.randn(3, 5, 8, dtype=torch.float64)
    inside = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])
    weight, bias = module.projection.weight, module.projection.bias
    expected = reference((weight[:8], bias[:8]), (weight[8:], bias[8:]), module.output, 2)
    padded, _ = expected(frames, frames, frames, key_padding_mask=~inside)
    torch.testing.assert_close(module(frames, inside[:, None, None]), padded)
    later = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    causal, _ = expected(frames, frames, frames, attn_mask=later)
    torch.testing.assert_close(module(frames, causal=True), causal)


def test_step_by_step_comes_to_the_same_as_at_once():
    module = SelfAttention(8, 2, 0.0).double().eval()
    frames = torch.randn(3, 5, 8, dtype=torch.float64)
    kept, steps = None, []
    for place in range(5):
        value, kept = module.step(frames[:, place : place + 1], kept)
        steps.append(value)
    torch.testing.assert_close(torch.cat(steps, dim=1), module(frames, causal=True))


def test_cross_attention_is_that_of_pytorch():
    module = CrossAttention(8, 4, 0.0).double().eval()
    tokens, memory = torch.randn(2, 3, 8, dtype=torch.float64), torch.randn(2, 6, 8, dtype=torch.float64)
    inside = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    query, both = module.query, module.key_value
    expected = reference((query.weight, query.bias), (both.weight, both.bias), module.output, 4)
    found = module(tokens, module.keys_and_values(memory), inside[:, None, None])
    torch.testing.assert_close(found, expected(tokens, memory, memory, key_padding_mask=~inside)[0])
