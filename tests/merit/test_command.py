"""How commands end: on Ctrl-C during their imports, and when their output cannot be written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from merit.command import run_command
from merit.files import write_text

ROOT = Path(__file__).resolve().parents[2]
CONSOLE_SCRIPT = "from merit.cli import main; main()"


# Stands in for a library that takes long to import, and takes an interruption for a reason to go on.
SLOW_LIBRARY = """
import time
print("importing", flush=True)
try:
    time.sleep(30)
except BaseException:
    raise RecursionError
"""


@pytest.mark.parametrize(
    "command, library",
    [
        (["-m", "merit.bin.sparse_merit.train_joint", "--help"], "jsonargparse"),
        (["-m", "merit.bin.sparse_merit.decode", "--model", "a", "--data", "[b]", "--output", "c"], "soundfile"),
        ([ROOT / "utils/run_job.py", "--log", "job.log", "--", "true"], "submitit"),
        (["-c", CONSOLE_SCRIPT, "enhance"], "jsonargparse"),
    ],
    ids=["train_joint", "decode", "run_job", "merit"],
)
def test_ctrl_c_while_a_command_imports_is_one_line(tmp_path, monkeypatch, command, library):
    (tmp_path / f"{library}.py").write_text(SLOW_LIBRARY)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    process = subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "importing\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "interrupted while it was starting\n")


def test_other_errors_of_an_import_are_shown_whole(tmp_path, monkeypatch):
    (tmp_path / "jsonargparse.py").write_text("raise ValueError('broken installation')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    ended = subprocess.run(
        [sys.executable, "-m", "merit.bin.sparse_merit.decode"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 1 and "Traceback" in ended.stderr and "broken installation" in ended.stderr


def write(output: Path) -> None:
    """Write a file."""
    write_text(output, "text")


@pytest.mark.parametrize(
    "output, sentence", [("file/report", "a directory is needed here"), ("folder", "a file is to be written here")]
)
def test_an_output_that_cannot_be_is_told_in_a_sentence(tmp_path, monkeypatch, output, sentence):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("sys.argv", ["write", "--output", str(tmp_path / output)])
    with pytest.raises(SystemExit, match=rf"^error: {tmp_path}/(file|folder): {sentence}"):
        run_command(write)
