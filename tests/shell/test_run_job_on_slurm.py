"""utils/run_job.py on a Slurm of a few shell scripts: waiting, requeueing, cancelling, and jobs left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from job_launcher import STUBBORN, launch, wait_for

# What is needed of Slurm: sbatch runs a copy of the script in the background, srun its command, squeue says whether it
# runs and how often it was started again. A file $SLURM_STATE.end has the state of a job that has ended.
SLURM = {
    "sbatch": """
        cp "$1" "$SLURM_STATE.script"
        echo submitted >>"$SLURM_STATE.submissions"
        rm -f "$SLURM_STATE.end"
        (
            SLURM_JOB_ID=4242 setsid bash "$SLURM_STATE.script" >"$SLURM_STATE.out" 2>&1 &
            echo $! >"$SLURM_STATE"
            wait
            while [ -e "$SLURM_STATE.requeue" ]; do
                mv "$SLURM_STATE.requeue" "$SLURM_STATE.requeued"
                until [ -e "$SLURM_STATE.looked" ]; do sleep 0.1; done # so that nobody misses it
                rm "$SLURM_STATE.requeued" "$SLURM_STATE.looked"
                SLURM_RESTART_COUNT=1 SLURM_JOB_ID=4242 setsid bash "$SLURM_STATE.script" >"$SLURM_STATE.out" 2>&1 &
                echo $! >"$SLURM_STATE"
                echo 1 >"$SLURM_STATE.restarts"
                wait
            done
            [ -e "$SLURM_STATE.end" ] || echo COMPLETED >"$SLURM_STATE.end"
        ) >/dev/null 2>&1 &
        echo "Submitted batch job 4242"
    """,
    "srun": """
        while :; do case $1 in --output) shift 2 ;; -*) shift ;; *) break ;; esac; done
        exec "$@"
    """,
    "squeue": """
        state=RUNNING
        [ ! -e "$SLURM_STATE.requeued" ] || state=PENDING
        [ ! -e "$SLURM_STATE.end" ] || state=$(cat "$SLURM_STATE.end")
        restarts=$(cat "$SLURM_STATE.restarts" 2>/dev/null || echo 0)
        [ $state != PENDING ] || { restarts=$((restarts + 1)) && touch "$SLURM_STATE.looked"; }
        printf "%-30s%-10s\n" "$state" "$restarts"
    """,
    "scontrol": """
        touch "$SLURM_STATE.requeue"
        pkill -TERM -P "$(cat "$SLURM_STATE")"
    """,
    "scancel": """
        echo CANCELLED >"$SLURM_STATE.end"
        pkill -TERM -P "$(cat "$SLURM_STATE")"
    """,
}


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Environment of a machine with a Slurm that runs one job on the spot."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in SLURM.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SLURM_STATE": str(tmp_path / "job")}


def test_a_slurm_job_shows_its_last_lines_only_when_it_fails(tmp_path: Path, slurm: dict[str, str]) -> None:
    options = ("--backend", "slurm", "--gpus", "2", "--memory", "5", "--hours", "0.5")
    options += ("--slurm", "partition=gpu nice=7")
    job = launch(tmp_path / "job.log", "bash", "-c", "seq 100; exit 4", options=options, env=slurm)
    _, shown = job.communicate(timeout=30)
    assert job.returncode == 4
    assert [line.strip() for line in shown.splitlines()][1:] == [str(number) for number in range(81, 101)]
    asked = (tmp_path / "job.script").read_text()
    for line in ("gpus-per-node=2", "mem=5GB", "time=30", "partition=gpu", "nice=7"):
        assert f"#SBATCH --{line}\n" in asked


def test_an_interrupted_slurm_job_is_cancelled(tmp_path: Path, slurm: dict[str, str]) -> None:
    pid_file = tmp_path / "worker"
    command = (sys.executable, "-u", "-c", STUBBORN, str(pid_file))
    job = launch(tmp_path / "job.log", *command, options=("--backend", "slurm"), env=slurm)
    wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
    worker = psutil.Process(int(pid_file.read_text()))
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=30)
    assert job.returncode == 130
    assert psutil.wait_procs([worker], timeout=15)[1] == []


# A training in small: at its first start it goes on until it is told to stop, then it ends well.
TRAINING = """
import pathlib, sys, time
state = pathlib.Path(sys.argv[1])
if state.exists():
    sys.exit(0)
