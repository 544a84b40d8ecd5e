"""Run a command as a job, on this machine or on a Slurm cluster, and wait for it.

    python utils/run_job.py --log FILE [--backend local|slurm] [--gpus N] [--cpus N] [--memory GB] -- COMMAND...

All the command writes is appended to the log file, and shown while it runs when the job is local or a person watches.
Exit status: that of the command; 130 when it was interrupted. Ctrl-C, SIGTERM and the death of the calling script stop
the job with everything it started, by SIGINT, so that it can tidy up, and after ten seconds by SIGKILL.

Only one job with a log runs at a time; another one waits for it. On Slurm a job that is requeued is waited for. One
that nears its time limit is told to stop in order, and is requeued. One whose launcher was killed by SIGKILL goes on;
the next launcher finds it.
"""

import merit.interrupt  # noqa: F401  first, so that Ctrl-C during the other imports leaves no traceback

# isort: split
import json
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import submitit
from submitit.core.utils import FailedJobError

from merit.command import run_command
from merit.errors import MeritError
from merit.jobs.local import LocalJob
from merit.jobs.lock import hold
from merit.jobs.log import error_lines, last_lines, show_new
from merit.jobs.logged_command import (
    PATIENCE_SECONDS,
    TIME_LIMIT_STATUS,
    WARNING_SECONDS,
    LoggedCommand,
    raise_interrupt,
)
from merit.jobs.mark import Mark
from merit.jobs.slurm import QueuedJob, left_behind


def visible_gpus(gpus: int) -> str:
    """Value of CUDA_VISIBLE_DEVICES for ``gpus`` of the GPUs this process may use; empty for none."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return ",".join(allowed.split(",")[:gpus] if allowed is not None else map(str, range(gpus)))


@dataclass
class Request:
    """What is asked for a job; see :func:`run_job`."""

    backend: str
    gpus: int
    cpus: int
    memory: int
    hours: float
    slurm: str
    max_requeue: int


def submit(job: LoggedCommand, request: Request) -> QueuedJob | LocalJob:
    """Hand a command to submitit; its bookkeeping lies in a folder beside the log.

    Raises:
        MeritError: when there is no Slurm, or it refuses the job.
    """
    on_slurm = request.backend == "slurm"
    if on_slurm and not (shutil.which("sbatch") and shutil.which("srun")):
        raise MeritError("--backend slurm: found no sbatch and srun here; start it on a login node of the cluster")
    sbatch_options = [option.partition("=") for option in shlex.split(request.slurm)]
    if not all(separator and value for _, separator, value in sbatch_options):
        raise MeritError(f"--slurm {request.slurm!r}: expected name=value pairs, as 'partition=gpu account=speech'")
    folder = bookkeeping(job.log)
    shutil.rmtree(folder, ignore_errors=True)
    executor = submitit.AutoExecutor(folder, cluster=request.backend, slurm_max_num_timeout=request.max_requeue)
    executor.update_parameters(
        name=job.log.stem,
        timeout_min=round(60 * request.hours) if on_slurm else 60 * 24 * 365,  # nobody waits for this machine
        gpus_per_node=request.gpus or None,
        cpus_per_task=request.cpus,
        mem_gb=request.memory,
        tasks_per_node=1,
        stderr_to_stdout=True,
        slurm_signal_delay_s=min(WARNING_SECONDS, round(3600 * request.hours / 4)),
        slurm_srun_args=[f"--cpus-per-task={request.cpus}"],  # since Slurm 22.05 srun no longer takes it from sbatch
        slurm_additional_parameters={"requeue": True, **{name: value for name, _, value in sbatch_options}},
    )
    # submitit's own processes inherit this: only the launcher decides what Ctrl-C means.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        submitted = executor.submit(job)
        return QueuedJob(submitted) if on_slurm else LocalJob(submitted)
    except FailedJobError as error:
        raise MeritError(f"sbatch refused the job; egs/TEMPLATE/cmd.sh says what is asked for: {error}") from error
    finally:
        signal.signal(signal.SIGINT, previous)


def bookkeeping(log: Path) -> Path:
    """Folder of submitit's files for the job with this log; on a cluster both must be on the shared disk."""
    return Path(f"{log}.submitit")


def adopt(log: Path, command: list[str], orphan: str) -> QueuedJob | None:
    """The job with this log that an earlier launcher left behind, when it runs the same command and may go on.

    One that runs another command, or is not to go on, has ended when this returns.
    """
    job = left_behind(bookkeeping(log))
    if job is None:
        return None
    waits = not job.has_result()
    if waits and orphan == "cancel":
        print(f"job {job.job_id}, left behind by an earlier command, is cancelled", file=sys.stderr)
        job.cancel(3 * PATIENCE_SECONDS)
        return None
    if waits:
        what = f"job {job.job_id}, left behind by an earlier command, is in the queue ({job.state})"
        print(f"{what}; waiting for it. With --orphan cancel it is cancelled", file=sys.stderr, flush=True)
    same = job.runs(command)
    while not same and not job.is_over():
        time.sleep(job.seconds_between_looks)
    # What failed before anybody looked is tried again.
    return job if same and (waits or job.result() == 0) else None


