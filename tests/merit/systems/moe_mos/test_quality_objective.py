"""Losses with masks, weights that move, and what a dev set comes to."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from merit.errors import MeritError
from merit.metrics.quality.agreement import quality_scores
from merit.nets.gate import Routing
from merit.systems.moe_mos.clip_batch import MosBatch
from merit.systems.moe_mos.clip_dataset import ClipDataset
from merit.systems.moe_mos.quality_model import MosOutput
from merit.systems.moe_mos.quality_objective import MosObjective, usage_warnings
from merit.systems.moe_mos.stage_options import classification_stage, joint_stage

CLASSES = ["bad", "clean", "fair"]


@pytest.fixture
def dev_set(rated, statistics):
    return ClipDataset(rated["dev"], CLASSES, statistics)


@pytest.fixture
def objective(dev_set):
    return MosObjective(joint_stage(), dev_set)


def batch(mos, systems):
    count = len(mos)
    lengths = torch.full((count,), 3200)
    return MosBatch(
        [f"c{n}" for n in range(count)], lengths, torch.arange(count), torch.tensor(mos), torch.tensor(systems)
    )


def output(mos, logits, gates):
    gates = torch.tensor(gates).unsqueeze(1)
    return MosOutput(
        torch.tensor(mos), torch.tensor(logits), Routing("quality", gates, gates, torch.ones(len(mos), 1) > 0)
    )


NAN = math.nan
BATCH = batch([4.5, NAN, 1.0, 3.0], [0, 1, -1, 2])
OUTPUT = output(
    [4.0, 5.0, 3.0, 3.0],
    [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [9.0, 0.0, 0.0], [0.5, 0.0, 0.5]],
    [[0.7, 0.3], [0.5, 0.5], [1.0, 0.0], [0.2, 0.8]],
)


def test_losses_over_those_clips_that_have_them(objective):
    sums, parts = objective.sums(OUTPUT, BATCH), objective.denominators(BATCH)
    found = {name: (sums[name] / parts[name]).item() for name in sums}
    # Smooth L1 with beta 1: d^2 / 2 below 1, d - 1/2 above; the second clip has no rating.
    assert found["mos"] == pytest.approx((0.5**2 / 2 + (2 - 0.5) + 0) / 3)
    logits = OUTPUT.systems.double().numpy()[[0, 1, 3]]
    log = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert found["classification"] == pytest.approx(-(log[0, 0] + log[1, 1] + log[2, 2]) / 3, abs=1e-6)
    gates = OUTPUT.routing.weights[:, 0].double().numpy()
    assert found["diversity"] == pytest.approx(2 * (gates.mean(0) ** 2).sum(), abs=1e-6)
    assert found["sparsity"] == pytest.approx((1 / np.sqrt((gates**2).sum(1))).mean(), abs=1e-6)


def test_losses_that_no_clip_has_are_zero_and_leave_those_of_other_micro_batches(objective):
    nothing = batch([NAN, NAN], [-1, -1])
    empty = output([3.0, 3.0], [[0.0] * 3] * 2, [[0.5, 0.5]] * 2)
    sums, parts = objective.sums(empty, nothing), objective.denominators(nothing)
    assert (sums["mos"] / parts["mos"]).item() == 0 and (sums["classification"] / parts["classification"]).item() == 0
    both = {name: value + parts[name] for name, value in objective.denominators(BATCH).items()}
    assert both["mos"].item() == 3 and both["classification"].item() == 3 and both["sparsity"].item() == 6


@pytest.mark.parametrize("progress, share", [(0.0, 0.3), (0.25, 0.4), (1.0, 0.7)])
def test_weights_move_linearly(objective, progress, share):
    weights = objective.weights(progress)
    assert weights["mos"] == pytest.approx(share) and weights["classification"] == pytest.approx(1 - share)
    assert (weights["diversity"], weights["sparsity"]) == (0.05, 0.02)


def test_the_dev_set_is_scored_whole_from_counts_of_its_batches(objective, dev_set):
    generator = np.random.default_rng(0)
    answers = generator.uniform(1, 5, len(dev_set)).astype(np.float32)
    total: dict[str, torch.Tensor] = {}
    for places in (range(4), range(4, len(dev_set))):
        items = [dev_set[place, 0] for place in places]
        part = batch([item.mos.item() for item in items], [item.systems.item() for item in items])
        part.positions = torch.tensor(list(places))
        gates = [[0.97, 0.03]] * len(items)
        said = output(answers[places].tolist(), [[0.0, 1.0, 0.0]] * len(items), gates)
        counts = objective.counts(said, part)
        total = {name: total.get(name, 0) + value for name, value in counts.items()}
    losses = {"mos": 0.5, "classification": 1.0, "diversity": 1.0, "sparsity": 1.0}
    summary = objective.summary(losses, total)
    systems = [dev_set.clips[key].system_id for key in dev_set.keys]
    expected = quality_scores(systems, dev_set.mos.double().numpy(), answers)
    assert summary.values["sys_srcc"] == pytest.approx(expected.system.srcc)
    assert summary.values["utt_mse"] == pytest.approx(expected.utterance.mse, rel=1e-6)
    assert summary.values["accuracy"] == pytest.approx(1 / 3)  # all are taken for the clean ones
    assert summary.usage == pytest.approx({"usage_1": 0.97, "usage_2": 0.03}, abs=1e-6)
    assert summary.warnings == ["expert 2 has 3.0 % of the gate's weight; a larger diversity_weight spreads it"]
    assert usage_warnings([1.0]) == []


def test_a_model_that_says_one_thing_ranks_nothing(objective, dev_set):
    counts = {
        "predictions": torch.full((len(dev_set),), 5.0),
        "gates": torch.ones(2),
        "right": torch.tensor(0),
        "known": torch.tensor(9),
    }
    values = objective.summary({"mos": 1.0, "classification": 1.0}, counts).values
    assert values["sys_srcc"] == 0.0 and values["utt_srcc"] == 0.0


def test_a_dev_set_of_unknown_systems_has_no_classification(rated, statistics):
    dev_set = ClipDataset(rated["dev"], ["others"], statistics)
    with pytest.raises(MeritError, match="select is accuracy, which needs a clip of a system that is in the training"):
        MosObjective(classification_stage(), dev_set)
    objective = MosObjective(replace(classification_stage(), select="mos"), dev_set)
    assert objective.criterion == ("mos", False)
    counts = {
        "predictions": torch.linspace(1, 5, len(dev_set)),
        "gates": torch.ones(1),
        "right": torch.tensor(0),
        "known": torch.tensor(0),
    }
    values = objective.summary({"mos": 1.0, "classification": 0.0}, counts).values
    assert "classification" not in values and "accuracy" not in values


def test_a_dev_set_without_ratings_is_refused(rated, statistics):
    dev_set = ClipDataset(rated["dev"], CLASSES, statistics)
    dev_set.mos[:] = NAN
    with pytest.raises(MeritError, match="no clip has a rating"):
        MosObjective(joint_stage(), dev_set)
    dev_set.mos[:] = 3.0
    with pytest.raises(MeritError, match="select is sys_srcc, which needs two systems of different mean ratings"):
        MosObjective(joint_stage(), dev_set)
