"""One optimiser step: what it costs in waiting for the device, and what it does with a loss that is not finite."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_training
import torch
from tiny_training import CLASSES, MODEL, ONE_EPOCH, TRAINING, history, in_a_process, phase2
from torch.utils._python_dispatch import TorchDispatchMode

from merit.data.batching import CollateMicroBatches
from merit.data.statistics import waveform_statistics
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.phases.batch import Batch, collate
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.phases.objective import JointObjective, make_objective
from merit.training.accelerator import make_accelerator
from merit.training.contract import Summary
from merit.training.evaluation import Evaluation
from merit.training.run import Run

SUM = replace(MODEL, front_end="weighted_sum")


@pytest.fixture
def prepared(corpus, tmp_path):
    """A run of both tasks without encoder, and three micro-batches with random states for it."""
    training = replace(TRAINING, balancing_weight=0.0)
    dataset = UtteranceDataset(corpus["train"], waveform_statistics(corpus["train"]), classes=CLASSES, clean=True)
    torch.manual_seed(0)
    accelerator = make_accelerator(training, tmp_path)
    objective = make_objective(SUM, dataset, CLASSES, training, accelerator.device)
    run = Run(MeritModel(SUM, 3, 16, 4), objective, training, tmp_path, 3, accelerator)
    batches = CollateMicroBatches(collate, 2)([dataset[place, 0] for place in range(6)])
    for batch in batches:
        batch.frame_lengths = (batch.lengths - 400) // 320 + 1
        batch.states = torch.randn(2, int(batch.frame_lengths.max()), 3, 16)
    return run, batches


def test_the_host_does_not_wait_while_gradients_are_made(prepared, monkeypatch):
    """Every value that goes to the host one by one is such a wait; the one list that may go is made by tolist."""
    run, batches = prepared
    waits = []

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), options=None):
            if function is torch.ops.aten._local_scalar_dense.default:
                waits.append("value")
            return function(*arguments, **(options or {}))

    lists = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: lists.append(len(self)) or tolist(self))
    monkeypatch.setattr(run.optimizer, "step", lambda: None)  # on the CPU it reads its own step counts
    with Watching():
        run.train_step(batches)
    assert waits == []
    assert lists == [3 + 2 * 2]  # losses of the micro-batches; sums and denominators of two tasks


def test_lengths_stay_with_the_host(corpus, tiny_encoder, tmp_path, monkeypatch, on_device):
    """The encoder asks for them before it can begin; on a GPU that would be a wait in every micro-batch."""
    to = Batch.to

    def moved(self, device):
        batch = to(self, torch.device("meta"))
        names = [name for name, value in vars(batch).items() if isinstance(value, torch.Tensor) and value.is_meta]
        return replace(self, **{name: on_device(getattr(self, name)) for name in names})

    monkeypatch.setattr(Batch, "to", moved)
    seen = []
    features = SpeechEncoder.features

    def recording(self, waveform, lengths):
        seen.append((type(waveform), type(lengths)))
        return features(self, waveform, lengths)

    monkeypatch.setattr(SpeechEncoder, "features", recording)
    phase2(corpus, tiny_encoder, tmp_path, SUM, replace(TRAINING, epochs=1))
    assert {(waveform.__name__, lengths.__name__) for waveform, lengths in seen} == {("OnDevice", "Tensor")}


def test_a_loss_that_is_not_finite_names_its_micro_batch_and_changes_nothing(prepared):
    run, batches = prepared
    before = {name: value.clone() for name, value in run.bare_model.state_dict().items()}
    batches[1].clean[1, 200] = torch.inf
    with pytest.raises(MeritError, match=r"the loss is (nan|inf) in epoch 1, step 1, with the utterances") as caught:
        run.train_step(batches)
    assert all(key in str(caught.value) for key in batches[1].keys)
    assert not any(key in str(caught.value) for key in batches[0].keys + batches[2].keys)
    assert all(torch.equal(value, before[name]) for name, value in run.bare_model.state_dict().items())


def test_a_loss_that_is_not_finite_in_one_process_ends_all_before_their_step(corpus, tiny_encoder, tmp_path):
    """The first process has good utterances and saves after every step; its weights must stay good."""
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(tiny_training.__file__).parent)!r})
from tiny_training import TRAINING, phase2, replace
from merit.training.run import Run
train_step = Run.train_step
def breaking(self, batches):
    if self.accelerator.process_index == 1 and self.step == 1:
        batches[0].clean[0, 200] = float("inf")
    return train_step(self, batches)
Run.train_step = breaking
corpus = {{"train": Path(sys.argv[2]), "dev": Path(sys.argv[3])}}
phase2(corpus, sys.argv[4], Path(sys.argv[1]), training=replace(TRAINING, checkpoint_minutes=0.0))
"""
    ended = in_a_process(code, tmp_path / "run", corpus["train"], corpus["dev"], tiny_encoder, processes=2)
    assert ended.returncode != 0
    assert "the loss is not finite in epoch 1, step 2, in another process" in ended.stderr
    assert re.search(r"the loss is (nan|inf) in epoch 1, step 2, with the utterances train0", ended.stderr)
    state = torch.load(tmp_path / "run/last.pt", weights_only=True)
    assert state["step"] == 1
    assert all(value.isfinite().all() for value in state["model"].values())


