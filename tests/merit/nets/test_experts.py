"""Experts against paper Eq. 6 written out in float64."""

import pytest
import torch

from merit.nets.experts import Experts


def test_idle_expert_gets_a_zero_gradient_not_none():
    experts = Experts(3, 5, 4, 2)
    weights = torch.zeros(6, 1, 3)
    weights[:, 0, 0] = 1
    experts(torch.randn(6, 5), weights).sum().backward()
    for parameter in experts[2].parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() == 0


@pytest.mark.parametrize("top_k", [1, 2])
def test_experts_give_the_outputs_and_gradients_of_the_plain_equation(top_k):
    torch.manual_seed(0)
    experts = Experts(4, 5, 8, 3).double()
    frames = torch.randn(9, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(9, 2, 4, dtype=torch.float64)
    kept = torch.zeros_like(weights).scatter(-1, weights.topk(top_k, dim=-1).indices, 1.0)
    kept[[2, 7]] = 0  # padding: no expert at all
    kept[..., 3] = 0  # an expert that nobody chose
    weights = (weights * kept).requires_grad_()
    plain = sum(weights[..., n, None] * expert(frames)[:, None] for n, expert in enumerate(experts))
    output = experts(frames, weights)
    assert (output - plain).abs().max() <= 1e-6 and output[[2, 7]].abs().sum() == 0
    slope = torch.randn_like(plain)
    inputs = [frames, weights, *experts.parameters()]
    found, expected = (torch.autograd.grad((value * slope).sum(), inputs) for value in (output, plain))
    # Weights that are zero pass no gradient on to a top-K gate, so it is not computed for them.
    for value, reference in zip(
        (found[0], found[1] * kept, *found[2:]), (expected[0], expected[1] * kept, *expected[2:])
    ):
        assert (value - reference).abs().max() <= 1e-6


def test_experts_see_each_frame_once_for_both_gates():
    experts = Experts(2, 5, 4, 3)
    seen = []
    for expert in experts:
        expert.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    weights = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    experts(torch.randn(2, 5), weights)
    assert seen == [2, 1]
