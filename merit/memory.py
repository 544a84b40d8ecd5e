"""Memory that this process holds, and giving back what of it is free."""

import ctypes
import resource
import sys

import psutil
import torch


def memory_use(device: torch.device) -> dict[str, float]:
    """Memory of this process in GB (10^9 bytes).

    Args:
        device: where it computes.

    Returns:
        ``memory_gb``, resident in the memory of the host now, without that of the processes that read audio; on a GPU
        also ``gpu_memory_gb``, the most that tensors have held there at a time.
    """
    values = {"memory_gb": psutil.Process().memory_info().rss / 1e9}
    if device.type == "cuda":
        values["gpu_memory_gb"] = torch.cuda.max_memory_allocated(device) / 1e9
    return values


def peak_memory(device: torch.device) -> dict[str, float]:
    """The most memory that this process has held so far, in GB (10^9 bytes).

    Args:
        device: where it computes.

    Returns:
        ``peak_memory_gb``, resident in the memory of the host; on a GPU also ``gpu_memory_gb``, that of tensors there.
    """
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    values = {"peak_memory_gb": kilobytes * 1024 / 1e9}
    if device.type == "cuda":
        values["gpu_memory_gb"] = torch.cuda.max_memory_allocated(device) / 1e9
    return values


def give_back_memory() -> None:
    """Give free memory back to the operating system.

    glibc keeps what is freed in the middle of its heap. With tensors of other sizes in every batch new ones fit ever
    worse into the gaps, and a process that holds no more than before grows from epoch to epoch. Where the C library has
    no ``malloc_trim``, nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
