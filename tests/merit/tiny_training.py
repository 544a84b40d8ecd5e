"""Small trainings, and the comparison of what they leave."""

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.phase2 import train_phase2
from merit.systems.sparse_merit.training_options import MeritTraining

CLASSES = ["angry", "happy", "neutral", "sad"]
MODEL = ModelConfig(expert_size=12, emotion_size=8, enhancement_size=8)
TRAINING = MeritTraining(
    epochs=2,
    batch_size=4,
    micro_batch_size=4,
    learning_rate=1e-2,
    encoder_learning_rate=1e-3,
    precision="float32",
    workers=0,
)
ONE_EPOCH = replace(TRAINING, epochs=1)


def phase2(corpus, encoder, output, model=MODEL, training=TRAINING, **options):
    defaults = {"emotion_head": None, "enhancement_head": None, "seed": 3}
    train_phase2(
        corpus["train"], corpus["dev"], encoder, Path(output), CLASSES, model, training, **{**defaults, **options}
    )
    return load_file(Path(output) / "model.safetensors")


def history(output):
    """Rows of the history without the memory, which is the machine's and no result of the training."""
    with open(Path(output) / "history.csv") as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) for name, value in row.items() if "memory" not in name} for row in rows]


def assert_same(weights, expected, tolerance):
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        torch.testing.assert_close({name: value}, {name: expected[name]}, atol=tolerance, rtol=tolerance)


def in_a_process(code: str, *arguments: object, processes: int = 1) -> subprocess.CompletedProcess:
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    script = Path(str(arguments[0])).parent / f"script{os.getpid()}.py"
    script.write_text(code)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    return subprocess.run(
        [*launcher, str(script), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=120
    )


def killed_after(steps: int, call: str, output: Path, corpus: dict[str, Path], encoder: str) -> None:
    """Train and be killed (``kill -9``) when so many optimiser steps are taken.

    Args:
        steps: of all runs together.
        call: lines of Python that know what this module does, output, train, dev and encoder.
        output, corpus, encoder: of the training.
    """
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from tiny_training import *
from merit.training.run import Run
output, train, dev, encoder = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
taken = 0
train_step = Run.train_step
def killing(self, batches):
    global taken
    if taken == {steps}:
        os.kill(os.getpid(), signal.SIGKILL)
    taken += 1
    return train_step(self, batches)
Run.train_step = killing
{call}
"""
    ended = in_a_process(code, output, corpus["train"], corpus["dev"], encoder)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def in_two_processes(call: str, output: Path, corpus: dict[str, Path], encoder: str) -> None:
    """Train in two processes that share the work: ``call``, a line of Python that knows output, corpus and encoder.

    A training ends its process group, so each takes processes of its own.
    """
    code = f"""
import sys
from pathlib import Path
for folder in ("", "training"):
    sys.path.insert(0, str(Path({str(Path(__file__).parent)!r}) / folder))
import test_combination, test_loop, tiny_training
from merit.training.loop import Trainer
output, train, dev, encoder = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
corpus = {{"train": train, "dev": dev}}
fit = Trainer.fit
def recording(self):
    seen = [len(share) for share in self.train_sampler]
    output.with_name(f"{{output.name}}.{{self.rank}}").write_text(f"{{self.processes}} {{sum(seen)}}")
    fit(self)
Trainer.fit = recording
{call}
"""
    ended = in_a_process(code, output, corpus["train"], corpus["dev"], encoder, processes=2)
    assert ended.returncode == 0, ended.stderr
    found = [output.with_name(f"{output.name}.{rank}").read_text() for rank in (0, 1)]
    assert found == ["2 6", "2 6"]  # of two processes each has half of the twelve utterances
