"""A job on this machine, through submitit's local executor."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError

from merit.errors import MeritError
from merit.jobs.local import LocalJob
from merit.jobs.logged_command import LoggedCommand


def submitted(folder: Path, *command: str) -> LocalJob:
    executor = submitit.LocalExecutor(folder / "submitit")
    executor.update_parameters(timeout_min=5)
    return LocalJob(executor.submit(LoggedCommand(list(command), folder / "job.log", {}, os.getpid())))


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_the_status_of_the_command_comes_back(tmp_path: Path) -> None:
    job = submitted(tmp_path, "sh", "-c", "echo said; exit 5")
    wait_for(job.is_over)
    assert job.result() == 5 and (tmp_path / "job.log").read_text() == "said\n"


def test_a_job_that_is_cancelled_is_gone_with_its_command(tmp_path: Path) -> None:
    job = submitted(tmp_path, "sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 60")
    wait_for((tmp_path / "pid").exists)
    wait_for((tmp_path / "pid").read_text)
    command = psutil.Process(int((tmp_path / "pid").read_text()))
    assert not job.is_over()
    job.cancel(patience=20.0)
    assert job.is_over() and job.result() == 130
    assert psutil.wait_procs([command], timeout=5)[1] == []


@pytest.mark.parametrize("error", [FailedJobError, UncompletedJobError])
def test_a_job_that_was_ended_from_outside_says_so(error: type[Exception]) -> None:
    def result() -> int:
        raise error("no result")

    with pytest.raises(MeritError, match="^job 12 was ended from outside; no result$"):
        LocalJob(SimpleNamespace(job_id="12", result=result)).result()
