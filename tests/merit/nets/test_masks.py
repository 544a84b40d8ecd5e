"""Masks of padded batches."""

import pytest
import torch

from merit.nets.masks import length_mask


@pytest.mark.parametrize("size", [None, 4, 6])
def test_the_first_positions_of_each_row_are_inside(size):
    lengths = [4, 0, 1]
    mask = length_mask(torch.tensor(lengths), size)
    width = size or max(lengths)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[place < length for place in range(width)] for length in lengths]


def test_a_smaller_size_cuts():
    assert length_mask(torch.tensor([4, 1]), 2).tolist() == [[True, True], [True, False]]
