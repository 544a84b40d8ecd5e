"""utils/run_job.py: exit status, log, and that nothing survives an interruption."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

RUN_JOB = Path(__file__).resolve().parents[2] / "utils/run_job.py"

# A command that starts a worker in another session, as torchrun does, and tidies up when it is interrupted.
STUBBORN = """
import pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
pathlib.Path(sys.argv[1]).write_text(str(worker.pid))
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("tidied up")
"""

# What submitit needs of Slurm: sbatch keeps a copy of the script, which submitit then moves away, and runs that in the
# background; srun runs its command.
SLURM = {
    "sbatch": """
        cat "$1" >"$SLURM_STATE.script"
        SLURM_JOB_ID=4242 setsid bash "$SLURM_STATE.script" >"$SLURM_STATE.out" 2>&1 &
        echo $! >"$SLURM_STATE"
        echo "Submitted batch job 4242"
    """,
    "srun": """
        while :; do case $1 in --output) shift 2 ;; -*) shift ;; *) break ;; esac; done
        exec "$@"
    """,
    "sacct": """
        state=COMPLETED
        kill -0 "$(cat "$SLURM_STATE")" 2>/dev/null && state=RUNNING
        printf "JobID|State|NodeList\\n4242|$state|here\\n"
    """,
    "scancel": """
        pkill -TERM -P "$(cat "$SLURM_STATE")"
    """,
}


def launch(log: Path, *command: str, options: tuple[str, ...] = (), **kwargs) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(RUN_JOB), "--log", str(log), *options, "--", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Environment of a machine with a Slurm that runs one job on the spot."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in SLURM.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SLURM_STATE": str(tmp_path / "job")}


def wait_for(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_exit_status_and_output_of_the_command_come_back(tmp_path: Path) -> None:
    log = tmp_path / "log/job.log"
    job = launch(log, "bash", "-c", 'echo "$1"; echo to stderr >&2; exit 3', "bash", "two words, [7] --x")
    _, shown = job.communicate(timeout=30)
    assert job.returncode == 3
    lines = log.read_text().splitlines()
    assert lines[1:] == ["two words, [7] --x", "to stderr"]  # the first line is the command
    assert "two words, [7] --x\nto stderr\n" in shown and str(log) in shown
    assert [path.name for path in log.parent.iterdir()] == ["job.log"]


def test_the_log_of_an_earlier_run_is_kept_and_a_missing_program_is_named(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("earlier\n")
    job = launch(log, "no-such-program")
    _, shown = job.communicate(timeout=30)
    assert job.returncode == 127
    assert log.read_text().startswith("earlier\n")
    assert "no-such-program: No such file or directory" in shown


@pytest.mark.parametrize("target", ["launcher", "group", "caller"])
def test_nothing_survives_an_interruption(tmp_path: Path, target: str) -> None:
    """SIGTERM to the launcher; Ctrl-C, which goes to a whole group; and kill -9 of the script that called it."""
    log, pid_file = tmp_path / "job.log", tmp_path / "worker"
    command = [sys.executable, "-u", "-c", STUBBORN, str(pid_file)]
    arguments = [sys.executable, str(RUN_JOB), "--log", str(log), "--", *command]
    if target == "caller":
        arguments = ["bash", "-c", '"$@"; true', "bash", *arguments]
    caller = subprocess.Popen(arguments, start_new_session=True, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")
    tree = psutil.Process(caller.pid).children(recursive=True)
    assert int(pid_file.read_text()) in [process.pid for process in tree]
    if target == "launcher":
        caller.terminate()
    elif target == "group":
        os.killpg(caller.pid, signal.SIGINT)
    else:
        caller.kill()
    _, shown = caller.communicate(timeout=30)
    assert psutil.wait_procs(tree, timeout=15)[1] == []
    assert log.read_text().endswith("tidied up\n")
    if target != "caller":
        assert caller.returncode == 130
        assert f"interrupted; the log is {log}" in shown


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


def test_last_lines_show_a_progress_bar_as_it_stood_last() -> None:
    spec = importlib.util.spec_from_file_location("run_job", RUN_JOB)
    run_job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run_job)
    log = io.BytesIO(b"before\nstart\n 10%\r 50%\r100%\r\n\nerror: no space\n")
    assert run_job.last_lines(log, start=7) == ["start", "100%", "error: no space"]
