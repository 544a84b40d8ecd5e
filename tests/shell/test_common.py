"""egs/TEMPLATE/common.sh and cmd.sh: stages, environment, help and jobs of all recipes."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from recipe_stub import DATA, EVERYTHING, PYTHON, ROOT, STAGES, Recipe, modules


def test_work_keeps_everything_apart_from_the_recipe(recipe: Recipe) -> None:
    assert recipe.run("--work", "fold2", "--stop-stage", "5").returncode == 0
    calls = (recipe.folder / "fold2/calls").read_text()
    assert f"--config {recipe.folder}/conf/phase2.yaml" in calls
    assert (recipe.folder / "fold2/exp/sparse_merit-7/model.safetensors").exists()
    assert not (recipe.folder / "exp").exists() and not (recipe.folder / "data").exists()


@pytest.mark.parametrize("stop", ["--stop-stage", "--stop_stage"])
def test_only_the_stages_asked_for_run(recipe: Recipe, stop: str) -> None:
    assert recipe.run("--stage", "2", stop, "3").returncode == 0
    assert modules(recipe.calls()) == STAGES[1] + STAGES[2]
    assert recipe.run("--stage", "5", stop, "5").returncode == 0
    assert modules(recipe.calls()) == STAGES[4]


def test_no_pipes_reaches_every_job_and_is_no_other_experiment(recipe: Recipe) -> None:
    recipe.python.write_text(PYTHON.replace('echo "$*" >>', 'echo "refused ${MERIT_NO_PIPES-}" >>jobs; echo "$*" >>'))
    data = recipe.folder / "local/data.sh"
    data.write_text(DATA + 'echo "refused ${MERIT_NO_PIPES-}" >>jobs\n')
    assert recipe.run("--no-pipes", "true").returncode == 0
    jobs = recipe.folder / "jobs"
    lines = [line for line in jobs.read_text().splitlines() if line.startswith("refused")]
    assert lines == ["refused true"] * len(lines) and len(lines) >= len(EVERYTHING)
    jobs.unlink()
    assert recipe.run("--stage", "3").returncode == 0
    assert not jobs.exists()


def test_the_environment_is_that_of_install_and_is_made_first(recipe: Recipe, tmp_path: Path) -> None:
    install = tmp_path / "tools/install.sh"
    install.parent.mkdir()
    install.write_text(f'#!/bin/sh\ncd "${{0%/*}}"\nmkdir -p venv\nprintf "sum\\n{recipe.python}\\n" >venv/installed\n')
    install.chmod(0o755)
    assert recipe.run("--stop-stage", "2", python=False).returncode == 0
    assert modules(recipe.calls()) == STAGES[0] + STAGES[1]
    install.write_text("#!/bin/sh\necho no compiler >&2\nexit 1\n")
    result = recipe.run(python=False)
    assert result.returncode == 1 and "no compiler" in result.stderr and recipe.calls() == []


def test_jobs_keep_few_kernels_of_past_lengths_unless_told_otherwise() -> None:
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", "OMP_WAIT_POLICY")
    command = f'. "{ROOT}/egs/TEMPLATE/common.sh"; export_environment; printenv {" ".join(names)}'
    for given, expected in (({}, "128 128 PASSIVE"), (dict.fromkeys(names, "9"), "9 9 9")):
        environment = {name: value for name, value in os.environ.items() if name not in names} | given
        result = subprocess.run(["bash", "-euc", command], env=environment, capture_output=True, text=True)
        assert result.stdout.split() == expected.split()


RECIPES = sorted(path.parent.name for path in (ROOT / "egs").glob("*/run.sh"))


@pytest.mark.parametrize("name", RECIPES)
def test_help_of_every_recipe(name: str) -> None:
    stages = re.search(r"/TEMPLATE/(\w+).sh", (ROOT / "egs" / name / "run.sh").read_text())[1]
    options = {
        "merit": ("--stop-stage 7", "--noise-unseen", "--classes", f"--{name.replace('_', '-')} "),
        "mos": ("--stop-stage 5", "--freeze-ssl", "--methods", f"--{name.replace('_', '-')} "),
        "smoe": ("--stop-stage 7", "--narrow-band", "--target-lang", f"--{name.replace('_', '-')} "),
        "common": ("--stop-stage 6", "--teacher", "--students"),  # its stages are its own
    }[stages]
    result = subprocess.run([str(ROOT / "egs" / name / "run.sh"), "--help"], cwd="/", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in ("--stage 1", "--seeds", *options):
        assert f"\n  {option}" in result.stdout
    assert "shellcheck" not in result.stdout


def test_jobs_are_given_what_the_options_say_of_slurm(recipe: Recipe) -> None:
    options = ("--backend", "slurm", "--max-requeue", "5", "--orphan", "cancel", "--stop-stage", "3")
    assert recipe.run(*options).returncode == 0
    jobs = [line.partition(" -- ")[0] for line in (recipe.folder / "jobs").read_text().splitlines()]
    assert len(jobs) == len(sum(STAGES[:3], []))
    assert all("--backend slurm --slurm  --max_requeue 5 --orphan cancel" in job for job in jobs)
    for wrong in (["--max-requeue", "often"], ["--orphan", "forget"], ["--backend", "pbs"]):
        result = recipe.run(*wrong)
        assert result.returncode == 2 and f"not '{wrong[1]}'" in result.stderr
