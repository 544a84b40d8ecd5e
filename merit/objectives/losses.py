"""The two losses of paper Eq. 11 as sums with their denominators.

A loss over a batch is ``sum / denominator``. Kept apart, both add up over micro-batches and processes, so that a
batch of 32 gives the same gradient as 4 x 8 or 2 processes x 16, which averages of averages do not.
"""

import torch
from torch import Tensor
from torch.nn import functional

from merit.nets.masks import length_mask
from merit.nets.spectrum import NUM_BINS, num_spectrum_frames


def balanced_class_weights(counts: Tensor) -> Tensor:
    """Weights ``n / (C * n_c)`` (C,) from the number of training utterances of each class (C,).

    Raises:
        ValueError: when a class has no utterance.
    """
    if bool((counts == 0).any()):
        raise ValueError("a class has no training utterance")
    return counts.sum() / (len(counts) * counts.to(torch.float32))


def weighted_cross_entropy(logits: Tensor, labels: Tensor, class_weights: Tensor) -> Tensor:
    """Sum over the batch of ``-class_weights[y] * log softmax(logits)[y]``; its denominator is the sum of weights."""
    return functional.cross_entropy(logits, labels, weight=class_weights, reduction="sum")


def cross_entropy_denominator(labels: Tensor, class_weights: Tensor) -> Tensor:
    """Sum of the class weights of the labels (B,)."""
    return class_weights[labels].sum()


def masked_l1(estimate: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
    """Sum of ``|estimate - target|`` over the real spectrum frames of (B, F, 201) log1p magnitudes.

    Args:
        estimate, target: (B, F, 201).
        lengths: (B,) samples of the waveforms.
    """
    inside = length_mask(num_spectrum_frames(lengths), estimate.shape[1])
    return ((estimate - target).abs() * inside.unsqueeze(-1)).sum()


def l1_denominator(lengths: Tensor) -> Tensor:
    """Number of real time-frequency bins of waveforms of ``lengths`` (B,) samples."""
    return num_spectrum_frames(lengths).sum() * NUM_BINS
