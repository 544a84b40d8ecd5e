"""Computing a dump in several processes, each on a GPU of its own where there are several."""

import logging
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from merit.data.states.shard_writer import ShardStream, ShardWriter
from merit.dumping.dump_share import Share, compute_share
from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.processes import end_with_parent, quiet_processes

logger = logging.getLogger(__name__)

SHOW_SECONDS = 1.0
"""How often the progress is shown."""


@dataclass(frozen=True)
class _Assignment:
    """What one process is told.

    Attributes:
        share: its batches.
        ssl: encoder.
        device, threads: where it computes, and on how many threads of the CPU.
        directory, header, numbers: of its :class:`ShardStream`.
    """

    share: Share
    ssl: str
    device: torch.device
    threads: int
    directory: Path
    header: Mapping[str, Any]
    numbers: range


def compute_in_processes(share: Share, ssl: str, writer: ShardWriter, nj: int, advance: Callable[[int], None]) -> None:
    """Compute a share in ``nj`` processes; each takes every nj-th batch and writes shards of its own.

    Each loads the encoder, computes on a GPU of its own (where there are fewer, they are shared) or on the CPU with its
    part of the threads, and holds up to two shards in memory. When one fails, and at Ctrl-C, the others write what they
    have and end.

    Args:
        share: what to compute.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        writer: of the directory; it is left to the caller to complete it.
        nj: processes.
        advance: takes the samples that were computed since its last call.

    Raises:
        MeritError: what first went wrong in a process, or that one was killed.
    """
    gpus = torch.cuda.device_count()
    threads = max(1, torch.get_num_threads() // nj)
    assignments = []
    for process in range(nj):
        batches = share.batches[process::nj]
        own = replace(share, batches=batches, wav={key: share.wav[key] for batch in batches for key in batch})
        device = torch.device("cuda", process % gpus) if gpus else torch.device("cpu")
        numbers = writer.numbers(process, nj)
        assignments.append(_Assignment(own, ssl, device, threads, writer.directory, writer.header, numbers))
    writer.reopen()
    context = multiprocessing.get_context("spawn")
    computed, stop = context.Value("q", 0), context.Event()
    shown = 0
    pending: set[Future] = set()
    with ProcessPoolExecutor(nj, context, initializer=_begin, initargs=(computed, stop)) as pool:
        try:
            with quiet_processes():  # they are started by submit
                pending = {pool.submit(_compute, assignment) for assignment in assignments}
            while pending:
                finished, pending = wait(pending, SHOW_SECONDS, FIRST_EXCEPTION)
                now = computed.value
                advance(now - shown)
                shown = now
                for future in finished:
                    future.result()
        except BrokenProcessPool as error:
            raise MeritError(
                f"{writer.directory}: a process of the dump was killed, perhaps for want of memory; what was written "
                "is kept, run the same command again with a smaller --nj or --batch_seconds"
            ) from error
        finally:
            stop.set()
            if pending:
                logger.info("%s: waiting until the processes have written what they have", writer.directory)


class _Stopped(Exception):
    """The process that started this one wants no more."""


def _begin(computed: Any, stop: Any) -> None:
    """Keep what the processes share, which only their start can hand over; end with the one that started this one."""
    global _computed, _stop
    _computed, _stop = computed, stop
    end_with_parent()


def _advance(samples: int) -> None:
    with _computed.get_lock():
        _computed.value += samples
    if _stop.is_set():
        raise _Stopped


def _compute(assignment: _Assignment) -> None:
    torch.set_num_threads(assignment.threads)
    if assignment.device.type == "cuda":
        torch.cuda.set_device(assignment.device)
    encoder = load_encoder(assignment.ssl)
    try:
        with ShardStream(assignment.directory, assignment.header, assignment.numbers) as stream:
            compute_share(assignment.share, encoder, assignment.device, stream.write, _advance)
    except _Stopped:
        pass
