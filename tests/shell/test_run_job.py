"""utils/run_job.py: exit status, log, and that nothing survives an interruption."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from job_launcher import RUN_JOB, STUBBORN, launch, wait_for


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


def test_last_lines_show_a_progress_bar_as_it_stood_last() -> None:
    spec = importlib.util.spec_from_file_location("run_job", RUN_JOB)
    run_job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run_job)
    log = io.BytesIO(b"before\nstart\n 10%\r 50%\r100%\r\n\nerror: no space\n")
    assert run_job.last_lines(log, start=7) == ["start", "100%", "error: no space"]


def test_one_command_sets_a_mark_for_each_of_its_results(tmp_path: Path) -> None:
    """Those that are set stay, also when another command sets one meanwhile, since it may have gone on from it."""
    results = {name: tmp_path / f"{name}.done" for name in "abc"}
    marks = []
    for name, done in results.items():
        (tmp_path / f"{name}.out").touch()
        marks += ["--done+", str(done), "--mark+", f"sum {name}", "--writes+", str(tmp_path / f"{name}.out")]
    results["a"].write_text("sum a\nfinished before\n")
    results["b"].write_text("another sum\n")
    meanwhile = f"echo run; [ ! -e {results['b']} ] && printf 'sum c\\nfinished meanwhile\\n' >{results['c']}"

    def run() -> tuple[int, str]:
        job = launch(tmp_path / "log/x.log", "bash", "-c", meanwhile, options=tuple(marks))
        _, errors = job.communicate(timeout=60)
        return job.returncode, errors

    assert run()[0] == 0
    assert results["a"].read_text() == "sum a\nfinished before\n"
    assert results["b"].read_text().startswith("sum b\nfinished 2")
    assert results["c"].read_text() == "sum c\nfinished meanwhile\n"
    log = (tmp_path / "log/x.log").read_text()
    status, errors = run()
    assert status == 0 and "x: done by another command meanwhile" in errors
    assert (tmp_path / "log/x.log").read_text() == log
    (tmp_path / "b.out").unlink()
    status, errors = run()
    assert status == 1 and f"b: ended well, but did not write {tmp_path}/b.out" in errors
    assert not results["b"].exists() and results["a"].exists()
    job = launch(tmp_path / "log/x.log", "true", options=("--done+", "a"))
    assert job.wait(60) == 1 and "expected as many of each" in job.communicate()[1]
