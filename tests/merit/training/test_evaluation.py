"""Losses and counts of a dev set: the same however it is cut into batches."""

import pytest
import torch
from toy_system import TRAINING, Line, SquaredError, collate

from merit.training.accelerator import make_accelerator
from merit.training.evaluation import Evaluation, added


def test_entries_are_added_where_they_are():
    parts = [{"a": torch.tensor(1.0)}, {"a": torch.tensor(2.0), "b": torch.tensor(4.0)}, {}]
    assert added(parts) == {"a": 3.0, "b": 4.0}


@pytest.mark.parametrize("size", [1, 4, 10])
def test_sums_are_divided_once_over_all_batches(tmp_path, size):
    line = Line(10)
    model = torch.nn.Linear(1, 1)
    evaluation = Evaluation(model, SquaredError(), make_accelerator(TRAINING, tmp_path))
    assert not model.training
    items = [line[place, 0] for place in range(10)]
    evaluation.add([collate(items[start : start + size]) for start in range(0, 10, size)])
    found = evaluation.result()
    x = line.x.double().unsqueeze(1)
    error = (x @ model.weight.double().t() + model.bias.double() - (3 * x - 1)).detach()
    assert found.values["error"] == pytest.approx(error.square().mean().item(), rel=1e-5)
    assert found.values["near"] == pytest.approx(error.abs().lt(0.5).double().mean().item())
    assert all(parameter.grad is None for parameter in model.parameters())