@pytest.mark.parametrize("combine", ["sum", "pcgrad", "gradnorm", "uncertainty"])
def test_float16_passes_over_a_step_that_is_not_finite(corpus, tiny_encoder, tmp_path, monkeypatch, caplog, combine):
    """With the scaler of float16, but in float32, since that is all a CPU has."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    def with_scaler(*arguments):
        accelerator = make_accelerator(*arguments)
        accelerator.scaler = scaler
        return accelerator

    train_step, steps = Run.train_step, []

    def breaking(self, batches):
        before = {name: value.clone() for name, value in self.bare_model.state_dict().items()}
        if self.step == 1:
            batches[0].clean[0, 200] = torch.inf
        values = train_step(self, batches)
        moved = any(not torch.equal(value, before[name]) for name, value in self.bare_model.state_dict().items())
        steps.append((moved, scaler.get_scale()))
        return values

    monkeypatch.setattr("merit.systems.sparse_merit.phases.phase2.make_accelerator", with_scaler)
    monkeypatch.setattr(Run, "train_step", breaking)
    options = replace(TRAINING, epochs=1, combine=combine, checkpoint_minutes=0.0)
    weights = phase2(corpus, tiny_encoder, tmp_path, SUM, options)
    assert steps == [(True, 1024.0), (False, 512.0), (True, 512.0)]
    assert "step 2, with the utterances" in caplog.text and "the step is passed over" in caplog.text
    assert all(value.isfinite().all() for value in weights.values())
    assert all(math.isfinite(value) for value in history(tmp_path)[0].values())


def test_values_of_a_step_are_means_over_all_its_utterances(prepared):
    run, batches = prepared
    run.model.eval()  # no dropout
    with torch.no_grad():
        outputs = [run.model(b.noisy, b.lengths, b.states, b.frame_lengths) for b in batches]
    logits = torch.cat([output.emotion for output in outputs])
    labels = torch.cat([batch.labels for batch in batches])
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=run.objective.class_weights)
    assert run.train_step(batches)["emotion"] == pytest.approx(expected.item(), rel=1e-5)


def test_gradients_are_clipped_over_all_parameters(corpus, tiny_encoder, tmp_path, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def recording(self, *arguments, **options):
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", recording)
    phase2(corpus, tiny_encoder, tmp_path / "free", training=ONE_EPOCH)
    assert min(norms) > 0.01
    norms.clear()
    phase2(corpus, tiny_encoder, tmp_path / "clipped", training=replace(ONE_EPOCH, gradient_clip=0.01))
    assert norms == pytest.approx([0.01] * len(norms), rel=1e-3)


def test_dev_criterion_that_is_not_finite_is_an_error(corpus, tiny_encoder, tmp_path, monkeypatch):
    step = torch.optim.AdamW.step

    def breaking(self, *arguments, **options):
        step(self, *arguments, **options)
        self.param_groups[-1]["params"][-1].data.fill_(torch.nan)

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)
    with pytest.raises(MeritError, match="(emotion|enhancement) of the dev set is nan after epoch 1"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, batch_size=12))
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize(
    "keep, select, is_last", [("best", "losses", False), ("best", "scores", True), ("last", "losses", True)]
)
def test_weights_of_the_epoch_asked_for_are_kept(
    corpus, tiny_encoder, tmp_path, monkeypatch, caplog, keep, select, is_last
):
    """By its loss the first epoch is better, by its score the second, as overconfidence makes it."""
    found = iter([{"criterion": 1.0, "score": 0.3}, {"criterion": 2.0, "score": 0.4}])
    monkeypatch.setattr(Evaluation, "result", lambda self: Summary(next(found), {}, []))
    caplog.set_level("INFO")
    weights = phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, keep=keep, select=select))
    last = torch.load(tmp_path / "last.pt", weights_only=True)["model"]
    assert all(torch.equal(value, last[name]) for name, value in weights.items()) == is_last
    assert ("best epoch 1, dev_criterion 1.0" if select == "losses" else "best epoch 2, dev_score 0.4") in caplog.text


def test_patience_goes_by_what_selects(corpus, tiny_encoder, tmp_path, monkeypatch):
    for select, epochs in (("losses", 3), ("scores", 5)):
        found = iter([{"criterion": float(n), "score": min(n, 3) / 9} for n in range(1, 10)])
        monkeypatch.setattr(Evaluation, "result", lambda self, found=found: Summary(next(found), {}, []))
        training = replace(TRAINING, epochs=9, patience=2, select=select)
        phase2(corpus, tiny_encoder, tmp_path / select, training=training)
        assert len(history(tmp_path / select)) == epochs


def test_routing_that_collapses_is_said_when_it_begins_and_at_the_end(
    corpus, tiny_encoder, tmp_path, monkeypatch, caplog
):
    healthy = {"usage_emotion": torch.tensor([40, 30, 30]), "frames": torch.tensor([100])}
    collapsed = {"usage_emotion": torch.tensor([98, 1, 1]), "frames": torch.tensor([100])}
    found = iter([healthy, collapsed, collapsed, collapsed])
    summary = JointObjective.summary

    def with_those(self, losses, counts):
        return summary(
            self, losses, {name: counts[name] for name in ("confusion", "noisy", "noisy_values")} | next(found)
        )

    monkeypatch.setattr(JointObjective, "summary", with_those)
    phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, epochs=4))
    first, last = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    what = "the emotion gate sends 98.0% of the frames to expert 0; the emotion gate gives less than 5%"
    assert f"from epoch 2 on {what}" in first
    assert f"after the last epoch {what}" in last
