"""Precision of what is computed outside the training."""

import torch

from merit.device import autocast


def test_float32_on_a_gpu_is_not_tf32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with autocast("float32", torch.device("cpu")):
        assert not torch.is_autocast_enabled("cpu")
        assert torch.backends.cudnn.allow_tf32 is False
    with autocast("bfloat16", torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu")
        assert torch.backends.cudnn.allow_tf32 is True
