"""utils/step.sh: a step runs once, again when what it depends on has changed, and stops the script when it fails."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for Python: utils/run_job.py as it is, but that the command is run on the spot; test_run_job.py tests the
# rest of it.
PYTHON = f"""#!{sys.executable}
import importlib.util, json, subprocess, sys

def launch(log, command, request, orphan, parent):
    open("options", "a").write(str(request))
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        status = subprocess.run(command, stdout=stream, stderr=stream).returncode
    if status != 0:
        print(*log.read_text().splitlines()[-20:], sep="\\n", file=sys.stderr)
    return status

spec = importlib.util.spec_from_file_location("run_job", sys.argv.pop(1))
run_job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_job)
run_job.launch = launch
separator = sys.argv.index("--")
sys.argv[separator:] = ["--command", json.dumps(sys.argv[separator + 1 :])]
run_job.run_command(run_job.run_job)
"""


@pytest.fixture
def recipe(tmp_path: Path):
    """Run lines of bash in a folder where step is defined; return the process."""
    (tmp_path / "python").write_text(PYTHON)
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
    assert "cpus=2," in (tmp_path / "options").read_text()
    assert "log/count: done before" in recipe(COUNT).stderr and runs(tmp_path) == 1
    for name, content in (("in.txt", "two\n"), ("conf/new.yaml", "a: 1\n"), ("conf/new.yaml", "a: 2\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        before = runs(tmp_path)
        recipe(COUNT)
        recipe(COUNT)
        assert runs(tmp_path) == before + 1, name


def test_lines_that_change_nothing_in_the_result(recipe, tmp_path: Path) -> None:
    but = COUNT.replace("--writes", "--but '^(title|note): ' --writes")
    (tmp_path / "in.txt").write_text("title: a\nsize: 1\n")
    recipe(but)
    for text, expected in (("title: b\nsize: 1\n", 1), ("size: 1\nnote: c\n", 1), ("title: b\nsize: 2\n", 2)):
        (tmp_path / "in.txt").write_text(text)
        assert recipe(but).returncode == 0
        assert runs(tmp_path) == expected, text
    # Without these lines the file counts as one that never had them.
    (tmp_path / "in.txt").write_text("size: 2\n")
    recipe(COUNT)
    assert runs(tmp_path) == 2


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


def test_of_two_scripts_at_one_step_the_second_waits_and_skips_it(recipe, tmp_path: Path) -> None:
    """Both find that it is not done; a later step of either must find the mark of the first one, and nothing newer."""
    slow = "step log/slow --writes out.txt -- bash -c 'date >>out.txt; sleep 2'"
    with ThreadPoolExecutor(2) as scripts:
        results = list(scripts.map(recipe, [f"{slow}\nhead -n 2 log/slow.done"] * 2))
    assert [result.returncode for result in results] == [0, 0] and runs(tmp_path) == 1
    waited, first = sorted((result.stderr for result in results), key=lambda text: "waiting" not in text)
    assert "log/slow: process" in waited and "log/slow: done by another command meanwhile" in waited
    assert len(waited.splitlines()) == 3 and len(first.splitlines()) == 1
    assert results[0].stdout == results[1].stdout


def test_the_second_script_does_the_step_when_the_first_one_fails(recipe, tmp_path: Path) -> None:
    once = "[ -e begun ] || { touch begun; sleep 2; exit 7; }; touch out.txt"
    fail_once = f"step log/once --writes out.txt -- bash -c '{once}'"
    with ThreadPoolExecutor(2) as scripts:
        results = list(scripts.map(recipe, [fail_once] * 2))
    assert sorted(result.returncode for result in results) == [0, 7]
