"""A toy system on the training core: nothing but its objective, its batches and its examples."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from toy_system import TRAINING, SquaredError, train_line

from merit.training.contract import Criterion


def test_a_criterion_ranks_by_its_direction_and_equals_by_time():
    history = [{"epoch": n, "dev_a": value} for n, value in enumerate([0.5, 0.7, 0.2, 0.7])]
    assert [row["epoch"] for row in Criterion("a", True).best_first(history)] == [1, 3, 0, 2]
    assert [row["epoch"] for row in Criterion("a", False).best_first(history)] == [2, 0, 1, 3]


def test_a_system_of_a_few_lines_is_trained(tmp_path):
    run = train_line(tmp_path, replace(TRAINING, epochs=30))
    assert [row["epoch"] for row in run.history] == list(range(1, 31))
    assert run.best["dev_error"] < 0.05 < run.history[0]["dev_error"]
    assert run.history[-1].keys() == {"epoch", "train_error", "dev_error", "dev_near", "memory_gb"}


@pytest.mark.parametrize("criterion", [Criterion("error", False), Criterion("near", True), Criterion("near", False)])
def test_the_epoch_that_the_criterion_prefers_is_kept(tmp_path, criterion):
    training = replace(TRAINING, epochs=9, learning_rate=0.3)
    run = train_line(tmp_path, training, SquaredError(criterion))
    values = [row[f"dev_{criterion.name}"] for row in run.history]
    best = values.index((max if criterion.higher_is_better else min)(values))
    assert run.best["epoch"] == best + 1
    again = train_line(
        tmp_path / "again", replace(TRAINING, epochs=best + 1, learning_rate=0.3), SquaredError(criterion)
    )
    weights = load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(weights[name], value) for name, value in again.bare_model.state_dict().items())


def test_the_objective_hears_how_far_the_training_is(tmp_path):
    objective = SquaredError()
    train_line(tmp_path, replace(TRAINING, epochs=2), objective)
    assert objective.progress == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])  # three steps an epoch
