"""What is trained and in how large steps: schedules against torch's and transformers', freezing, two learning rates."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from toy_system import TRAINING, train_line
from transformers import get_cosine_schedule_with_warmup, get_inverse_sqrt_schedule, get_linear_schedule_with_warmup

from merit.errors import MeritError
from merit.training.optimizer import freeze, learning_rate_factor, make_optimizer

STEPS = 50


def factors(schedule, warmup):
    return [learning_rate_factor(schedule, step, warmup, step / STEPS) for step in range(STEPS)]


def of_a_library(make):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(STEPS):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def test_without_a_warm_up_schedules_are_those_of_transformers():
    linear = of_a_library(lambda optimizer: get_linear_schedule_with_warmup(optimizer, 0, STEPS))
    cosine = of_a_library(lambda optimizer: get_cosine_schedule_with_warmup(optimizer, 0, STEPS))
    assert factors("linear", 0) == pytest.approx(linear)
    assert factors("cosine", 0) == pytest.approx(cosine)
    assert factors("constant", 0) == [1.0] * STEPS


def test_inverse_square_root_is_that_of_transformers_a_step_later():
    # Theirs begins with a learning rate of 0, and a step of nothing.
    theirs = of_a_library(lambda optimizer: get_inverse_sqrt_schedule(optimizer, 10))
    assert factors("inverse_square_root", 10)[:-1] == pytest.approx(theirs[1:])
    assert max(factors("inverse_square_root", 10)) == 1.0


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "inverse_square_root"])
def test_a_warm_up_rises_to_the_whole_rate(schedule):
    assert factors(schedule, 4)[:4] == [0.25, 0.5, 0.75, 1.0]


def test_learning_rates_of_a_training_follow_the_schedule_also_when_it_goes_on(tmp_path, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def recording(self, *arguments, **options):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", recording)
    training = replace(TRAINING, epochs=4, schedule="cosine", warmup_steps=2)
    whole = train_line(tmp_path / "whole", training)
    expected = [0.5, 1.0] + [0.5 * (1 + math.cos(math.pi * n / 12)) for n in range(2, 12)]
    assert rates == pytest.approx([0.1 * factor for factor in expected])
    rates.clear()
    with monkeypatch.context() as patch:  # killed after the second epoch
        patch.setattr("merit.training.run.Run.finished", property(lambda run: run.epoch >= 2))
        train_line(tmp_path / "cut", training)
    going_on = train_line(tmp_path / "cut", training)
    assert rates == pytest.approx([0.1 * factor for factor in expected])
    for name, value in whole.bare_model.state_dict().items():
        assert torch.equal(value, going_on.bare_model.state_dict()[name])


def test_frozen_modules_stay_as_they_are(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train_line(tmp_path, replace(TRAINING, epochs=1, freeze=["0"], weight_decay=0.5), model=model)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"2.weight", "2.bias"}


def test_an_unknown_module_is_not_frozen_in_silence():
    with pytest.raises(MeritError, match="training.freeze: the model has no module 'encoder'; it has 0, 1"):
        freeze(nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), ["0", "encoder"])


def test_the_encoder_has_a_learning_rate_of_its_own():
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "head": nn.Linear(2, 1)})
    model["head"].bias.requires_grad_(False)
    training = replace(TRAINING, learning_rate=0.1, encoder_learning_rate=0.01)
    groups = {group["lr"]: group["params"] for group in make_optimizer(model, training).param_groups}
    assert {rate: len(parameters) for rate, parameters in groups.items()} == {0.01: 2, 0.1: 1}
    assert groups[0.1][0] is model["head"].weight


def test_the_decay_of_the_mean_square_is_an_option():
    model = nn.Linear(2, 1)
    assert make_optimizer(model, TRAINING).param_groups[0]["betas"] == (0.9, 0.999)
    assert make_optimizer(model, replace(TRAINING, adam_beta2=0.98)).param_groups[0]["betas"] == (0.9, 0.98)
