"""The mixture-of-experts front end against paper Eq. 2 to 7 written out in float64."""

import pytest
import torch
from torch import nn

from merit.nets.experts import Experts
from merit.nets.gate import gates_once
from merit.nets.masks import length_mask
from merit.systems.sparse_merit.front_end import MixtureOfExperts

B, T, L, D, N = 3, 7, 4, 6, 3
LENGTHS = torch.tensor([7, 4, 1])


def front_end(**options) -> MixtureOfExperts:
    return MixtureOfExperts(L, D, ["emotion", "enhancement"], num_experts=N, expert_size=10, **options).double()


def by_the_equations(model: MixtureOfExperts, states: torch.Tensor, task: str, top_k: int) -> torch.Tensor:
    """z of every real frame, frame by frame and expert by expert; layer normalisation first, as the release has it."""
    z = torch.zeros(B, T, D, dtype=torch.float64)
    gate = model.gates[task].projection
    for b in range(B):
        for t in range(int(LENGTHS[b])):
            layers = []
            for layer in range(L):
                h = states[b, t, layer]
                h = (h - h.mean()) / torch.sqrt(((h - h.mean()) ** 2).mean() + 1e-5)
                layers.append(h * model.norm.weight[layer] + model.norm.bias[layer])
            f = torch.cat(layers)  # Eq. 2
            logits = gate.weight @ f + gate.bias
            g = torch.exp(logits) / torch.exp(logits).sum()  # Eq. 4
            kept = sorted(range(N), key=lambda n: -g[n].item())[:top_k]  # Eq. 5
            for n in kept:  # Eq. 6
                first, _, second = model.experts[n]
                hidden = torch.clamp(first.weight @ f + first.bias, min=0)
                z[b, t] = z[b, t] + g[n] * (second.weight @ hidden + second.bias)
    return z


@pytest.mark.parametrize("top_k, kept", [(1, 1), (2, 2), (None, N)])
def test_output_follows_the_equations(top_k, kept):
    model = front_end(top_k=top_k)
    nn.init.normal_(model.norm.weight)
    nn.init.normal_(model.norm.bias)
    states = torch.randn(B, T, L, D, dtype=torch.float64)
    z, routing = model(states, length_mask(LENGTHS, T))
    for task in ("emotion", "enhancement"):
        # The gate's softmax is float32 by design, hence the tolerance.
        torch.testing.assert_close(z[task].double(), by_the_equations(model, states, task, kept), atol=2e-6, rtol=1e-5)
    for decided in routing:
        on_frames = decided.weights[decided.mask]
        assert ((on_frames > 0).sum(dim=-1) == kept).all()
        torch.testing.assert_close(decided.probabilities[decided.mask].sum(-1), torch.ones(int(LENGTHS.sum())))
        assert decided.weights[~decided.mask].abs().sum() == 0


def test_every_gate_learns_from_its_own_task():
    model = front_end(top_k=1)
    z, _ = model(torch.randn(B, T, L, D, dtype=torch.float64), length_mask(LENGTHS, T))
    z["emotion"].square().sum().backward()
    assert model.gates["emotion"].projection.weight.grad.norm() > 1e-3
    # The other gate's output was not used: its gradient is exactly zero.
    assert model.gates["enhancement"].projection.weight.grad.norm() == 0


def test_hard_weights_give_the_gate_no_gradient():
    model = front_end(top_k=1, gate_weight="hard")
    z, routing = model(torch.randn(B, T, L, D, dtype=torch.float64), length_mask(LENGTHS, T))
    (z["emotion"].square().sum() + z["enhancement"].square().sum()).backward()
    assert all(gate.projection.weight.grad is None for gate in model.gates.values())
    assert set(routing[0].weights.unique().tolist()) == {0.0, 1.0}


