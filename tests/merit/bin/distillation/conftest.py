"""A student on the way from its training to the table, by the commands of egs/distill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made_teacher import LOG_MEL, TRAINING, teach

import merit


@pytest.fixture(scope="session")
def command():
    """Function that runs a command of merit.bin.distillation and returns what it printed."""

    def run(name: str, *options: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PYTHONPATH": str(Path(merit.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
        arguments = [sys.executable, "-m", f"merit.bin.distillation.{name}", *options]
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def distilled(corpus, tiny_encoder, command, tmp_path_factory):
    """The folder of a run that the command has trained."""
    root = tmp_path_factory.mktemp("distilled")
    train, dev = (teach(corpus[part], tiny_encoder, root, online=part == "train") for part in ("train", "dev"))
    (root / "student.yaml").write_text(
        yaml.safe_dump({"student": {"encoder": LOG_MEL.encoder, "layers": LOG_MEL.layers}, "training": vars(TRAINING)})
    )
    options = ["--config", f"{root}/student.yaml", "--train", f"[{train.noisy}]", "--train_states", f"[{train.states}]"]
    options += ["--dev", f"[{dev.noisy}]", "--dev_states", f"[{dev.states}]", "--output", f"{root}/run"]
    result = command("distil", *options)
    assert result.returncode == 0, result.stderr
    return root / "run"