def run_to_end(job: QueuedJob | LocalJob, log: Path, start: int, shown: bool, parent: int) -> int:
    """Wait for a job, show what is in its log after byte ``start``, and return the exit status of its command.

    Raises:
        MeritError: when it ended without one.
    """
    with log.open("rb") as reader:
        reader.seek(start)
        try:
            signal.signal(signal.SIGTERM, raise_interrupt)
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
                signal.signal(signal.SIGHUP, raise_interrupt)
            while not job.is_over():
                if os.getppid() != parent:
                    raise KeyboardInterrupt
                show_new(reader, shown)
                time.sleep(job.seconds_between_looks)
            status = job.result()
        except KeyboardInterrupt:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)
            job.cancel(3 * PATIENCE_SECONDS)
            show_new(reader, shown)
            shutil.rmtree(bookkeeping(log), ignore_errors=True)
            print(f"interrupted; the log is {log}", file=sys.stderr)
            sys.exit(130)
        except MeritError as error:
            raise MeritError(f"{error}. The log is {log}, submitit's files are in {bookkeeping(log)}") from error
        show_new(reader, shown)
        status = 128 - status if status < 0 else status
        if status == TIME_LIMIT_STATUS and isinstance(job, QueuedJob):
            print(
                f"job {job.job_id} has reached its time limit (--hours) as often as it may (--max-requeue); what was "
                f"finished is kept, and the same command goes on from there. The log is {log}",
                file=sys.stderr,
            )
        elif status != 0:
            print(f"failed with exit status {status}; the log is {log}", file=sys.stderr)
            error = error_lines(reader, start)
            if not shown or error[-1:] != last_lines(reader, start)[-1:]:
                print(*(f"    {line}" for line in error), sep="\n", file=sys.stderr)
    shutil.rmtree(bookkeeping(log), ignore_errors=True)
    return status


def run_job(
    log: Path,
    command: list[str],
    backend: Literal["local", "slurm"] = "local",
    gpus: int = 0,
    cpus: int = 1,
    memory: int = 8,
    hours: float = 24.0,
    slurm: str = "",
    max_requeue: int = 3,
    orphan: Literal["wait", "cancel"] = "wait",
    done: Sequence[str] = (),  # of Path, one that exists would be read as a list of paths
    mark: Sequence[str] = (),
    writes: Sequence[str] = (),
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
        max_requeue: how often a job that has reached its time limit is requeued.
        orphan: what becomes of a job that a launcher which was killed has left in the queue.
        done: files that mark the command as done, one, or one for each of several results, as --done+ A --done+ B;
            when another command has made all of them meanwhile, nothing is run.
        mark: texts that the marks begin with.
        writes: for each mark files and directories, in one string, that must be there.
    """
    parent = os.getppid()
    if not len(done) == len(mark) == len(writes):
        raise MeritError("--done, --mark and --writes: expected as many of each")
    marks = [Mark(Path(path), text, [*map(Path, outputs.split())]) for path, text, outputs in zip(done, mark, writes)]
    with hold(Path(f"{log}.lock"), str(log.with_suffix(""))):
        missing = [result for result in marks if not result.is_set()]
        if marks and not missing:
            print(f"{log.with_suffix('')}: done by another command meanwhile", file=sys.stderr)
            return
        for result in missing:
            result.remove()
        request = Request(backend, gpus, cpus, memory, hours, slurm, max_requeue)
        status = launch(log, command, request, orphan, parent)
        if status == 0:
            for result in missing:
                if not result.is_set():  # another command may have set it meanwhile, and gone on from it
                    result.set(log)
    sys.exit(status)


def launch(log: Path, command: list[str], request: Request, orphan: str, parent: int) -> int:
    """Run the command as a job, or wait for a job that runs it already; return its exit status."""
    watched = sys.stderr.isatty()
    local = request.backend == "local"
    adopted = None if local else adopt(log, command, orphan)
    if adopted is not None:
        return run_to_end(adopted, log, log.stat().st_size, watched, parent)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"# {datetime.now():%Y-%m-%d %H:%M:%S} {shlex.join(command)}\n")
    environment = {"CUDA_VISIBLE_DEVICES": visible_gpus(request.gpus)} if local else {}
    if watched:
        environment |= {"MERIT_PROGRESS": "1", "COLUMNS": str(shutil.get_terminal_size().columns)}
    start = log.stat().st_size
    job = submit(LoggedCommand(command, log, environment, os.getpid() if local else None), request)
    return run_to_end(job, log, start, watched or local, parent)


if __name__ == "__main__":
    if "--" in sys.argv:
        separator = sys.argv.index("--")
        sys.argv[separator:] = ["--command", json.dumps(sys.argv[separator + 1 :])]
    run_command(run_job)
