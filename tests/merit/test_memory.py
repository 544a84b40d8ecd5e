import psutil
import pytest
import torch

from merit.memory import memory_figures


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_resident_memory_of_this_process_in_gb():
    before = memory_figures(torch.device("cpu"))
    assert before == {"memory_gb": pytest.approx(resident() / 1e9, rel=0.1)}
    held = bytearray(b"x") * 200_000_000
    grown = memory_figures(torch.device("cpu"))["memory_gb"] - before["memory_gb"]
    assert grown == pytest.approx(len(held) / 1e9, rel=0.1)
