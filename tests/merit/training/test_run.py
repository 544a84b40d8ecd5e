"""One optimiser step: what it costs in waiting for the device, and what it does with a loss that is not finite."""

from dataclasses import replace

import pytest
import torch
from test_phases import CLASSES, MODEL, TRAINING
from torch.utils._python_dispatch import TorchDispatchMode

from merit.data.dataset import CollateMicroBatches, UtteranceDataset
from merit.data.statistics import waveform_statistics
from merit.errors import MeritError
from merit.nets.model import MeritModel
from merit.training.accelerator import make_accelerator
from merit.training.objective import make_objective
from merit.training.run import Run

SUM = replace(MODEL, front_end="weighted_sum")


@pytest.fixture
def prepared(corpus, tmp_path):
    """A run of both tasks without encoder, and three micro-batches with random states for it."""
    training = replace(TRAINING, balancing_weight=0.0)
    dataset = UtteranceDataset(corpus["train"], waveform_statistics(corpus["train"]), classes=CLASSES, clean=True)
    torch.manual_seed(0)
    accelerator = make_accelerator(training, tmp_path)
    objective = make_objective(("emotion", "enhancement"), dataset, CLASSES, training, accelerator.device)
    run = Run(MeritModel(SUM, 3, 16, 4), objective, training, tmp_path, 3, accelerator)
    batches = CollateMicroBatches(2)([dataset[place, 0] for place in range(6)])
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


def test_a_loss_that_is_not_finite_names_its_micro_batch_and_changes_nothing(prepared):
    run, batches = prepared
    before = {name: value.clone() for name, value in run.bare_model.state_dict().items()}
    batches[1].clean[1, 200] = torch.inf
    with pytest.raises(MeritError, match=r"the loss is (nan|inf) in epoch 1, step 1, with the utterances") as caught:
        run.train_step(batches)
    assert all(key in str(caught.value) for key in batches[1].keys)
    assert not any(key in str(caught.value) for key in batches[0].keys + batches[2].keys)
    assert all(torch.equal(value, before[name]) for name, value in run.bare_model.state_dict().items())


def test_values_of_a_step_are_means_over_all_its_utterances(prepared):
    run, batches = prepared
    run.model.eval()  # no dropout
    with torch.no_grad():
        outputs = [run.model(b.noisy, b.lengths, b.states, b.frame_lengths) for b in batches]
    logits = torch.cat([output.emotion for output in outputs])
    labels = torch.cat([batch.labels for batch in batches])
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=run.objective.class_weights)
    assert run.train_step(batches)["emotion"] == pytest.approx(expected.item(), rel=1e-5)
