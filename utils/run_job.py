"""Run a command as a job, on this machine or on a Slurm cluster, and wait for it.

    python utils/run_job.py --log FILE [--backend local|slurm] [--gpus N] [--cpus N] [--memory GB] -- COMMAND...

All the command writes is appended to the log file, and shown while it runs when the job is local or a person watches.
Exit status: that of the command; 130 when it was interrupted. Ctrl-C, SIGTERM and the death of the calling script stop
the job with everything it started, by SIGINT, so that it can tidy up, and after ten seconds by SIGKILL.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

import psutil
import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError

from merit.command import run_command
from merit.errors import MeritError

TAIL_LINES = 20
PATIENCE_SECONDS = 10.0


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
    log: str
    environment: Mapping[str, str]
    launcher: int | None

    def __call__(self) -> int:
        """Run the command; return its exit status, negative when a signal ended it, 130 when it was told to stop."""
        if self.launcher is not None:
            os.setsid()  # away from the terminal: Ctrl-C reaches only the launcher, which stops the job in order
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the launcher had it ignored during submission
        signal.signal(signal.SIGTERM, raise_interrupt)
        process = None
        try:
            with open(self.log, "ab") as log:
                process = subprocess.Popen(
                    self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                    env={**os.environ, **self.environment}, start_new_session=True,
                )  # fmt: skip
            while process.poll() is None:
                if self.launcher is not None and self.launcher not in [p.pid for p in psutil.Process().parents()]:
                    return 130
                time.sleep(0.2)
            return process.returncode
        except OSError as error:
            with open(self.log, "a", encoding="utf-8") as log:
                log.write(f"{error.filename or self.log}: {error.strerror}\n")
            return 127
        except KeyboardInterrupt:
            return 130
        finally:
            if process is not None:
                stop_tree(process)


def stop_tree(process: subprocess.Popen) -> None:
    """End a running command and all it has started, in whatever sessions and process groups that is."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if process.poll() is not None:
        return
    descendants = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    for survivor in psutil.wait_procs(descendants, timeout=1.0)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()


def raise_interrupt(signum: int, frame: object) -> None:
    """Signal handler: a request to stop looks like Ctrl-C, and is not repeated while it is carried out."""
    signal.signal(signum, signal.SIG_IGN)
    raise KeyboardInterrupt


def visible_gpus(gpus: int) -> str:
    """Value of CUDA_VISIBLE_DEVICES for ``gpus`` of the GPUs this process may use; empty for none."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return ",".join(allowed.split(",")[:gpus] if allowed is not None else map(str, range(gpus)))


def submit(
    job: LoggedCommand, backend: str, gpus: int, cpus: int, memory: int, hours: float, slurm: str
) -> submitit.Job:
    """Hand a command to submitit; its bookkeeping lies in a folder beside the log.

    Raises:
        MeritError: when there is no Slurm, or it refuses the job.
    """
    if backend == "slurm" and not (shutil.which("sbatch") and shutil.which("srun")):
        raise MeritError("--backend slurm: found no sbatch and srun here; start it on a login node of the cluster")
    sbatch_options = [option.partition("=") for option in shlex.split(slurm)]
    if not all(separator and value for _, separator, value in sbatch_options):
        raise MeritError(f"--slurm {slurm!r}: expected name=value pairs, as 'partition=gpu account=speech'")
    folder = bookkeeping(job.log)
    shutil.rmtree(folder, ignore_errors=True)
    executor = submitit.AutoExecutor(folder, cluster=backend)
    executor.update_parameters(
        name=Path(job.log).stem,
        timeout_min=round(60 * hours) if backend == "slurm" else 60 * 24 * 365,  # nobody waits for this machine
        gpus_per_node=gpus or None,
        cpus_per_task=cpus,
        mem_gb=memory,
        tasks_per_node=1,
        stderr_to_stdout=True,
        slurm_srun_args=[f"--cpus-per-task={cpus}"],  # since Slurm 22.05 srun no longer takes it from sbatch
        slurm_additional_parameters={name: value for name, _, value in sbatch_options},
    )
    # submitit's own processes inherit this: only the launcher decides what Ctrl-C means.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return executor.submit(job)
    except FailedJobError as error:
        raise MeritError(f"sbatch refused the job; egs/TEMPLATE/cmd.sh says what is asked for: {error}") from error
    finally:
        signal.signal(signal.SIGINT, previous)


def bookkeeping(log: str | Path) -> Path:
    """Folder of submitit's files for the job with this log; on a cluster both must be on the shared disk."""
    return Path(f"{log}.submitit")


