"""merit.bin.sparse_merit.plan: what egs/TEMPLATE/merit.sh reads."""

import os
import subprocess
import sys
from pathlib import Path

from merit.systems.sparse_merit.methods.method import COMMON

ROOT = Path(__file__).resolve().parents[4]


def plan(*options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "merit.bin.sparse_merit.plan", f"--common={COMMON}", "--seeds=7", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_each_line_is_a_question_and_its_answer():
    found = plan("--methods=se_p ft_m", "--noise_seen=babble", "--snrs_test=-5 0")
    assert found.returncode == 0, found.stderr
    lines = dict(line.split("\t") for line in found.stdout.splitlines())
    assert lines["waiting"] == "se_p" and lines["speech se_p"] == "enhanced" and lines["heads se_only"] == "enhancement"
    assert lines["tests babble"] == "test_babble_-5dB test_babble_0dB" and lines["train"] == "train_babble_5dB"


def test_what_cannot_be_planned_is_one_sentence_and_no_plan():
    for option, reason in (
        ("--methods=nothere", "error: --methods: there is no conf/nothere.yaml, neither here nor in egs/TEMPLATE\n"),
        ("--snrs_test=-5 abc", "error: --snrs-test: 'abc' is no ratio in dB, as -5, 0 or 2.5\n"),
    ):
        found = plan("--methods=ft_m", option)
        assert (found.returncode, found.stdout, found.stderr) == (1, "", reason)


def test_a_plan_does_not_wait_for_pytorch():
    """Every run.sh makes one before its first stage."""
    code = "import sys, merit.bin.sparse_merit.plan; print({'torch', 'numpy'} & {*sys.modules})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert found.stdout == "set()\n", found.stderr
