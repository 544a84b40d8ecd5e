"""Locks: one holder at a time, and none that outlives its process, on this host or another."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from merit.errors import MeritError
from merit.jobs import lock

HOLDER = """
import sys, time
from pathlib import Path
from merit.jobs import lock
lock.LEASE_SECONDS, lock.HEARTBEAT_SECONDS = float(sys.argv[2]), 0.1
with lock.{function}:
    print("held", flush=True)
    time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    monkeypatch.setattr(lock, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.3)


def other_process(function: str, seconds: float) -> subprocess.Popen:
    """A process that holds a lock for so long."""
    code = HOLDER.format(function=function)
    command = [sys.executable, "-c", code, str(seconds), str(lock.LEASE_SECONDS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_waits_for_the_first_and_says_so(tmp_path: Path, capsys) -> None:
    path = tmp_path / "log/step.lock"
    first = other_process(f"hold(Path({str(path)!r}), 'step')", 2.0)
    with lock.hold(path, "log/step"):
        assert first.poll() is not None or first.wait(1) == 0
    assert not path.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"log/step: process {first.pid} on ") and "waiting" in line


def test_a_lock_of_a_killed_process_is_free_at_once_on_its_host(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(lock, "LEASE_SECONDS", 1000.0)
    path = tmp_path / ".lock"
    first = other_process(f"hold(Path({str(path)!r}), 'step')", 60)
    first.kill()
    first.wait()
    assert path.exists()
    with lock.sole_writer(tmp_path):
        pass
    assert capsys.readouterr().err == ""


def left_by_another_host(path: Path) -> None:
    """A lock whose process cannot be looked up from here, though a process here has its id."""
    first = other_process(f"hold(Path({str(path)!r}), 'step')", 60)
    path.write_text(re.sub("^host=.*$", "host=faraway", path.read_text(), flags=re.MULTILINE))
    first.kill()
    first.wait()


def test_a_lock_of_another_host_is_free_when_nobody_touches_it_any_more(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lock, "LEASE_SECONDS", 2.5)  # patience with one who is at work ends long before
    path = tmp_path / ".lock"
    left_by_another_host(path)
    began = time.monotonic()
    with lock.sole_writer(tmp_path):
        assert time.monotonic() - began >= 2.0


@pytest.mark.parametrize("function", [lambda path: lock.hold(path / ".lock", "step"), lock.sole_writer])
def test_what_ends_or_fails_lets_go(tmp_path: Path, monkeypatch, function) -> None:
    leases, lease = [], lock._lease  # kept here: one that nothing refers to any more lets go by itself
    monkeypatch.setattr(lock, "_lease", lambda path: leases.append(lease(path)) or leases[-1])
    with pytest.raises(ValueError), function(tmp_path):
        assert (tmp_path / ".lock").exists()
        raise ValueError
    assert not (tmp_path / ".lock").exists()


def test_one_that_is_about_to_stop_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 10.0)
    first = other_process(f"sole_writer(Path({str(tmp_path)!r}))", 2.5)
    with lock.sole_writer(tmp_path):
        assert first.wait(5) == 0


def test_a_directory_that_another_host_writes_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    left_by_another_host(path)
    done = threading.Event()

    def touch() -> None:
        while not done.wait(0.1):
            path.touch()

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        with pytest.raises(MeritError, match=r"process \d+ on faraway is writing here") as refused:
            with lock.sole_writer(tmp_path):
                pytest.fail("two writers")
        assert "\n" not in str(refused.value) and str(refused.value).startswith(f"{tmp_path}: ")
    finally:
        done.set()
        thread.join()


def test_a_directory_that_a_process_here_writes_is_refused_and_free_afterwards(tmp_path: Path) -> None:
    first = other_process(f"sole_writer(Path({str(tmp_path)!r}))", 60)
    with pytest.raises(MeritError, match=f"process {first.pid} on "):
        with lock.sole_writer(tmp_path):
            pytest.fail("two writers")
    first.terminate()
    first.wait()
    with lock.sole_writer(tmp_path, tmp_path):
        assert (tmp_path / ".lock").exists()
    assert not (tmp_path / ".lock").exists()


def test_of_a_distributed_command_only_the_first_process_holds_the_lock(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RANK", "0")
    with lock.sole_writer(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with lock.sole_writer(tmp_path):
            assert (tmp_path / ".lock").exists()
        assert (tmp_path / ".lock").exists()


def test_a_process_whose_lock_was_removed_stops(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        with lock.sole_writer(tmp_path):
            (tmp_path / ".lock").unlink()
            time.sleep(5)
