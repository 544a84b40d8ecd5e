"""Experts beside each other: who computes what, and what a gate decides."""

import torch

from merit.systems.smoe.feed_forward import RoutedFeedForward

MASK = torch.tensor([[True, True, True], [True, True, False]])


def test_each_utterance_is_computed_by_its_expert():
    layer = RoutedFeedForward("encoder 1", 4, 6, 2, 0.0, learned=False)
    frames = torch.randn(2, 3, 4)
    found, routing = layer(frames, [1, 0], MASK)
    assert routing is None
    torch.testing.assert_close(found, torch.stack([layer.experts[1](frames[0]), layer.experts[0](frames[1])]))


def test_one_expert_computes_everything_whatever_the_label():
    layer = RoutedFeedForward("encoder 1", 4, 6, 1, 0.0, learned=True)
    frames = torch.randn(2, 3, 4)
    torch.testing.assert_close(layer(frames, [1, 0], MASK)[0], layer.experts[0](frames))
    assert layer.gate is None


def test_a_gate_sends_each_real_frame_to_its_most_probable_expert():
    layer = RoutedFeedForward("decoder 2", 4, 6, 3, 0.0, learned=True)
    frames = torch.randn(2, 3, 4)
    found, routing = layer(frames, 0, MASK)
    probabilities = torch.softmax(frames @ layer.gate.projection.weight.T + layer.gate.projection.bias, dim=-1)
    for item, frame in MASK.nonzero().tolist():
        best = int(probabilities[item, frame].argmax())
        expected = probabilities[item, frame, best] * layer.experts[best](frames[item, frame])
        torch.testing.assert_close(found[item, frame], expected)
    assert found[1, 2].abs().sum() == 0 and routing.name == "decoder 2"
    assert routing.weights.ne(0).sum().item() == 5
