"""Ctrl-C during training: it is carried out at the end of a step, so that nothing that was learnt is lost."""

import os
import signal
import sys
from collections.abc import Sequence

import torch

from merit.training.run import Run, end_together


class StopRequest:
    """Notes the first Ctrl-C (SIGINT) inside its ``with`` block; a second one ends the process at once.

    A process that ignores Ctrl-C, as one in the background of a script does, goes on ignoring it.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> "StopRequest":
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._before)

    def carry_out(self, runs: Sequence[Run]) -> None:
        """When one of the processes was asked to stop, save the states of the runs and stop all processes here.

        To be called as often and at the same places by all processes, with the same runs.

        Raises:
            KeyboardInterrupt: when it was asked.
        """
        accelerator = runs[0].accelerator
        asked = self.asked
        if accelerator.num_processes > 1:
            asked = bool(accelerator.reduce(torch.tensor(float(asked), device=accelerator.device)))
        if not asked:
            return
        for run in runs:
            run.save()
        end_together(runs)  # torchrun ends all as soon as one has ended
        raise KeyboardInterrupt

    def _note(self, signum: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.asked = True
        if os.environ.get("RANK", "0") == "0":
            os.write(sys.__stderr__.fileno(), b"\nstopping after this step; Ctrl-C again stops at once\n")


def ignore_interrupts(worker: int) -> None:
    """Start of a process that reads data: Ctrl-C reaches it as well, and is for the one that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
