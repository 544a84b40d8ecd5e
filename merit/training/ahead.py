"""Micro-batches made ready on their device while the step before is trained on."""

from collections.abc import Callable, Iterable, Iterator

import torch

from merit.training.contract import Batch

Prepare = Callable[[Batch], Batch]
"""Brings a batch to its device and completes it there (states of a frozen encoder)."""


def prepared_ahead(
    steps: Iterable[list[Batch]], prepare: Prepare, side: torch.cuda.Stream | None
) -> Iterator[list[Batch]]:
    """Prepare the micro-batches of every step, each step before the one ahead of it is trained on.

    On a GPU ``prepare`` runs on a stream of its own, beside the training; on the CPU the order is the same and nothing
    runs beside anything. Two steps are in memory at a time, the one in use and the one after it: the list of a step is
    emptied when the next one is asked for, so whoever wants to keep a batch must take it out before.

    Args:
        steps: micro-batches of each step, as the loader gives them.
        prepare: takes one of them.
        side: the GPU's stream that ``prepare`` is to run on, always the same one, since memory is kept for each stream;
            None on the CPU.
    """

    def launch(step: list[Batch]) -> tuple[list[Batch], torch.cuda.Event | None]:
        if side is None:
            return [prepare(batch) for batch in step], None
        # Memory that this stream gave out is used by the training as well. It is given out again only here, after
        # what the training was told to do so far; without this wait it could be overwritten while still in use.
        side.wait_stream(torch.cuda.current_stream(side.device))
        with torch.cuda.stream(side):
            return [prepare(batch) for batch in step], side.record_event()

    def hand_over(step: list[Batch], ready: torch.cuda.Event | None) -> Iterator[list[Batch]]:
        if ready is not None:
            torch.cuda.current_stream(side.device).wait_event(ready)  # and not for the step that was launched since
        yield step
        step.clear()

    waiting = None
    for step in steps:
        following = launch(step)
        if waiting is not None:
            yield from hand_over(*waiting)
        waiting = following
    if waiting is not None:
        yield from hand_over(*waiting)
