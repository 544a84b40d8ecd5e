"""What a dev set comes to: scores against scikit-learn and the L1 of the spectra, batch by batch."""

import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import f1_score
from tiny_training import CLASSES, MODEL, TRAINING

from merit.data.batching import CollateMicroBatches
from merit.data.statistics import waveform_statistics
from merit.errors import MeritError
from merit.nets.spectrum import spectrum
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.phases.batch import collate
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.phases.objective import make_objective
from merit.training.accelerator import make_accelerator
from merit.training.evaluation import Evaluation

ENHANCEMENT = replace(MODEL, front_end="weighted_sum", tasks=("enhancement",))


@pytest.mark.parametrize("tasks", [("emotion",), ("enhancement",), ("emotion", "enhancement")])
def test_the_score_adds_what_each_task_reaches(corpus, tmp_path, tasks):
    dataset = UtteranceDataset(corpus["train"], waveform_statistics(corpus["train"]), classes=CLASSES, clean=True)
    accelerator = make_accelerator(TRAINING, tmp_path)
    objective = make_objective(
        replace(MODEL, front_end="weighted_sum", tasks=tasks), dataset, CLASSES, TRAINING, accelerator.device
    )
    model = MeritModel(replace(MODEL, front_end="weighted_sum", tasks=tasks), 3, 16, 4).eval()
    batches = CollateMicroBatches(collate, 5)([dataset[place, 0] for place in range(12)])
    for batch in batches:
        batch.frame_lengths = (batch.lengths - 400) // 320 + 1
        batch.states = torch.randn(len(batch.keys), int(batch.frame_lengths.max()), 3, 16)
    evaluation = Evaluation(model, objective, accelerator)
    evaluation.add(batches)
    found = evaluation.result().values

    said, true = [], []
    left, before = 0.0, 0.0
    for batch in batches:
        with torch.no_grad():
            output = model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)
        if output.emotion is not None:
            said += output.emotion.argmax(-1).tolist()
            true += batch.labels.tolist()
        for b, length in enumerate(batch.lengths.tolist() if output.enhanced is not None else ()):
            clean, noisy = (
                spectrum(of[b : b + 1, :length], torch.tensor([length]))[0].abs().double().log1p()
                for of in (batch.clean, batch.noisy)
            )
            before += float((noisy - clean).abs().sum())
            left += float((output.enhanced[b, : len(clean)].double() - clean).abs().sum())
    expected = {}
    if "emotion" in tasks:
        expected["f1_macro"] = f1_score(true, said, average="macro", zero_division=0)
    if "enhancement" in tasks:
        expected["removed"] = 1 - left / before
    assert {name: found[name] for name in ("f1_macro", "removed") if name in found} == pytest.approx(expected, rel=1e-4)
    assert found["score"] == pytest.approx(sum(expected.values()), rel=1e-4)
    assert found["criterion"] == pytest.approx(sum(found[task] for task in tasks))


def test_a_score_that_enhancement_makes_worse_is_below_zero(corpus, tmp_path):
    """A decoder that gives silence back is further from the clean speech than this noisy one is."""
    dataset = UtteranceDataset(corpus["train"], waveform_statistics(corpus["train"]), classes=CLASSES, clean=True)
    accelerator = make_accelerator(TRAINING, tmp_path)
    objective = make_objective(ENHANCEMENT, dataset, CLASSES, TRAINING, accelerator.device)
    model = MeritModel(ENHANCEMENT, 3, 16, 4).eval()
    torch.nn.init.constant_(model.enhancement_head.output.bias, -40.0)
    (batch,) = CollateMicroBatches(collate, 2)([dataset[place, 0] for place in range(2)])
    batch.noisy = 1.01 * batch.clean
    batch.frame_lengths = (batch.lengths - 400) // 320 + 1
    batch.states = torch.randn(2, int(batch.frame_lengths.max()), 3, 16)
    evaluation = Evaluation(model, objective, accelerator)
    evaluation.add([batch])
    assert evaluation.result().values["score"] < -1


def test_where_nothing_is_to_be_removed_no_share_is(corpus, tmp_path):
    dataset = UtteranceDataset(corpus["train"], waveform_statistics(corpus["train"]), classes=CLASSES, clean=True)
    accelerator = make_accelerator(TRAINING, tmp_path)
    objective = make_objective(ENHANCEMENT, dataset, CLASSES, TRAINING, accelerator.device)
    model = MeritModel(ENHANCEMENT, 3, 16, 4).eval()
    (batch,) = CollateMicroBatches(collate, 2)([dataset[place, 0] for place in range(2)])
    batch.noisy = batch.clean
    batch.frame_lengths = (batch.lengths - 400) // 320 + 1
    batch.states = torch.randn(2, int(batch.frame_lengths.max()), 3, 16)
    evaluation = Evaluation(model, objective, accelerator)
    evaluation.add([batch])
    with pytest.raises(MeritError, match="every noisy utterance of the dev set is its clean speech.*select losses"):
        evaluation.result()
    evaluation.objective = make_objective(ENHANCEMENT, dataset, CLASSES, replace(TRAINING, select="losses"), "cpu")
    found = evaluation.result().values
    assert math.isnan(found["removed"]) and math.isnan(found["score"]) and found["criterion"] > 0
