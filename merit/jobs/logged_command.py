"""A command that runs as a job, on this machine or on a node of a cluster, and is stopped in order."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import psutil
from submitit.core.utils import DelayedSubmission, UncompletedJobError

PATIENCE_SECONDS = 10.0
"""How long a command that is told to stop may tidy up."""
SAVING_SECONDS = 150.0
"""The same for one that nears its time limit: it finishes a step of training and saves its state."""
WARNING_SECONDS = 180
"""So long before the time limit Slurm says so."""
TIME_LIMIT_STATUS = 124
"""Exit status of a job that has reached its time limit once too often."""


@dataclass
class LoggedCommand:
    """A command that submitit runs in a process of its own, somewhere.

    Attributes:
        command: program and arguments.
        log: file its stdout and stderr are appended to.
        environment: variables changed for it.
        launcher: process id of the launcher when it is on the same machine; the command does not outlive it.
    """

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    launcher: int | None
    process: subprocess.Popen | None = field(default=None, init=False)
    was_stopped: bool = field(default=False, init=False)

    def __call__(self) -> int:
        """Run the command; return its exit status, negative when a signal ended it.

        It is 130 when the launcher on the same machine told it to stop, and ``TIME_LIMIT_STATUS`` when it was stopped
        at its time limit and may not be requeued any more. A job on a cluster that is cancelled or requeued from
        outside ends without a status, since only Slurm knows which of the two it was.
        """
        if self.launcher is not None:
            os.setsid()  # away from the terminal: Ctrl-C reaches only the launcher, which stops the job in order
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the launcher had it ignored during submission
        signal.signal(signal.SIGTERM, raise_interrupt)
        try:
            with self.log.open("ab") as log:
                if restarts := os.environ.get("SLURM_RESTART_COUNT"):
                    log.write(f"# {datetime.now():%Y-%m-%d %H:%M:%S} goes on after requeue {restarts}\n".encode())
                    log.flush()
                with warning_ignored():
                    self.process = subprocess.Popen(
                        self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                        env={**os.environ, **self.environment}, start_new_session=True,
                    )  # fmt: skip
            while self.process.poll() is None:
                if self.launcher is not None and self.launcher not in [p.pid for p in psutil.Process().parents()]:
                    return 130
                time.sleep(0.2)
            return self.process.returncode
        except OSError as error:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"{error.filename or self.log}: {error.strerror}\n")
            return 127
        except KeyboardInterrupt:
            if self.launcher is None:
                raise
            return 130
        except UncompletedJobError:  # submitit does not requeue it
            return TIME_LIMIT_STATUS if self.was_stopped else self.process.returncode
        finally:
            if self.process is not None:
                stop_tree(self.process, PATIENCE_SECONDS)

    def checkpoint(self) -> DelayedSubmission | None:
        """Stop the command, since the time limit is near, and give submitit what is to run after a requeue.

        None when the command has ended by itself.
        """
        if self.process is None:
            return DelayedSubmission(replace(self))
        stop_tree(self.process, SAVING_SECONDS)
        self.was_stopped = self.process.returncode != 0
        return DelayedSubmission(replace(self)) if self.was_stopped else None


@contextlib.contextmanager
def warning_ignored() -> Iterator[None]:
    """Processes started inside ignore the signal of a near time limit, which Slurm sends to all processes of a job."""
    previous = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, previous)


def stop_tree(process: subprocess.Popen, patience: float) -> None:
    """End a running command and all it has started, in whatever sessions and process groups that is.

    Args:
        process: leads a process group of its own.
        patience: seconds it may take to tidy up after SIGINT, before SIGKILL.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if process.poll() is not None:
        return
    descendants = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for survivor in psutil.wait_procs(descendants, timeout=1.0)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()


def raise_interrupt(signum: int, frame: object) -> None:
    """Signal handler: a request to stop looks like Ctrl-C, and is not repeated while it is carried out."""
    signal.signal(signum, signal.SIG_IGN)
    raise KeyboardInterrupt
