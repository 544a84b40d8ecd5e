"""Ctrl-C during training: the state is saved at the end of the step, and the run goes on from there."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from tiny_training import CLASSES, MODEL, TRAINING, assert_same, history, phase2

from merit.systems.sparse_merit.phases.phase1 import Head, phase1_trainer
from merit.training.evaluation import Evaluation
from merit.training.run import Run
from merit.training.stopping import StopRequest

THREE = replace(TRAINING, epochs=3, checkpoint_minutes=60.0)


def interrupting(method, call: int):
    """The method, in whose so-many-th call Ctrl-C comes."""
    calls = 0

    def interrupted(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == call:
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                process.send_signal(signal.SIGINT)  # as a terminal does
        return method(self, *arguments)

    return interrupted


# Three steps an epoch.
@pytest.mark.parametrize(
    "place, name, call, saved, workers",
    [(Run, "train_step", 5, (1, 2), 0), (Run, "train_step", 5, (1, 2), 1), (Evaluation, "add", 1, (0, 3), 0)],
    ids=["step", "step with a process that reads", "dev set"],
)
def test_a_run_that_ctrl_c_stopped_goes_on_from_that_very_step(
    corpus, tiny_encoder, tmp_path, monkeypatch, place, name, call, saved, workers
):
    training = replace(THREE, workers=workers)
    whole = phase2(corpus, tiny_encoder, tmp_path / "whole", training=training)
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(place, name, interrupting(getattr(place, name), call))
        with pytest.raises(KeyboardInterrupt):
            phase2(corpus, tiny_encoder, tmp_path / "stopped", training=training)
    assert signal.getsignal(signal.SIGINT) is before
    state = torch.load(tmp_path / "stopped/last.pt", weights_only=True)
    assert (state["epoch"], state["step"]) == saved
    continued = phase2(corpus, tiny_encoder, tmp_path / "stopped", training=training)
    assert_same(continued, whole, 1e-6)
    for row, expected in zip(history(tmp_path / "stopped"), history(tmp_path / "whole"), strict=True):
        assert row == pytest.approx(expected, rel=1e-5)


def test_runs_that_were_done_before_ctrl_c_end_with_the_others(corpus, tiny_encoder, tmp_path, monkeypatch):
    let_go = []
    monkeypatch.setattr(Run, "let_go", lambda run: let_go.append(run.output.name))
    monkeypatch.setattr(Run, "train_step", interrupting(Run.train_step, 8))
    training = [replace(TRAINING, epochs=epochs) for epochs in (1, 2)]
    heads = [Head("emotion", tmp_path / f"{each.epochs}", MODEL, each, seed=3) for each in training]
    with pytest.raises(KeyboardInterrupt):
        phase1_trainer(heads, corpus["train"], corpus["dev"], tiny_encoder, CLASSES, order_seed=5).fit()
    states = [torch.load(tmp_path / f"{epochs}/last.pt", weights_only=True) for epochs in (1, 2)]
    assert [(state["epoch"], state["step"]) for state in states] == [(1, 0), (1, 2)]
    assert let_go == ["1", "2"]


def test_a_second_ctrl_c_ends_at_once_and_one_that_is_ignored_stays_so():
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.asked
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


PROCESSES = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import torch
from accelerate import Accelerator, PartialState
from merit.training.stopping import StopRequest
PartialState(cpu=True)
accelerator = Accelerator(cpu=True)
rank, folder = accelerator.process_index, Path(sys.argv[1])
assert accelerator.num_processes == 2
run = SimpleNamespace(
    accelerator=accelerator,
    save=lambda: (folder / f"saved-{rank}").write_text(str(step)),
    let_go=lambda: (folder / f"free-{rank}").touch(),
)
with StopRequest() as stop:
    for step in range(10):
        if rank == 1 and step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        try:
            stop.carry_out([run])
        except KeyboardInterrupt:
            assert not torch.distributed.is_initialized()  # a process that ends with its group aborts at times
            (folder / f"left-{rank}").touch()
            sys.exit(0)
"""


def test_all_processes_stop_at_the_step_at_which_one_was_asked(tmp_path):
    (tmp_path / "script.py").write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    ended = subprocess.run(
        [*command, str(tmp_path / "script.py"), str(tmp_path)],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = {path.name: path.read_text() for path in Path(tmp_path).glob("*-*")}
    assert found == {"saved-0": "3", "saved-1": "3", "free-0": "", "free-1": "", "left-0": "", "left-1": ""}
