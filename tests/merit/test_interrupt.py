"""Ctrl-C once merit.interrupt is imported; while a command imports its libraries it is in test_command.py."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_outside_of_an_import_it_is_a_keyboard_interrupt():
    code = "import merit.interrupt, os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n"
    ended = run(f"{code}except KeyboardInterrupt:\n    print('tidied up')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "tidied up\n", "")


def test_inside_of_an_import_it_ends_the_process_at_once(tmp_path):
    library = tmp_path / "library.py"
    library.write_text(
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nfinally:\n    print('went on')\n"
    )
    ended = run(f"import sys, merit.interrupt\nsys.path.insert(0, {str(tmp_path)!r})\nimport library")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted while it was starting\n")


@pytest.mark.parametrize("handler", ["SIG_IGN", "SIG_DFL"])
def test_who_has_set_another_handler_keeps_it(handler):
    code = f"import signal\nsignal.signal(signal.SIGINT, signal.{handler})\nimport merit.interrupt\n"
    ended = run(f"{code}print(int(signal.getsignal(signal.SIGINT)))")
    assert ended.stdout == f"{int(getattr(signal, handler))}\n", ended.stderr
