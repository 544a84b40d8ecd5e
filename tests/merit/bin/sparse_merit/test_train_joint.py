"""merit.bin.sparse_merit.train_joint takes the file of a method as it is."""

import os
import subprocess
import sys
from pathlib import Path

from merit.systems.sparse_merit.method import FOLDERS

ROOT = Path(__file__).resolve().parents[4]


def configuration(method: Path) -> subprocess.CompletedProcess:
    options = ["--train", "t", "--dev", "d", "--ssl", "s", "--output", "o", "--classes", "[sad]", "--print_config"]
    command = [sys.executable, "-m", "merit.bin.sparse_merit.train_joint", "--config", str(method), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_method_says_how_its_model_is_trained_and_what_it_is(tmp_path: Path):
    found = configuration(FOLDERS[1] / "original.yaml")
    assert found.returncode == 0, found.stderr
    for line in ("title: Original", "speech: clean", "  front_end: weighted_sum"):
        assert line in found.stdout.splitlines()
    mistyped = tmp_path / "mine.yaml"
    mistyped.write_text("titel: Mine\n")
    refused = configuration(mistyped)
    assert refused.returncode == 2 and "titel" in refused.stderr
