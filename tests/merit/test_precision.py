from typing import get_args

import torch

from merit.precision import Precision, ResolvedPrecision


def test_every_precision_but_auto_is_a_type_of_pytorch():
    assert {*get_args(Precision)} - {"auto"} == {*get_args(ResolvedPrecision)}
    assert all(isinstance(getattr(torch, name), torch.dtype) for name in get_args(ResolvedPrecision))
