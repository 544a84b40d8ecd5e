"""The command of phase 2 takes the file of a method as it is, and refuses what is mistyped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from merit.bin.sparse_merit.train_joint import train_joint
from merit.command import run_command
from merit.systems.sparse_merit.methods.method import COMMON

ROOT = Path(__file__).resolve().parents[4]


def configuration(method: Path) -> subprocess.CompletedProcess:
    options = ["--train", "t", "--dev", "d", "--ssl", "s", "--output", "o", "--classes", "[sad]", "--print_config"]
    command = [sys.executable, "-m", "merit.bin.sparse_merit.train_joint", "--config", str(method), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_method_says_how_its_model_is_trained_and_what_it_is(tmp_path: Path):
    found = configuration(COMMON / "original.yaml")
    assert found.returncode == 0, found.stderr
    for line in ("title: Original", "speech: clean", "  front_end: weighted_sum"):
        assert line in found.stdout.splitlines()
    mistyped = tmp_path / "mine.yaml"
    mistyped.write_text("titel: Mine\n")
    refused = configuration(mistyped)
    assert refused.returncode == 2 and "titel" in refused.stderr


@pytest.mark.parametrize("option", ["--training.epoch", "--training.epocks", "--model.num"])
def test_mistyped_and_half_typed_options_are_refused(option, monkeypatch, capsys):
    arguments = ["--train", "a", "--dev", "b", "--ssl", "c", "--output", "d", "--classes", "[x,y]", option, "3"]
    monkeypatch.setattr("sys.argv", ["train_joint", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(train_joint)
    assert ended.value.code == 2 and option in capsys.readouterr().err
