"""Experts against ``out = sum_n w[..., n] * E_n(x)`` written out in float64, every expert on every row."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from merit.errors import MeritError
from merit.nets.experts import Experts

E, D, N = 5, 3, 4


def pool(**options) -> Experts:
    """Experts of several kinds: all that they share is their output's width."""
    networks = [
        nn.Sequential(nn.Linear(E, 8), nn.ReLU(), nn.Linear(8, D)),
        nn.Linear(E, D),
        nn.Sequential(nn.Linear(E, 6), nn.Tanh(), nn.LayerNorm(6), nn.Linear(6, D)),
        nn.Sequential(nn.Linear(E, 7), nn.GELU(), nn.Linear(7, D)),
    ]
    return Experts(networks, **options).double()


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def sparse_weights(*shape: int, top_k: int) -> torch.Tensor:
    """Positive weights of the K best of all experts but the last."""
    weights = torch.rand(shape, dtype=torch.float64)
    weights[..., -1] = 0
    return weights * torch.zeros_like(weights).scatter(-1, weights.topk(top_k, dim=-1).indices, 1.0)


def plain(experts: Experts, frames: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Sum over all experts; weights (..., N) or (..., G, N)."""
    values = torch.stack([network(frames) for network in experts], dim=-2)  # (..., N, D)
    return weights @ values if weights.ndim > frames.ndim else (weights.unsqueeze(-2) @ values).squeeze(-2)


def gradients(output: torch.Tensor, slope: torch.Tensor, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients of the output times a slope; zero where there is none."""
    found = torch.autograd.grad((output * slope).sum(), inputs, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(value) if gradient is None else gradient for value, gradient in zip(inputs, found)]


def assert_same(output: torch.Tensor, expected: torch.Tensor, inputs: list[torch.Tensor]) -> None:
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    slope = torch.randn_like(expected)
    for value, reference in zip(gradients(output, slope, inputs), gradients(expected, slope, inputs)):
        torch.testing.assert_close(value, reference, rtol=0, atol=1e-12)


class HostReads(TorchDispatchMode):
    """Notes what makes the host wait for values of a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        name = function.overloadpacket.__name__
        if name in ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal"):
            self.seen.append(name)
        return function(*arguments, **(options or {}))


@pytest.mark.parametrize("run_idle", [True, False])
@pytest.mark.parametrize("top_k", [1, 2, 3])
@pytest.mark.parametrize("gates", [(), (1,), (2,)])
@pytest.mark.parametrize("leading", [(), (9,), (3, 4), (2, 1, 5)])
def test_experts_give_the_outputs_and_gradients_of_the_plain_sum(leading, gates, top_k, run_idle):
    experts = pool(run_idle=run_idle)
    frames, weights = random(*leading, E), sparse_weights(*leading, *gates, N, top_k=top_k)
    if leading:
        weights[-1] = 0  # padding: no expert at all
    weights.requires_grad_()
    kept = torch.where(weights.ne(0), weights, 0)  # as a top-K gate: no gradient through a weight that is zero
    output = experts(frames, kept)
    assert output.shape == (*leading, *gates, D)
    assert_same(output, plain(experts, frames, kept), [frames, weights, *experts.parameters()])


@pytest.mark.parametrize("leading", [(6,), (2, 5)])
def test_dense_weights_give_the_plain_sum_and_every_weight_a_gradient(leading):
    experts = pool()
    frames, weights = random(*leading, E), torch.softmax(random(*leading, N), dim=-1)
    output = experts(frames, weights)
    assert_same(output, plain(experts, frames, weights), [frames, weights, *experts.parameters()])


@pytest.mark.parametrize("run_idle", [True, False])
@pytest.mark.parametrize(
    "expert", [0, 3, [2, 2, 2, 2, 2, 2], [0, 0, 1, 3, 3, 3], [3, 0, 0, 3, 1, 0], [1, 3, 1, 3, 1, 3]], ids=str
)
@pytest.mark.parametrize("inner", [(), (4,), (2, 3)])
def test_assigned_experts_give_what_weights_of_one_and_zero_give(inner, expert, run_idle):
    experts = pool(run_idle=run_idle)
    frames = random(6, *inner, E)
    index = torch.as_tensor(expert).expand(6).view(6, *[1] * len(inner)).expand(6, *inner)
    weights = functional.one_hot(index, N).double()
    output = experts.assigned(frames, expert)
    assert_same(output, plain(experts, frames, weights), [frames, *experts.parameters()])
    assert_same(output, experts(frames, weights), [frames, *experts.parameters()])


@pytest.mark.parametrize("run_idle", [True, False])
def test_no_rows_and_no_weights_give_zeros_of_the_right_shape(run_idle):
    experts = pool(run_idle=run_idle)
    assert experts(random(2, 0, E), torch.zeros(2, 0, 2, N)).shape == (2, 0, 2, D)
    assert experts.assigned(random(0, 7, E), []).shape == (0, 7, D)
    output = experts(random(4, E), torch.zeros(4, N, requires_grad=True))
    assert output.shape == (4, D) and output.abs().sum() == 0
    output.sum().backward()
    touched = [parameter.grad is not None for parameter in experts.parameters()]
    assert all(touched) if run_idle else not any(touched)


def test_experts_see_each_frame_once_for_both_gates():
    experts = pool()
    seen = []
    for expert in experts:
        expert.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    weights = torch.tensor([[[1.0, 0, 0, 0], [1, 0, 0, 0]], [[1, 0, 0, 0], [0, 1, 0, 0]]])
    experts(random(2, E), weights)
    assert seen == [2, 1, 0, 0]


ONLY_THE_SECOND = [1, functional.one_hot(torch.ones(6, dtype=torch.long), N).double()]


def step_of_the_second(experts: Experts, choice: int | torch.Tensor) -> list[set[bool]]:
    """All experts learn, then only the second has rows: did all parameters of each move, none, or both?

    By AdamW with momentum and weight decay, which moves even what has gradients of zero.
    """
    optimizer = torch.optim.AdamW(experts.parameters(), lr=0.1, weight_decay=0.5)
    frames = random(6, E)
    experts(frames, torch.ones(6, N, dtype=torch.float64)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    before = [[parameter.clone() for parameter in network.parameters()] for network in experts]
    output = experts.assigned(frames, choice) if isinstance(choice, int) else experts(frames, choice)
    output.square().sum().backward()
    optimizer.step()
    return [
        {not torch.equal(parameter, old) for parameter, old in zip(network.parameters(), values)}
        for network, values in zip(experts, before)
    ]


@pytest.mark.parametrize("choice", ONLY_THE_SECOND, ids=["assigned", "weights"])
def test_idle_experts_stay_bit_for_bit_where_they_do_not_run(choice):
    experts = pool(run_idle=False)
    assert step_of_the_second(experts, choice) == [{False}, {True}, {False}, {False}]
    for n, network in enumerate(experts):
        assert {parameter.grad is not None for parameter in network.parameters()} == {n == 1}


@pytest.mark.parametrize("choice", ONLY_THE_SECOND, ids=["assigned", "weights"])
def test_idle_experts_that_run_get_gradients_of_zero_not_none(choice):
    experts = pool()
    assert step_of_the_second(experts, choice) == [{True}] * N
    for n, network in enumerate(experts):
        assert {bool(parameter.grad.any()) for parameter in network.parameters()} == {n == 1}


@pytest.mark.parametrize("expert", [2, [2] * 6], ids=str)
def test_one_expert_for_all_gets_the_very_frames_and_gives_the_very_output(expert):
    experts = pool(run_idle=False)
    seen = []
    for network in experts:
        network.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0], output)))
    frames = random(6, 4, E)
    output = experts.assigned(frames, expert)
    assert len(seen) == 1 and seen[0][0] is frames and seen[0][1] is output


@pytest.mark.parametrize("run_idle", [True, False])
def test_items_in_the_order_of_their_experts_are_not_gathered(run_idle):
    experts = pool(run_idle=run_idle)
    seen = []
    for network in experts:
        network.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    frames = random(6, 4, E)
    experts.assigned(frames, [0, 0, 1, 3, 3, 3])
    shared = [part.untyped_storage().data_ptr() == frames.untyped_storage().data_ptr() for part in seen if len(part)]
    assert shared == [True] * 3


@pytest.mark.parametrize("run_idle", [True, False])
@pytest.mark.parametrize("expert", [1, [1] * 6, [0, 0, 1, 3, 3, 3], [3, 0, 0, 3, 1, 0]], ids=str)
def test_an_assignment_reads_nothing_back_from_the_device(expert, run_idle, monkeypatch):
    experts, frames = pool(run_idle=run_idle), random(6, 4, E)
    with HostReads() as reads:
        experts.assigned(frames, expert).sum().backward()
    assert reads.seen == []
    # A meta tensor has no values at all: whatever asks for one, tolist and comparisons included, raises.
    experts.to("meta")
    output = experts.assigned(frames.detach().to("meta").requires_grad_(), expert)
    output.sum().backward()
    assert output.shape == (6, 4, D)


def test_weights_are_read_back_so_the_test_above_sees_what_it_looks_for():
    experts, frames = pool(), random(6, E)
    with HostReads() as reads:
        experts(frames, ONLY_THE_SECOND[1])
    assert "nonzero" in reads.seen
    with pytest.raises((NotImplementedError, RuntimeError)):
        experts.to("meta")(frames.to("meta"), ONLY_THE_SECOND[1].to("meta"))


@pytest.mark.parametrize("shape", [(6, N + 1), (5, N), (6, 2, 2, N), (N,), (2, 6, N)], ids=str)
def test_weights_that_do_not_fit_are_refused(shape):
    with pytest.raises(MeritError, match=r"expected \(..., 4\) or \(..., gates, 4\)"):
        pool()(random(6, E), torch.ones(shape))


@pytest.mark.parametrize("expert", [4, -1, [0] * 5, [0, 1, 2, 3, 4, 0]], ids=str)
def test_experts_that_do_not_exist_or_do_not_match_the_items_are_refused(expert):
    with pytest.raises(MeritError, match="expected one of 0 to 3 for each of the 6 items"):
        pool().assigned(random(6, E), expert)
