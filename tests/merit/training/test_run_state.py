"""Files of a run: what is said when they are missing, damaged or cannot be written, and runs of earlier versions."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from tiny_training import CLASSES, MODEL, ONE_EPOCH, history, phase2
from toy_system import TRAINING as TOY_TRAINING
from toy_system import SquaredError, train_line

from merit.errors import MeritError
from merit.systems.sparse_merit.description import read_description
from merit.systems.sparse_merit.phases.phase1 import Head, phase1_trainer
from merit.training.contract import Criterion
from merit.training.run import Run
from merit.training.run_state import save_state, start_run


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a file"])
def test_damaged_state_is_named(corpus, tiny_encoder, run, content):
    (run / "last.pt").write_bytes(content)
    with pytest.raises(MeritError, match="last.pt: damaged .* remove it"):
        phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)


def test_a_state_with_code_in_it_is_refused_without_advice_to_run_the_code(corpus, tiny_encoder, run):
    torch.save({"epoch": Path("/a/path/is/no/plain/value")}, run / "last.pt")
    with pytest.raises(MeritError, match="last.pt: damaged .*UnpicklingError.*; remove it to train from") as error:
        phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)
    assert "weights_only" not in str(error.value) and "\n" not in str(error.value)


def without_history(state):
    del state["history"]
    return state


def of_another_model(state):
    state["model"] = {name: value[..., :1] for name, value in state["model"].items()}
    return state


def with_one_tensor_less(state):
    del state["model"][min(state["model"])]
    return state


def of_another_optimizer(state):
    state["optimizer"]["param_groups"] = []
    return state


@pytest.mark.parametrize(
    "other",
    [
        lambda state: state["model"],
        lambda state: [1, 2],
        lambda state: torch.zeros(3),
        lambda state: state | {"model": None},
        without_history,
        of_another_model,
        with_one_tensor_less,
        of_another_optimizer,
    ],
)
def test_a_state_of_something_else_is_refused_and_training_starts_anew_without_it(corpus, tiny_encoder, run, other):
    torch.save(other(torch.load(run / "last.pt", weights_only=True)), run / "last.pt")
    with pytest.raises(MeritError, match="last.pt: .*not a state of this run.*; remove it to train from the") as error:
        phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    (run / "last.pt").unlink()
    phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)


@pytest.fixture
def precise(monkeypatch):
    """Function that says what is fast here; accelerate keeps one precision for the life of a process."""

    def fast(bfloat16: bool) -> None:
        AcceleratorState._reset_state()
        monkeypatch.setattr("merit.device.has_fast_bfloat16", lambda device: bfloat16)

    yield fast
    AcceleratorState._reset_state()


def heads(corpus, encoder, output, training):
    head = Head("emotion", output, replace(MODEL, front_end="weighted_sum"), training, 3)
    phase1_trainer([head], corpus["train"], corpus["dev"], encoder, CLASSES, 3).fit()


@pytest.mark.parametrize("train", [phase2, heads])
def test_a_run_keeps_the_precision_that_it_began_in(corpus, tiny_encoder, tmp_path, precise, train):
    auto = replace(ONE_EPOCH, precision="auto")
    precise(True)
    train(corpus, tiny_encoder, tmp_path, training=auto)
    assert read_description(tmp_path).precision == "bfloat16"
    config = (tmp_path / "config.json").read_text()
    precise(False)
    message = "precision: there 'bfloat16', now 'float32'\n.*--training.precision bfloat16"
    with pytest.raises(MeritError, match=message):
        train(corpus, tiny_encoder, tmp_path, training=replace(auto, epochs=2))
    assert (tmp_path / "config.json").read_text() == config
    precise(False)
    train(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, epochs=2, precision="bfloat16"))
    assert read_description(tmp_path).precision == "bfloat16" and len(history(tmp_path)) == 2
    precise(True)
    train(corpus, tiny_encoder, tmp_path, training=replace(auto, epochs=3))
    assert len(history(tmp_path)) == 3


def test_a_run_of_before_epochs_were_selected_by_scores_goes_on_by_its_losses(corpus, tiny_encoder, tmp_path):
    by_losses = replace(ONE_EPOCH, select="losses")
    phase2(corpus, tiny_encoder, tmp_path, training=by_losses)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["run"]["training"]["select"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    for name in ("dev_score", "dev_f1_macro", "dev_removed"):
        del state["history"][0][name]
    torch.save(state, tmp_path / "last.pt")
    with pytest.raises(MeritError, match="select: there 'losses', now 'scores'"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, epochs=2))
    phase2(corpus, tiny_encoder, tmp_path, training=replace(by_losses, epochs=2))
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + 2


def test_a_run_that_does_not_say_its_precision_goes_on(corpus, tiny_encoder, run, precise):
    config = json.loads((run / "config.json").read_text())
    del config["description"]["precision"]  # as before it was kept
    (run / "config.json").write_text(json.dumps(config))
    precise(True)
    with pytest.raises(MeritError, match="precision: there 'float32', now 'bfloat16'"):  # as it was asked for
        phase2(corpus, tiny_encoder, run, training=replace(ONE_EPOCH, precision="auto"))
    config["run"]["training"]["precision"] = "auto"
    (run / "config.json").write_text(json.dumps(config))
    precise(False)
    phase2(corpus, tiny_encoder, run, training=replace(ONE_EPOCH, precision="auto", epochs=2))
    assert read_description(run).precision == "float32" and len(history(run)) == 2


def test_run_that_never_trained_may_be_replaced(corpus, tiny_encoder, run):
    for name in ("last.pt", "model.safetensors"):
        (run / name).unlink()
    phase2(corpus, tiny_encoder, run, replace(MODEL, num_experts=2), ONE_EPOCH)
    assert read_description(run).model.num_experts == 2


def test_full_disk_keeps_the_state_before(run, monkeypatch):
    before = (run / "last.pt").read_bytes()

    def full(state, path):
        Path(path).write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(MeritError, match="last.pt: not written whole; the disk is most likely full"):
        save_state({}, run)
    assert (run / "last.pt").read_bytes() == before
    assert not list(run.glob(".*.tmp.*"))


def test_halves_of_a_killed_run_are_removed(corpus, tiny_encoder, run):
    (run / ".last.123.tmp.pt").write_bytes(b"half")
    phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)
    assert not list(run.glob(".*.tmp.*"))


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_mean_of_several_epochs_is_kept(tmp_path, monkeypatch, keep):
    states = {}
    end = Run.end_epoch

    def recording(self, evaluation):
        end(self, evaluation)
        states[self.epoch] = {name: value.clone() for name, value in self.bare_model.state_dict().items()}

    monkeypatch.setattr(Run, "end_epoch", recording)
    training = replace(TOY_TRAINING, epochs=7, learning_rate=0.3, average=3, keep=keep)
    run = train_line(tmp_path, training, SquaredError(Criterion("error", higher_is_better=True)))  # the first ones
    order = sorted(run.history, key=lambda row: -row["dev_error"])
    chosen = [row["epoch"] for row in order[:3]] if keep == "best" else [5, 6, 7]
    for name, value in load_file(tmp_path / "model.safetensors").items():
        mean = sum(states[epoch][name].double() for epoch in chosen) / 3
        torch.testing.assert_close(value, mean.float(), atol=1e-7, rtol=1e-6)
    assert {path.name for path in (tmp_path / "weights").iterdir()} == {f"epoch{n}.safetensors" for n in chosen}


def test_an_option_that_runs_did_not_have_yet_stands_for_what_they_did(tmp_path):
    start_run(tmp_path, TOY_TRAINING, {"training": {"epochs": 3}})
    (tmp_path / "last.pt").touch()
    start_run(tmp_path, TOY_TRAINING, {"training": {"epochs": 4, "average": 1, "freeze": []}})
    with pytest.raises(MeritError, match="run.training.average: there 1, now 3"):
        start_run(tmp_path, TOY_TRAINING, {"training": {"epochs": 4, "average": 3}})


@dataclass
class Sizes:
    """A description without a precision."""

    channels: int = 8


def test_a_run_whose_description_has_no_precision_goes_on_in_the_one_that_was_asked_for(tmp_path):
    start_run(tmp_path, Sizes(), {"training": asdict(TOY_TRAINING)})
    (tmp_path / "last.pt").touch()
    start_run(tmp_path, Sizes(), {"training": asdict(replace(TOY_TRAINING, epochs=9))})
    other = replace(TOY_TRAINING, precision="auto")
    with pytest.raises(
        MeritError, match="another configuration.*\n  run.training.precision: there 'float32', now 'auto'"
    ):
        start_run(tmp_path, Sizes(), {"training": asdict(other)})