def cancel(job: submitit.Job, backend: str) -> None:
    """Stop a job and wait until it is gone."""
    deadline = time.monotonic() + 3 * PATIENCE_SECONDS
    if backend == "slurm":
        job.cancel(check=False)
    while not job.done() and time.monotonic() < deadline:
        if backend == "local":
            # SIGTERM, which submitit passes on; its own cancel() kills our process before that has stopped the command.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM)
        time.sleep(0.2)


def show_new(log: BinaryIO, shown: bool) -> None:
    """Copy what has been added to the log to stderr."""
    if shown:
        sys.stderr.buffer.write(log.read())
        sys.stderr.buffer.flush()


def last_lines(log: BinaryIO, start: int) -> list[str]:
    """The last lines written since byte ``start``; of a progress bar's line, its last state."""
    log.seek(start)
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in log.read().decode(errors="replace").split("\n"))
    return [line for line in lines if line.strip()][-TAIL_LINES:]


def run_job(
    log: Path,
    command: list[str],
    backend: Literal["local", "slurm"] = "local",
    gpus: int = 0,
    cpus: int = 1,
    memory: int = 8,
    hours: float = 24.0,
    slurm: str = "",
) -> None:
    """Run a command as a job and leave with its exit status.

    Args:
        log: file the command's output is appended to.
        command: program and arguments; on the command line simply what follows ``--``.
        backend: this machine or Slurm.
        gpus: GPUs the command sees; 0 hides them all.
        cpus: processor cores asked of Slurm.
        memory: GB asked of Slurm.
        hours: time limit on Slurm.
        slurm: further options of sbatch, as "partition=gpu account=speech".
    """
    parent = os.getppid()
    watched = sys.stderr.isatty()
    shown = watched or backend == "local"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"# {datetime.now():%Y-%m-%d %H:%M:%S} {shlex.join(command)}\n")
    environment = {"CUDA_VISIBLE_DEVICES": visible_gpus(gpus)} if backend == "local" else {}
    if watched:
        environment |= {"MERIT_PROGRESS": "1", "COLUMNS": str(shutil.get_terminal_size().columns)}
    logged_command = LoggedCommand(command, str(log), environment, os.getpid() if backend == "local" else None)
    start = log.stat().st_size
    with log.open("rb") as reader:
        reader.seek(start)
        job = submit(logged_command, backend, gpus, cpus, memory, hours, slurm)
        try:
            signal.signal(signal.SIGTERM, raise_interrupt)
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
                signal.signal(signal.SIGHUP, raise_interrupt)
            while not job.done():
                if os.getppid() != parent:
                    raise KeyboardInterrupt
                show_new(reader, shown)
                time.sleep(0.2 if backend == "local" else 1.0)
            status = job.result()
        except KeyboardInterrupt:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)
            cancel(job, backend)
            show_new(reader, shown)
            shutil.rmtree(bookkeeping(log), ignore_errors=True)
            print(f"interrupted; the log is {log}", file=sys.stderr)
            sys.exit(130)
        except (FailedJobError, UncompletedJobError) as error:
            problem = f"job {job.job_id} was ended from outside; submitit's files are in {bookkeeping(log)}"
            raise MeritError(f"{problem}\n{error}") from error
        show_new(reader, shown)
        status = 128 - status if status < 0 else status
        if status != 0:
            print(f"failed with exit status {status}; the log is {log}", file=sys.stderr)
            if not shown:
                print(*(f"    {line}" for line in last_lines(reader, start)), sep="\n", file=sys.stderr)
    shutil.rmtree(bookkeeping(log), ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    if "--" in sys.argv:
        separator = sys.argv.index("--")
        sys.argv[separator:] = ["--command", json.dumps(sys.argv[separator + 1 :])]
    run_command(run_job)
