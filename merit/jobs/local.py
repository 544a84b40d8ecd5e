"""Jobs on this machine."""

import contextlib
import os
import signal
import time

import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError

from merit.errors import MeritError


class LocalJob:
    """A job on this machine.

    Args:
        job: from submitit.

    Attributes:
        job_id: process id.
    """

    seconds_between_looks = 0.2

    def __init__(self, job: submitit.Job) -> None:
        self.job = job
        self.job_id = job.job_id

    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self.job.done()

    def result(self) -> int:
        """Exit status of the command.

        Raises:
            MeritError: when there is none.
        """
        try:
            return self.job.result()
        except (FailedJobError, UncompletedJobError) as error:
            raise MeritError(f"job {self.job_id} was ended from outside; {error}") from error

    def cancel(self, patience: float) -> None:
        """Stop it and wait so many seconds until it is gone."""
        deadline = time.monotonic() + patience
        while not self.job.done() and time.monotonic() < deadline:
            # SIGTERM, which submitit passes on; its own cancel() kills our process before that has stopped the command.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(self.job_id), signal.SIGTERM)
            time.sleep(0.2)
