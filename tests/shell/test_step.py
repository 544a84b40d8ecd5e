"""utils/step.sh: a step runs once, again when what it depends on has changed, and stops the script when it fails."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for `python utils/run_job.py --log LOG [options] -- COMMAND`; test_run_job.py tests the real one.
RUN_JOB = """#!/usr/bin/env bash
log=$3
while [ "$1" != -- ]; do echo "$1" >>options; shift; done
shift
mkdir -p "$(dirname "$log")"
"$@" >"$log" 2>&1 || { status=$?; tail -n 20 "$log" >&2; exit $status; }
"""


@pytest.fixture
def recipe(tmp_path: Path):
    """Run lines of bash in a folder where step is defined; return the process."""
    (tmp_path / "python").write_text(RUN_JOB)
    (tmp_path / "python").chmod(0o755)

    def run(lines: str) -> subprocess.CompletedProcess:
        script = f"set -euo pipefail\npython=./python MERIT_ROOT={ROOT}\n. {ROOT}/utils/step.sh\n{lines}\necho end"
        return subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)

    return run


COUNT = "step log/count --reads 'in.txt conf/*.yaml' --writes out.txt --cpus 2 -- bash -c 'date >>out.txt; echo run' x"


def runs(folder: Path) -> int:
    return len((folder / "out.txt").read_text().splitlines())


def test_a_finished_step_is_skipped_until_what_it_reads_changes(recipe, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("one\n")
    first = recipe(COUNT)
    assert first.returncode == 0 and "log/count: running" in first.stderr
    assert (tmp_path / "options").read_text().split()[-2:] == ["--cpus", "2"]
    assert "log/count: done before" in recipe(COUNT).stderr and runs(tmp_path) == 1
    for name, content in (("in.txt", "two\n"), ("conf/new.yaml", "a: 1\n"), ("conf/new.yaml", "a: 2\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        before = runs(tmp_path)
        recipe(COUNT)
        recipe(COUNT)
        assert runs(tmp_path) == before + 1, name


def test_another_command_or_a_missing_output_runs_it_again_but_not_another_nj(recipe, tmp_path: Path) -> None:
    recipe(COUNT + " --nj 4 a b")
    recipe(COUNT + " --nj 8 a b")
    assert runs(tmp_path) == 1
    recipe(COUNT + " --nj 8 'a b'")
    assert runs(tmp_path) == 2
    (tmp_path / "out.txt").unlink()
    recipe(COUNT + " --nj 8 'a b'")
    assert runs(tmp_path) == 1


def test_a_failing_step_ends_the_script_with_its_status_and_is_tried_again(recipe, tmp_path: Path) -> None:
    fail = "step log/fail --writes out.txt -- bash -c 'date >>out.txt; seq 50; exit 7'"
    for attempt in (1, 2):
        result = recipe(fail)
        assert result.returncode == 7 and "end" not in result.stdout
        assert "31" in result.stderr.splitlines() and "30" not in result.stderr.splitlines()
        assert runs(tmp_path) == attempt and not (tmp_path / "log/fail.done").exists()


def test_a_step_that_leaves_no_output_is_not_done(recipe, tmp_path: Path) -> None:
    result = recipe("step log/idle --writes 'never.txt' -- true")
    assert result.returncode == 1 and "did not write never.txt" in result.stderr
    assert not (tmp_path / "log/idle.done").exists()


def test_a_later_step_runs_again_after_an_earlier_one(recipe, tmp_path: Path) -> None:
    lines = f"{COUNT}\nstep log/later --reads log/count.done --writes out.txt -- bash -c 'date >>later.txt'"
    (tmp_path / "log").mkdir()
    recipe(lines)
    recipe(lines)
    assert len((tmp_path / "later.txt").read_text().splitlines()) == 1
    (tmp_path / "out.txt").unlink()
    recipe(lines)
    assert len((tmp_path / "later.txt").read_text().splitlines()) == 2
