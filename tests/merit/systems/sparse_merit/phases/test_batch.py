"""Padded batches and random crops."""

import torch

from merit.data.crops import crop_window
from merit.systems.sparse_merit.phases.batch import Batch, collate, crop_states
from merit.time_grid import FRAME_SAMPLES


def test_collate_pads_with_zeros():
    one = Batch(
        ["a"], torch.tensor([3]), noisy=torch.ones(1, 3), states=torch.ones(1, 2, 4, 5), frame_lengths=torch.tensor([2])
    )
    two = Batch(
        ["b"], torch.tensor([5]), noisy=torch.ones(1, 5), states=torch.ones(1, 3, 4, 5), frame_lengths=torch.tensor([3])
    )
    batch = collate([one, two])
    assert batch.keys == ["a", "b"] and batch.clean is None and batch.labels is None
    assert batch.noisy.shape == (2, 5) and batch.noisy[0, 3:].sum() == 0
    assert batch.states.shape == (2, 3, 4, 5) and batch.states[0, 2].sum() == 0
    assert batch.lengths.tolist() == [3, 5] and batch.frame_lengths.tolist() == [2, 3]


def test_cropping_a_batch_equals_cropping_its_utterances():
    lengths = [(200, 64_480), (50, 16_400)]
    items = [
        Batch(
            [f"u{i}"],
            torch.tensor([n]),
            torch.randn(1, n),
            torch.randn(1, n),
            None,
            torch.randn(1, t, 2, 3),
            torch.tensor([t]),
        )
        for i, (t, n) in enumerate(lengths)
    ]
    cropped = crop_states(collate(items), epoch=2, seed=7, crop_frames=64)
    for i, (t, n) in enumerate(lengths):
        frames, samples = crop_window(f"u{i}", 2, 7, t, n, 64)
        torch.testing.assert_close(cropped.noisy[i, : samples.stop - samples.start], items[i].noisy[0, samples])
        torch.testing.assert_close(cropped.states[i, : frames.stop - frames.start], items[i].states[0, frames])
    assert cropped.lengths.tolist() == [64 * FRAME_SAMPLES, 16_400]


def items(lengths):
    return [Batch([f"u{i}"], torch.tensor([n]), torch.ones(1, n)) for i, n in enumerate(lengths)]


def test_features_are_padded_with_zeros():
    one = Batch(["a"], torch.tensor([3]), frame_lengths=torch.tensor([1]), features=torch.ones(1, 1, 4))
    two = Batch(["b"], torch.tensor([5]), frame_lengths=torch.tensor([2]), features=torch.ones(1, 2, 4))
    batch = collate([one, two])
    assert batch.features.shape == (2, 2, 4) and batch.features.sum() == 12 and batch.features[0, 1].sum() == 0
    assert batch.frame_lengths.tolist() == [1, 2]
