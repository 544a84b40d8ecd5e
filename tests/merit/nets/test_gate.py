"""Gates against paper Eq. 4 and 5."""

import pytest
import torch

from merit.errors import MeritError
from merit.nets.gate import Gate


@pytest.mark.parametrize("top_k, kept", [(1, 1), (2, 2), (None, 3)])
@pytest.mark.parametrize("leading", [(), (4,), (2, 5)])
def test_weights_are_the_kept_probabilities_not_renormalised(leading, top_k, kept):
    gate = Gate(6, 3, top_k)
    frames = torch.randn(*leading, 6)
    weights, probabilities = gate(frames)
    expected = torch.exp(frames @ gate.projection.weight.T + gate.projection.bias)
    torch.testing.assert_close(probabilities, expected / expected.sum(dim=-1, keepdim=True))
    least = probabilities.sort(dim=-1, descending=True).values[..., kept - 1, None]
    assert torch.equal(weights, torch.where(probabilities >= least, probabilities, 0))


def test_gates_decide_in_float32_under_autocast():
    """Experts that differ by less than bfloat16 tells apart are told apart; at 25,600 inputs one in 800 frames ties."""
    gate = Gate(512, 3, top_k=1)
    frames = torch.randn(4000, 512).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        weights, probabilities = gate(frames)
    logits = frames.double() @ gate.projection.weight.double().T + gate.projection.bias.double()
    assert torch.equal(weights.argmax(-1), logits.argmax(-1))
    torch.testing.assert_close(probabilities.double(), torch.softmax(logits, -1), rtol=0, atol=1e-6)


def test_unusable_gates_are_refused():
    with pytest.raises(MeritError, match="between 1 and the number of experts"):
        Gate(4, 3, top_k=4)
    with pytest.raises(MeritError, match="hard weights need top_k"):
        Gate(4, 3, top_k=None, weight="hard")
