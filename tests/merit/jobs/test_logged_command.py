"""A command as a job, without submitit: its log, its status and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from merit.jobs.logged_command import LoggedCommand, raise_interrupt, stop_tree, warning_ignored

# Starts a worker in another session, and tidies up when it is interrupted, if it is told to.
PARENT = """
import pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
pathlib.Path(sys.argv[1]).write_text(str(worker.pid))
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        if sys.argv[2] == "obedient":
            raise SystemExit(3)
"""


@pytest.fixture(autouse=True)
def handlers():
    """Commands change what signals do to their process; the tests are one process."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def logged(log: Path, *command: str, **environment: str) -> LoggedCommand:
    return LoggedCommand(list(command), log, environment, launcher=None)


def test_output_is_appended_and_the_status_comes_back(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    log = tmp_path / "job.log"
    log.write_text("before\n")
    command = logged(log, "sh", "-c", "echo $WORD; echo error >&2; exit 7", WORD="said")
    assert command() == 7
    assert log.read_text() == "before\nsaid\nerror\n"
    assert logged(log, "sh", "-c", "kill -9 $$")() == -9


def test_a_program_that_is_not_there_is_named_in_the_log(tmp_path: Path) -> None:
    assert logged(tmp_path / "job.log", "no-such-program")() == 127
    assert (tmp_path / "job.log").read_text() == "no-such-program: No such file or directory\n"


def test_after_a_requeue_the_log_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    assert logged(tmp_path / "job.log", "echo", "again")() == 0
    first, second = (tmp_path / "job.log").read_text().splitlines()
    assert first.startswith("# 2") and first.endswith(" goes on after requeue 2") and second == "again"


def started(tmp_path: Path, manner: str) -> tuple[subprocess.Popen, psutil.Process]:
    """A command that ignores Ctrl-C or does not, and its worker."""
    place = tmp_path / "worker"
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(place), manner], start_new_session=True)
    while not (place.exists() and place.read_text()):
        time.sleep(0.02)
    return process, psutil.Process(int(place.read_text()))


@pytest.mark.parametrize("manner, status", [("obedient", 3), ("stubborn", -signal.SIGKILL)])
def test_a_command_may_tidy_up_and_nothing_survives(tmp_path: Path, manner: str, status: int) -> None:
    process, worker = started(tmp_path, manner)
    stop_tree(process, patience=10.0 if manner == "obedient" else 0.5)
    assert process.returncode == status
    assert psutil.wait_procs([worker], timeout=5)[1] == []


def test_near_the_time_limit_a_command_stops_and_is_submitted_again(tmp_path: Path) -> None:
    command = logged(tmp_path / "job.log", "train", A="b")
    fresh = command.checkpoint().function
    assert (fresh.command, fresh.environment, fresh.process) == (["train"], {"A": "b"}, None)
    command.process, worker = started(tmp_path, "obedient")
    fresh = command.checkpoint().function
    assert command.was_stopped and not fresh.was_stopped and fresh.process is None
    assert psutil.wait_procs([worker], timeout=5)[1] == []
    command.process = subprocess.Popen(["true"], start_new_session=True)
    command.process.wait()
    assert command.checkpoint() is None and not command.was_stopped


def test_processes_do_not_hear_of_the_time_limit() -> None:
    signal.signal(signal.SIGUSR2, raise_interrupt)
    with warning_ignored():
        os.kill(os.getpid(), signal.SIGUSR2)
        code = "import os, signal; os.kill(os.getpid(), signal.SIGUSR2); print('lives')"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout == "lives\n"
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGUSR2)
        time.sleep(1)
    assert signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN  # it is not repeated while it is carried out