def test_padding_changes_nothing():
    model = front_end(top_k=1)
    states = torch.randn(B, T, L, D, dtype=torch.float64)
    mask = length_mask(LENGTHS, T)
    z, _ = model(states, mask)
    noise = torch.where(mask[..., None, None], states, 1e3 * torch.randn_like(states))
    changed, _ = model(noise, mask)
    for b, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(states[b : b + 1, :length], torch.ones(1, length, dtype=torch.bool))
        torch.testing.assert_close(z["emotion"][b, :length], alone["emotion"][0])
        torch.testing.assert_close(z["emotion"][b], changed["emotion"][b])
        assert z["emotion"][b, length:].abs().sum() == 0


def test_parameter_counts_at_the_papers_sizes():
    with torch.device("meta"):
        model = MixtureOfExperts(25, 1024, ["emotion", "enhancement"], num_experts=3, expert_size=4096)

    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    assert [count(expert) for expert in model.experts] == [109_057_024] * 3
    assert [count(gate) for gate in model.gates.values()] == [76_803] * 2


def test_a_shared_gate_is_one_gate():
    for shared, count in ((True, 1), (False, 2)):
        model = front_end(shared_gate=shared)
        _, routing = model(torch.randn(B, T, L, D, dtype=torch.float64), length_mask(LENGTHS, T))
        assert [decided.name for decided in routing] == ["emotion", "enhancement"]
        assert gates_once(routing) == routing[-count:]


def test_one_gate_for_both_tasks():
    model = front_end(top_k=1, shared_gate=True)
    z, routing = model(torch.randn(B, T, L, D, dtype=torch.float64), length_mask(LENGTHS, T))
    assert list(model.gates) == ["shared"] and [decided.name for decided in routing] == ["emotion", "enhancement"]
    assert torch.equal(routing[0].weights, routing[1].weights)
    assert torch.equal(z["emotion"], z["enhancement"])


def test_shared_experts_work_on_every_frame_with_weight_one():
    torch.manual_seed(0)
    model = front_end(top_k=1, num_shared_experts=2)
    states, mask = torch.randn(B, T, L, D, dtype=torch.float64), length_mask(LENGTHS, T)
    z, _ = model(states, mask)
    frames = model.frames(states)[mask]
    always = model.shared_experts[0](frames) + model.shared_experts[1](frames)
    model.shared_experts = Experts([])
    without, _ = model(states, mask)
    for task in ("emotion", "enhancement"):
        torch.testing.assert_close(z[task][mask] - without[task][mask], always, check_dtype=False, atol=1e-6, rtol=1e-6)


def test_both_gates_read_one_float32_copy_of_the_frames_under_autocast():
    model = front_end().float()
    seen = []
    for gate in model.gates.values():
        gate.projection.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output.dtype)))
    with torch.autocast("cpu", torch.bfloat16):
        model(torch.randn(B, T, L, D), length_mask(LENGTHS, T))
    assert [dtype for _, dtype in seen] == [torch.float32] * 2
    assert seen[0][0] is seen[1][0]


def test_modules_keep_their_names_and_the_order_of_their_initialisation():
    """Both decide the bytes of a trained model; the names also whether a finished one is still read."""
    torch.manual_seed(0)
    model = MixtureOfExperts(L, D, ["emotion", "enhancement"], N, 10, num_shared_experts=1)
    torch.manual_seed(0)
    expected = {"norm.weight": torch.ones(L, D), "norm.bias": torch.zeros(L, D)}
    for gate in ("emotion", "enhancement"):
        layer = nn.Linear(L * D, N)
        expected |= {f"gates.{gate}.projection.{name}": value for name, value in layer.named_parameters()}
    for network in [*(f"experts.{n}" for n in range(N)), "shared_experts.0"]:
        for place, layer in ((0, nn.Linear(L * D, 10)), (2, nn.Linear(10, D))):
            expected |= {f"{network}.{place}.{name}": value for name, value in layer.named_parameters()}
    state = model.state_dict()
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], value) for name, value in expected.items())
