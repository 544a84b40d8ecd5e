"""DistilHuBERT's loss and the loss of the means, against their formulas in float64."""

import numpy as np
import torch

from merit.systems.distillation.distillation_objective import (
    DistillationObjective,
    distillation_losses,
    state_statistics,
)
from merit.systems.distillation.noisy_examples import Batch


def by_hand(predicted, target):
    """Chang, Yang and Lee 2022, Eq. 1, of one frame: mean absolute difference, -log sigmoid(cos)."""
    cosine = predicted @ target / np.sqrt((predicted @ predicted) * (target @ target))
    return np.abs(predicted - target).mean(), np.log1p(np.exp(-cosine))


def test_losses_of_frames():
    generator = np.random.default_rng(0)
    predicted, target = generator.standard_normal((2, 5, 7))
    l1, cosine = distillation_losses(torch.from_numpy(predicted), torch.from_numpy(target))
    expected = np.array([by_hand(*frame) for frame in zip(predicted, target)])
    np.testing.assert_allclose(np.stack([l1, cosine], axis=1), expected, rtol=1e-9)


def test_sums_over_true_frames_of_standardised_targets():
    generator = torch.Generator().manual_seed(1)
    mean, std = torch.randn(2, 6, generator=generator), torch.rand(2, 6, generator=generator) + 0.5
    objective = DistillationObjective(mean, std, cosine_weight=2.0, mean_weight=3.0)
    targets = torch.randn(2, 5, 2, 6, generator=generator)
    lengths = torch.tensor([5, 3])
    predicted = [torch.randn(2, 7, 6, generator=generator) for _ in range(2)]  # two frames more than the teacher's
    batch = Batch(["a", "b"], torch.tensor([1600, 960]), torch.zeros(2, 1600), targets, lengths)
    sums, denominators = objective.sums((predicted, lengths), batch), objective.denominators(batch)

    expected = {"l1": 0.0, "cosine": 0.0, "mean": 0.0}
    for layer in range(2):
        for row, frames in enumerate(lengths.tolist()):
            target = ((targets[row, :frames, layer] - mean[layer]) / std[layer]).double().numpy()
            own = predicted[layer][row, :frames].double().numpy()
            pairs = [by_hand(*frame) for frame in zip(own, target)]
            expected["l1"] += sum(l1 for l1, _ in pairs)
            expected["cosine"] += sum(cosine for _, cosine in pairs)
            expected["mean"] += np.abs(own.mean(0) - target.mean(0)).mean()
    for name, value in expected.items():
        np.testing.assert_allclose(sums[name].item(), value, rtol=1e-5)
    assert {name: value.item() for name, value in denominators.items()} == {"l1": 16, "cosine": 16, "mean": 4}
    summary = objective.summary({"l1": 1.0, "cosine": 10.0, "mean": 100.0}, {})
    assert summary.values["loss"] == 1 + 2 * 10 + 3 * 100


def test_statistics_are_numpys():
    states = [torch.randn(frames, 2, 3) for frames in (4, 9)]
    mean, std = state_statistics(states)
    joined = torch.cat(states).numpy()
    np.testing.assert_allclose(mean, joined.mean(0), atol=1e-6)
    np.testing.assert_allclose(std, joined.std(0), atol=1e-6)
