"""PCGrad against Yu et al.'s Algorithm 1 and against torchjd."""

import pytest
import torch
import torchjd.aggregation

from merit.objectives.pcgrad import combine, gram_matrix, projection_weights


def test_pcgrad_waits_for_the_device_once(on_device, monkeypatch):
    waits = []
    cpu = torch.Tensor.cpu

    def waiting(self):
        waits.append(self.shape)
        return cpu(self).as_subclass(torch.Tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", waiting)
    first = [torch.tensor([1.0, 2.0]), torch.tensor([3.0]), None]
    second = [torch.tensor([-1.0, -1.0]), None, torch.tensor([4.0])]
    gradients = [[None if value is None else on_device(value) for value in single] for single in (first, second)]
    shared, *_ = combine(gradients)
    assert waits == [(2, 2)]
    # They conflict: g1 - (g1.g2 / g2.g2) g2 + g2 - (g1.g2 / g1.g1) g1, with g1.g2 = -3.
    expected = first[0] + 3 / 2 * second[0] + second[0] + 3 / 5 * first[0]
    torch.testing.assert_close(shared.as_subclass(torch.Tensor), expected)


class ToyModel(torch.nn.Module):
    """A shared layer and two heads."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.shared = torch.nn.Linear(5, 4)
        self.heads = torch.nn.ModuleList(torch.nn.Linear(4, 1) for _ in range(2))

    def losses(self, x, targets):
        hidden = torch.tanh(self.shared(x))
        return [((head(hidden).squeeze(-1) - target) ** 2).mean() for head, target in zip(self.heads, targets)]


@pytest.mark.parametrize("conflict", [True, False])
def test_pcgrad_on_a_model_is_torchjds(conflict):
    model = ToyModel()
    x = torch.randn(8, 5)
    target = torch.randn(8)
    with torch.no_grad():
        model.heads[1].load_state_dict(model.heads[0].state_dict())
    targets = [target + 5, target - 5 if conflict else target + 4]
    parameters = list(model.parameters())
    losses = model.losses(x, targets)
    gradients = [torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for loss in losses]

    rows = [torch.cat([g.flatten() for g in single[:2]]) for single in gradients]
    assert (rows[0] @ rows[1] < 0) == conflict
    expected = torchjd.aggregation.PCGrad()(torch.stack(rows))
    combined = combine(gradients)
    torch.testing.assert_close(torch.cat([g.flatten() for g in combined[:2]]), expected, atol=1e-5, rtol=1e-5)
    # A head is reached by its own task alone and keeps that gradient.
    for place, single in ((2, 0), (3, 0), (4, 1), (5, 1)):
        assert torch.equal(combined[place], gradients[single][place])


def test_two_conflicting_gradients_by_hand():
    a, b = torch.tensor([3.0, 1.0]), torch.tensor([-2.0, 1.0])  # Yu et al. 2020, Fig. 2 in numbers
    overlap = float(a @ b)
    expected = (a - overlap / float(b @ b) * b) + (b - overlap / float(a @ a) * a)
    torch.testing.assert_close(combine([[a], [b]])[0], expected)


def test_three_tasks_project_against_the_original_gradients_in_random_order():
    torch.manual_seed(3)
    gradients = torch.randn(3, 4, dtype=torch.float64)
    gradients[1] -= gradients[0]
    gradients[2] -= gradients[1]
    order = torch.Generator().manual_seed(1)
    expected = torch.zeros(4, dtype=torch.float64)
    for i in range(3):  # Algorithm 1
        projected = gradients[i].clone()
        for j in torch.randperm(3, generator=order).tolist():
            if j != i and projected @ gradients[j] < 0:
                projected -= (projected @ gradients[j]) / gradients[j].square().sum() * gradients[j]
        expected += projected
    weights = projection_weights(gradients @ gradients.T, torch.Generator().manual_seed(1))
    torch.testing.assert_close(weights @ gradients, expected)


def test_only_shared_parameters_count_as_conflict():
    products = gram_matrix([[torch.ones(2), torch.ones(3), None], [-torch.ones(2), None, torch.ones(3)]])
    torch.testing.assert_close(products, torch.tensor([[2.0, -2.0], [-2.0, 2.0]], dtype=torch.float64))
