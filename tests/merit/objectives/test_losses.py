"""Losses against torch's means and scikit-learn's class weights."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from merit.objectives.losses import (
    balanced_class_weights,
    cross_entropy_denominator,
    l1_denominator,
    masked_l1,
    weighted_cross_entropy,
)


def test_class_weights_are_scikit_learns_balanced_ones():
    labels = np.repeat([0, 1, 2, 3], [10, 8, 29, 53])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    np.testing.assert_allclose(balanced_class_weights(torch.tensor([10, 8, 29, 53])).numpy(), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="no training utterance"):
        balanced_class_weights(torch.tensor([3, 0]))


def test_cross_entropy_over_parts_is_the_one_over_the_whole():
    logits, labels, weights = torch.randn(12, 4), torch.randint(4, (12,)), torch.rand(4) + 0.1
    whole = torch.nn.functional.cross_entropy(logits, labels, weight=weights)
    parts = [slice(0, 5), slice(5, 6), slice(6, 12)]
    total = sum(weighted_cross_entropy(logits[part], labels[part], weights) for part in parts)
    denominator = sum(cross_entropy_denominator(labels[part], weights) for part in parts)
    torch.testing.assert_close(total / denominator, whole)


def test_l1_counts_real_frames_only():
    lengths = torch.tensor([800, 480])
    estimate, target = torch.rand(2, 6, 201), torch.rand(2, 6, 201)
    differences = np.concatenate(
        [np.abs(estimate[b, :n].numpy() - target[b, :n].numpy()).ravel() for b, n in ((0, 6), (1, 4))]
    )
    value = masked_l1(estimate, target, lengths) / l1_denominator(lengths)
    np.testing.assert_allclose(float(value), differences.mean(), rtol=1e-5)
    estimate[1, 4:] = 1e6
    torch.testing.assert_close(masked_l1(estimate, target, lengths) / l1_denominator(lengths), value)
