"""How fast an encoder computes its states on one core."""

import time

import torch

from merit.device import autocast
from merit.nets.ssl import SpeechEncoder
from merit.precision import Precision
from merit.time_grid import SAMPLE_RATE

ALLOCATOR_BLOCK = 31 << 20
"""Bytes of a block that is taken and given back before a measurement. Until glibc has seen a large one it returns the
memory of every pass to the system, and a small encoder spends up to a fifth of its time on getting it again; how much
would depend on what the process did before. Above 32 MB it learns nothing from a block (mallopt(3))."""


@torch.inference_mode()
def states_per_second(
    encoder: SpeechEncoder, precision: Precision, batch: int = 8, seconds: float = 3.0, repeats: int = 5
) -> float:
    """Seconds of audio whose states one core of the CPU computes in a second, in the fastest of some repeats.

    Args:
        encoder: moved to the CPU.
        precision: of the computation.
        batch: signals computed at once, of noise.
        seconds: length of each.
        repeats: after one that is not counted.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        encoder = encoder.cpu().eval()
        torch.empty(ALLOCATOR_BLOCK, dtype=torch.uint8)
        generator = torch.Generator().manual_seed(0)
        waveform = torch.randn(batch, round(seconds * SAMPLE_RATE), generator=generator)
        lengths = torch.full((batch,), waveform.shape[1])
        taken = []
        with autocast(precision, torch.device("cpu")):
            for _ in range(repeats + 1):
                start = time.perf_counter()
                encoder(waveform, lengths)
                taken.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return batch * seconds / min(taken[1:])