try:
    state.write_text("begun")
    time.sleep(60)
except KeyboardInterrupt:
    state.write_text("saved")
    sys.exit(130)
"""


def training(state: Path) -> tuple[str, ...]:
    return sys.executable, "-u", "-c", TRAINING, str(state)


def test_a_job_that_slurm_requeues_is_waited_for(tmp_path: Path, slurm: dict[str, str]) -> None:
    state, log = tmp_path / "state", tmp_path / "job.log"
    job = launch(log, *training(state), options=("--backend", "slurm"), env=slurm)
    wait_for(state.exists)
    subprocess.run(["scontrol", "requeue", "4242"], env=slurm, check=True)
    _, shown = job.communicate(timeout=60)
    assert job.returncode == 0, shown
    assert shown == "job 4242 was requeued by Slurm and goes on when it is started again; waiting for it\n"
    assert "goes on after requeue 1" in log.read_text()
    assert sorted(path.name for path in tmp_path.glob("job.log*")) == ["job.log"]
    assert (tmp_path / "job.submissions").read_text() == "submitted\n"


def test_a_job_that_somebody_cancels_is_called_cancelled(tmp_path: Path, slurm: dict[str, str]) -> None:
    state = tmp_path / "state"
    job = launch(tmp_path / "job.log", *training(state), options=("--backend", "slurm"), env=slurm)
    wait_for(state.exists)
    subprocess.run(["scancel", "4242"], env=slurm, check=True)
    _, shown = job.communicate(timeout=60)
    assert job.returncode == 1
    assert shown.startswith("error: job 4242 was cancelled; ") and len(shown.splitlines()) == 1


@pytest.mark.parametrize("max_requeue", [1, 0])
def test_before_its_time_limit_a_job_stops_in_order_and_is_requeued(
    tmp_path: Path, slurm: dict[str, str], max_requeue: int
) -> None:
    state = tmp_path / "state"
    options = ("--backend", "slurm", "--hours", "0.1", "--max_requeue", str(max_requeue))
    job = launch(tmp_path / "job.log", *training(state), options=options, env=slurm)
    wait_for(state.exists)
    asked = (tmp_path / "job.script").read_text()
    assert "#SBATCH --signal=USR2@90\n" in asked and "#SBATCH --requeue\n" in asked
    for process in psutil.Process(int((tmp_path / "job").read_text())).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended with one that was told before it
            process.send_signal(signal.SIGUSR2)  # as Slurm does, to all of them
    _, shown = job.communicate(timeout=60)
    assert state.read_text() == "saved"
    if max_requeue == 1:
        assert job.returncode == 0 and "was requeued by Slurm" in shown, shown
    else:
        assert job.returncode == 124, shown
        assert shown.startswith("job 4242 has reached its time limit (--hours)") and len(shown.splitlines()) == 1


def left_behind(tmp_path: Path, slurm: dict[str, str], *command: str) -> None:
    """A job on Slurm whose launcher was killed."""
    job = launch(tmp_path / "job.log", *command, options=("--backend", "slurm"), env=slurm)
    wait_for((tmp_path / "begun").exists)
    job.kill()
    job.communicate()


WAIT_FOR_END = "touch begun; until [ -e end ]; do sleep 0.1; done"


def test_a_job_whose_launcher_was_killed_is_found_and_waited_for(tmp_path: Path, slurm: dict[str, str]) -> None:
    command = ("bash", "-c", f"cd {tmp_path}; {WAIT_FOR_END}; exit 5")
    left_behind(tmp_path, slurm, *command)
    job = launch(tmp_path / "job.log", *command, options=("--backend", "slurm"), env=slurm)
    assert "job 4242, left behind by an earlier command, is in the queue (RUNNING)" in job.stderr.readline()
    (tmp_path / "end").touch()
    job.communicate(timeout=30)
    assert job.returncode == 5
    assert (tmp_path / "job.submissions").read_text() == "submitted\n"


@pytest.mark.parametrize("status, submissions", [(0, 1), (5, 2)])
def test_what_ended_while_nobody_looked_counts_when_it_ended_well(
    tmp_path: Path, slurm: dict[str, str], status: int, submissions: int
) -> None:
    command = ("bash", "-c", f"cd {tmp_path}; {WAIT_FOR_END}; exit {status}")
    left_behind(tmp_path, slurm, *command)
    (tmp_path / "end").touch()
    wait_for((tmp_path / "job.end").exists)
    job = launch(tmp_path / "job.log", *command, options=("--backend", "slurm"), env=slurm)
    job.communicate(timeout=30)
    assert job.returncode == status
    assert (tmp_path / "job.submissions").read_text() == "submitted\n" * submissions


def test_a_job_left_behind_with_another_command_ends_before_this_one_begins(
    tmp_path: Path, slurm: dict[str, str]
) -> None:
    left_behind(tmp_path, slurm, "bash", "-c", f"cd {tmp_path}; {WAIT_FOR_END}; echo first >>order")
    job = launch(tmp_path / "job.log", "bash", "-c", f"echo second >>{tmp_path}/order", env=slurm,
                 options=("--backend", "slurm"))  # fmt: skip
    job.stderr.readline()
    time.sleep(2)  # in which one that did not wait would be done
    assert not (tmp_path / "order").exists()
    (tmp_path / "end").touch()
    job.communicate(timeout=30)
    assert job.returncode == 0 and (tmp_path / "order").read_text() == "first\nsecond\n"


def test_a_job_left_behind_is_cancelled_when_that_is_asked(tmp_path: Path, slurm: dict[str, str]) -> None:
    pid_file = tmp_path / "worker"
    left_behind(tmp_path, slurm, "bash", "-c", f"cd {tmp_path}; echo $$ >worker; {WAIT_FOR_END}")
    worker = psutil.Process(int(pid_file.read_text()))
    job = launch(tmp_path / "job.log", "true", options=("--backend", "slurm", "--orphan", "cancel"), env=slurm)
    _, shown = job.communicate(timeout=30)
    assert job.returncode == 0 and "job 4242, left behind by an earlier command, is cancelled" in shown
    assert psutil.wait_procs([worker], timeout=15)[1] == []


def test_an_error_that_other_lines_bury_is_shown_by_itself(tmp_path: Path, slurm: dict[str, str]) -> None:
    lines = "echo 'error: data/train: no such directory'; echo '2026-11-21 14:00:00 INFO x'; seq 100"
    command = ("bash", "-c", f"{lines}; exit 1")
    for options, before in ((("--backend", "slurm"), []), ((), ["error: data/train: no such directory"])):
        job = launch(tmp_path / "job.log", *command, options=options, env=slurm)
        _, shown = job.communicate(timeout=30)
        lines = shown.splitlines()
        assert lines[-1] == "    error: data/train: no such directory" and lines[-2].startswith("failed with")
        assert lines[:1] == before or not before


def test_what_slurm_cannot_do_is_said(tmp_path: Path, slurm: dict[str, str]) -> None:
    refusing = tmp_path / "bin/sbatch"
    refusing.write_text("#!/usr/bin/env bash\necho 'invalid partition' >&2\nexit 1\n")
    for options, environment, reason in (
        (["--slurm", "partition"], slurm, "expected name=value pairs"),
        ([], slurm, "invalid partition"),
        ([], {**os.environ, "PATH": "/nonexistent"}, "found no sbatch"),
    ):
        job = launch(tmp_path / "job.log", "true", options=("--backend", "slurm", *options), env=environment)
        _, shown = job.communicate(timeout=30)
        assert job.returncode == 1 and reason in shown and "Traceback" not in shown, shown
