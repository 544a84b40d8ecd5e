"""Two run.sh of one recipe at a time: nothing is made twice, and nothing again because of the other."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recipe_stub import PYTHON, ROOT, Recipe


def test_marks_that_another_command_has_set_meanwhile_stay_as_they_are(recipe: Recipe) -> None:
    """Whatever it has gone on to train from them would be trained again."""
    options = ("--feats", "online", "--stop-stage", "4")
    assert recipe.run(*options).returncode == 0
    mark = recipe.folder / "exp/phase1_ser-7/log/train.done"
    kept = mark.rename(recipe.folder / "kept")
    (recipe.folder / "meanwhile_train_heads").write_text(f"cp kept {mark.relative_to(recipe.folder)}\n")
    assert recipe.run(*options).returncode == 0
    assert mark.read_text() == kept.read_text()


# In place of the stub's own way with jobs: utils/run_job.py with its locks and marks, but commands run on the spot.
LOCKED_JOBS = f"""
import importlib.util, json, subprocess, sys

spec = importlib.util.spec_from_file_location("run_job", {str(ROOT / "utils/run_job.py")!r})
run_job = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_job)
run_job.launch = lambda log, command, *_: subprocess.run(command).returncode
separator = sys.argv.index("--")
sys.argv[separator:] = ["--command", json.dumps(sys.argv[separator + 1 :])]
run_job.run_command(run_job.run_job)
"""


def test_two_commands_share_the_enhancer_of_their_seeds_and_train_nothing_twice(recipe: Recipe, tmp_path: Path) -> None:
    assert recipe.run("--methods", "se_p", "--stop-stage", "3").returncode == 0
    recipe.calls()
    (tmp_path / "jobs.py").write_text(LOCKED_JOBS)
    locked = f'case $1 in *run_job.py) shift; exec {sys.executable} {tmp_path / "jobs.py"} "$@" ;; esac\n'
    stub = PYTHON.partition("case $1 in *run_job.py)")
    recipe.python.write_text(f"{stub[0]}{locked}{stub[1]}{stub[2]}")
    part = ("--methods", "se_p", "--enhancer-seed", "7", "--stage", "4", "--stop-stage", "5")
    with ThreadPoolExecutor(2) as commands:
        results = list(commands.map(lambda seed: recipe.run(*part, "--seeds", seed), ("7", "17")))
    assert [result.returncode for result in results] == [0, 0], results
    calls = recipe.calls()
    trained = sorted(re.search(r"output (\S+)", call)[1] for call in calls if "sparse_merit.train_" in call)
    assert trained == [
        "exp/phase1_se-7", "exp/phase1_ser_enhanced-17", "exp/phase1_ser_enhanced-7",
        "exp/se_only-7", "exp/se_p-17", "exp/se_p-7",
    ]  # fmt: skip
    assert sum("enhance_data" in call for call in calls) == 1
    for seed in ("7", "17"):  # and nothing is made anew because of a mark that the other one has set later
        assert recipe.run(*part, "--seeds", seed).returncode == 0
    assert recipe.calls() == []
