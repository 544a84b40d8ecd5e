"""The error itself, out of logs in which it is buried."""

import io
import subprocess
import sys

import pytest

from merit.jobs.log import error_lines

CHAINED = """\
2026-11-21 14:00:00 INFO begins
Traceback (most recent call last):
  File "a.py", line 3, in first
    second()
ValueError: one
two

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 3, in third
    fourth()
KeyError: 'x'
2026-11-21 14:00:01 WARNING ends
"""

RANKS = """
import os, signal, sys, time
import torch.distributed
torch.distributed.init_process_group("gloo")
if torch.distributed.get_rank() == 1:
    time.sleep(0.3)
    {failure}
torch.distributed.barrier()
"""


def errors_of(text: str, start: int = 0) -> list[str]:
    return error_lines(io.BytesIO(text.encode()), start)


def test_the_last_error_counts_with_all_its_lines() -> None:
    assert errors_of(CHAINED) == CHAINED.split("\n")[9:13]
    message = "error: 2 files failed:\n  a\n  b\nlook at them"
    assert errors_of(f"{CHAINED}{message}\n\nat the end\n") == message.split("\n")
    assert errors_of(f"{CHAINED}{message}\n{CHAINED}") == CHAINED.split("\n")[9:13]


def test_of_an_earlier_run_nothing_is_shown_and_without_an_error_the_end() -> None:
    assert errors_of(f"{CHAINED}all\nis\rwas\n\nsaid\n", len(CHAINED)) == ["all", "was", "said"]


@pytest.mark.parametrize(
    "failure, expected",
    [
        ("sys.exit('error: data/train: no such directory')", ["error: data/train: no such directory"]),
        ("raise ValueError('of rank 1')", ["[rank1]: Traceback", "[rank1]: ValueError: of rank 1"]),
        ("os.kill(os.getpid(), signal.SIGKILL)", ["Root Cause", "  traceback : Signal 9 (SIGKILL) received by PID"]),
    ],
    ids=["message", "traceback", "killed"],
)
def test_under_torchrun_the_process_that_failed_first_counts(tmp_path, failure, expected) -> None:
    (tmp_path / "ranks.py").write_text(RANKS.format(failure=failure))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    ended = subprocess.run(
        [*command, str(tmp_path / "ranks.py")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120
    )
    assert ended.returncode != 0 and len(ended.stdout.splitlines()) > 20
    found = errors_of(ended.stdout)
    assert found[0].startswith(expected[0]) and found[-1].startswith(expected[-1])
    assert len(found) < 10
