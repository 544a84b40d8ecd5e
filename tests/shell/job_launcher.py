"""utils/run_job.py started from a test, for test_run_job.py and test_run_job_on_slurm.py."""

import subprocess
import sys
import time
from pathlib import Path

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


def launch(log: Path, *command: str, options: tuple[str, ...] = (), **kwargs) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(RUN_JOB), "--log", str(log), *options, "--", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


def wait_for(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
