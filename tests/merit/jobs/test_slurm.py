"""What the queue says of a job, and what is made of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from merit.errors import MeritError
from merit.jobs import slurm


@pytest.fixture
def programs(tmp_path: Path, monkeypatch):
    """Function: put a script in the place of one of Slurm's programs; there are no others."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(slurm.shutil, "which", lambda name: name if (tmp_path / name).exists() else None)

    def put(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return put


PURGED = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"


def test_the_state_is_what_squeue_says_and_after_some_minutes_what_sacct_says(programs) -> None:
    programs("squeue", "printf '%-30s%-10s\\n' OUT_OF_MEMORY 2")
    assert slurm.queue_state("12") == ("OUT_OF_MEMORY", 2)
    programs("squeue", PURGED)
    assert slurm.queue_state("12") == ("", 0)
    programs("sacct", "echo 'CANCELLED by 1000'")
    assert slurm.queue_state("12") == ("CANCELLED", 0)
    programs("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert slurm.queue_state("12") == ("", 0)


def test_a_job_is_not_over_while_slurm_does_not_answer(programs, tmp_path) -> None:
    programs("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    job = slurm.QueuedJob(SimpleNamespace(job_id="12", paths=SimpleNamespace(result_pickle=tmp_path / "none")))
    assert not job.is_over() and job.state == slurm.UNREACHABLE


@pytest.mark.parametrize(
    "state, sentence",
    [
        ("CANCELLED", "job 12 was cancelled; "),
        ("TIMEOUT", r"job 12 was ended at its time limit \(--hours\); "),
        ("OUT_OF_MEMORY", r"job 12 needed more memory than it had asked for \(--memory\); "),
        ("NODE_FAIL", "job 12 was lost with its node; "),
    ],
)
def test_a_job_that_ended_without_a_result_says_how(programs, tmp_path, monkeypatch, state, sentence) -> None:
    monkeypatch.setattr(slurm, "OTHER_RESULT_SECONDS", -1.0)
    programs("squeue", f"printf '%-30s%-10s\\n' {state} 0")
    job = slurm.QueuedJob(SimpleNamespace(job_id="12", paths=SimpleNamespace(result_pickle=tmp_path / "none")))
    assert job.is_over()
    with pytest.raises(MeritError, match=f"^{sentence}"):
        job.result()
