"""Padding, and batches that move."""

from dataclasses import dataclass

import torch

from merit.data.padding import moved, stack_padded


@dataclass
class Pair:
    """A batch with a tensor that travels, one that stays and none."""

    keys: list[str]
    lengths: torch.Tensor
    values: torch.Tensor
    absent: torch.Tensor | None = None


def test_shorter_ones_are_padded_with_zeros_whatever_the_memory_held():
    values = [torch.full((2, 3), 1.0), torch.full((4, 3), 2.0), torch.full((1, 3), 3.0)]
    stacked = stack_padded(values)
    assert torch.equal(stacked, torch.nn.utils.rnn.pad_sequence(values, batch_first=True))


def test_what_is_left_stays_where_it_is():
    batch = Pair(["a"], torch.ones(1), torch.ones(1))
    there = moved(batch, torch.device("meta"), left=("lengths",))
    assert (there.lengths.device.type, there.values.device.type, there.absent) == ("cpu", "meta", None)
    assert there.keys == ["a"] and batch.values.device.type == "cpu"
