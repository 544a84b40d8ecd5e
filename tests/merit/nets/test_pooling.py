"""Attentive statistics pooling against Okabe et al.'s formula in float64."""

import numpy as np
import pytest
import torch

from merit.nets.masks import length_mask
from merit.nets.pooling import AttentiveStatisticsPooling


def test_pooling_follows_okabe_et_al():
    pooling = AttentiveStatisticsPooling(5)
    frames = torch.randn(2, 6, 5)
    lengths = torch.tensor([6, 3])
    pooled = pooling(frames, length_mask(lengths, 6)).detach().numpy()
    weight, bias = (parameter.detach().double().numpy() for parameter in pooling.projection.parameters())
    v = pooling.attention.detach().double().numpy()
    for b, length in enumerate(lengths.tolist()):
        h = frames[b, :length].double().numpy()
        score = np.tanh(h @ weight.T + bias) @ v
        alpha = np.exp(score) / np.exp(score).sum()
        mean = alpha @ h
        deviation = np.sqrt(alpha @ (h - mean) ** 2)
        np.testing.assert_allclose(pooled[b], np.concatenate([mean, deviation]), rtol=1e-4, atol=1e-5)


def test_scores_of_the_pooling_are_float32_under_autocast():
    """Two frames whose scores differ by less than bfloat16 tells apart must not weigh the same."""
    pooling = AttentiveStatisticsPooling(64)
    frames = torch.randn(1, 200, 64)
    weights = []
    softmax = torch.softmax

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "softmax", lambda scores, dim: weights.append(scores) or softmax(scores, dim=dim))
        with torch.autocast("cpu", torch.bfloat16):
            projected = torch.tanh(pooling.projection(frames))
            pooling(frames, torch.ones(1, 200, dtype=torch.bool))
    expected = projected.double() @ pooling.attention.double()
    assert weights[0].dtype == torch.float32
    torch.testing.assert_close(weights[0].double(), expected, rtol=0, atol=1e-5)


def test_pooling_of_one_frame_has_no_nan_gradient():
    pooling = AttentiveStatisticsPooling(5)
    frames = torch.randn(1, 1, 5, requires_grad=True)
    pooling(frames, torch.ones(1, 1, dtype=torch.bool)).sum().backward()
    assert torch.isfinite(frames.grad).all()
