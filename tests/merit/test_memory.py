import sys

import psutil
import pytest
import torch

from merit.memory import give_back_memory, memory_use, peak_memory


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_resident_memory_of_this_process_in_gb():
    before = memory_use(torch.device("cpu"))
    assert before == {"memory_gb": pytest.approx(resident() / 1e9, rel=0.1)}
    held = bytearray(b"x") * 200_000_000
    grown = memory_use(torch.device("cpu"))["memory_gb"] - before["memory_gb"]
    assert grown == pytest.approx(len(held) / 1e9, rel=0.1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc alone")
def test_memory_that_is_free_in_the_heap_goes_back_to_the_system():
    pieces = [bytearray(b"x") * 4096 for _ in range(50_000)]
    last = pieces.pop()  # behind all the others, so that freeing them does not shorten the heap
    pieces.clear()
    before = resident()
    give_back_memory()
    assert before - resident() > 150_000_000
    assert len(last) == 4096


def test_the_most_that_was_held_stays_when_it_is_free_again():
    held = bytearray(b"x") * 300_000_000
    most = resident() / 1e9
    del held
    found = peak_memory(torch.device("cpu"))
    assert found.keys() == {"peak_memory_gb"} and found["peak_memory_gb"] >= 0.99 * most
