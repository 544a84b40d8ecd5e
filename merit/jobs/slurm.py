"""Jobs of Slurm, followed through its queue: over requeues, to their end, and when their launcher was killed."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError

from merit.errors import MeritError

ENDINGS = {
    "CANCELLED": "was cancelled",
    "TIMEOUT": "was ended at its time limit (--hours)",
    "OUT_OF_MEMORY": "needed more memory than it had asked for (--memory)",
    "NODE_FAIL": "was lost with its node",
    "PREEMPTED": "was preempted, and this cluster does not requeue it",
    "COMPLETED": "has ended without a result",
    "FAILED": "has ended without a result",
    "BOOT_FAIL": "could not be started on its node",
    "DEADLINE": "was ended at its deadline",
    "REVOKED": "was revoked",
    "": "is not known to Slurm any more and has left no result",
}
"""What the states mean that a job does not come back from; all others are of a job that is in the queue."""
UNREACHABLE = "UNREACHABLE"
RESULT_SECONDS = {"COMPLETED": 30.0, "": 30.0}
"""How long a result may take to appear on the shared disk after the end of the job; ``OTHER_RESULT_SECONDS`` else."""
OTHER_RESULT_SECONDS = 3.0
MOST_SECONDS_BETWEEN_LOOKS = 30.0


def queue_state(job_id: str) -> tuple[str, int]:
    """State of a job, as PENDING, and how often it was started again; "" when Slurm knows no such job."""
    query = ["squeue", "--noheader", "--states=all", "--Format=State:30,RestartCnt:10", f"--jobs={job_id}"]
    answer = subprocess.run(query, capture_output=True, text=True)
    if answer.returncode != 0 and "nvalid job id" not in answer.stderr:
        return UNREACHABLE, 0
    words = answer.stdout.split()
    if len(words) >= 2:
        return words[0], int(words[1])
    # It ended some minutes ago; whether that is kept is the cluster's choice.
    if shutil.which("sacct") is None:
        return "", 0
    query = ["sacct", "--allocations", "--noheader", "--parsable2", "--format=State", f"--jobs={job_id}"]
    answer = subprocess.run(query, capture_output=True, text=True)
    words = answer.stdout.split()
    return (words[0], 0) if answer.returncode == 0 and words else ("", 0)


class QueuedJob:
    """A job in the queue.

    Args:
        job: from submitit.

    Attributes:
        job_id: its number in Slurm.
        state: as the queue said last.
    """

    seconds_between_looks = 1.0  # for the result; the queue is asked less often

    def __init__(self, job: submitit.Job) -> None:
        self.job = job
        self.job_id = job.job_id
        self.state = "PENDING"
        self.restarts = 0
        self.looked = float("-inf")
        self.since = time.monotonic()
        self.ended: float | None = None

    def has_result(self) -> bool:
        """Whether the command has ended and its exit status is there."""
        return self.job.paths.result_pickle.exists()

    def is_over(self) -> bool:
        """Whether nothing more comes of it; says when Slurm has requeued it."""
        if self.has_result():
            return True
        now = time.monotonic()
        if self.ended is None and now - self.looked < min(MOST_SECONDS_BETWEEN_LOOKS, max(2.0, (now - self.since) / 2)):
            return False
        self.looked = now
        self.state, restarts = queue_state(self.job_id)
        if self.state not in ENDINGS:
            self.ended = None
            if self.state != UNREACHABLE:
                self._note_restarts(restarts)
            return False
        if self.ended is None:
            self.ended = now
        return now - self.ended > RESULT_SECONDS.get(self.state, OTHER_RESULT_SECONDS)

    def result(self) -> int:
        """Exit status of the command.

        Raises:
            MeritError: when it has ended without one.
        """
        if not self.has_result():
            raise MeritError(
                f"job {self.job_id} {ENDINGS[self.state]}; what was finished is kept, and the same command goes on "
                "from there"
            )
        try:
            status = self.job.result()
        except (FailedJobError, UncompletedJobError) as error:
            raise MeritError(f"job {self.job_id} could not run its command; {error}") from error
        if queue_state(self.job_id)[0] == "PENDING":  # it was requeued when it had just ended
            self.job.cancel(check=False)
        return status

    def runs(self, command: list[str]) -> bool:
        """Whether it was submitted with this command."""
        return self.job.submission().function.command == command

    def _note_restarts(self, restarts: int) -> None:
        if restarts > self.restarts:
            self.since = time.monotonic()
            message = f"job {self.job_id} was requeued by Slurm and goes on when it is started again; waiting for it"
            print(message, file=sys.stderr, flush=True)
        self.restarts = restarts

    def cancel(self, patience: float) -> None:
        """Take it out of the queue and wait so many seconds until it is gone."""
        deadline = time.monotonic() + patience
        self.job.cancel(check=False)
        while queue_state(self.job_id)[0] not in ENDINGS and time.monotonic() < deadline:
            time.sleep(0.5)


def left_behind(folder: Path) -> QueuedJob | None:
    """The job of a launcher that was killed: one that is in the queue still, or has ended with a result since."""
    for script in sorted(folder.glob("*_submission.sh")):
        job = QueuedJob(submitit.SlurmJob(folder, script.name.partition("_")[0]))
        job.state, job.restarts = queue_state(job.job_id)
        if job.has_result() or job.state not in ENDINGS:
            return job
    return None
