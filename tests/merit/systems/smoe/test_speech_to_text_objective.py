"""The losses: of the text alone, smoothed, of one task at a time, and adding up over parts."""

import math

import pytest
import torch
from small_smoe import TRAINING
from test_speech_batch import item

from merit.nets.gate import Routing
from merit.systems.smoe.speech_batch import collate
from merit.systems.smoe.speech_to_text_model import SpeechToTextOutput
from merit.systems.smoe.speech_to_text_objective import SpeechToTextObjective

ITEMS = [item("a", 30, 0, [7, 8, 9], [4, 5]), item("b", 20, 1, [6], [7])]


def output_of(batch, seed=0, size=11, ctc=True):
    torch.manual_seed(seed)
    frames = (batch.frames + 3) // 4
    logits = torch.randn(*batch.tokens.shape, size, dtype=torch.float64)
    return SpeechToTextOutput(logits, torch.randn(len(frames), int(frames.max()), size) if ctc else None, frames, [])


def test_the_loss_is_that_of_the_text_and_its_end_smoothed():
    batch = collate(ITEMS)
    objective = SpeechToTextObjective(TRAINING, [0, 1], ctc=False, learned=False)
    output = output_of(batch, ctc=False)
    expected = 0.0
    for row, text in enumerate(([7, 8, 9, 2], [6, 2])):
        for place, token in enumerate(text, start=2):  # the tag of the language stands at 2 and predicts the first one
            values = output.logits[row, place].log_softmax(-1).tolist()
            target = [0.9 * (number == token) + 0.1 / 11 for number in range(11)]
            expected -= sum(t * value for t, value in zip(target, values))
    sums, denominators = objective.sums(output, batch), objective.denominators(batch)
    assert sums["translate"].item() == pytest.approx(expected, rel=1e-5)
    assert sums["transcribe"].item() == 0 and denominators["transcribe"] < 1e-6
    assert denominators["translate"].item() == 6


def all_paths(values, transcript, blank=0):
    """Probability of a transcript under CTC by adding up every path, (T, V) log-probabilities."""
    import itertools

    total = 0.0
    for path in itertools.product(range(values.shape[1]), repeat=len(values)):
        merged = [token for token, _ in itertools.groupby(path)]
        if [token for token in merged if token != blank] == transcript:
            total += math.exp(sum(values[place, token].item() for place, token in enumerate(path)))
    return total


def test_ctc_is_the_sum_over_all_paths():
    """Of the real frames of each utterance to its real tokens, whatever stands in the padding of both."""
    transcripts = ([1, 2], [3])
    batch = collate([item(key, frames, 0, [3], text) for key, frames, text in zip("ab", (16, 8), transcripts)])
    objective = SpeechToTextObjective(TRAINING, [0, 1], ctc=True, learned=False)
    output = output_of(batch, size=4)
    expected = 0.0
    for values, frames, text in zip(output.ctc, (4, 2), transcripts):
        expected -= math.log(all_paths(values[:frames].log_softmax(-1), text))
    assert objective.sums(output, batch)["ctc"].item() == pytest.approx(expected, rel=1e-5)
    assert objective.denominators(batch)["ctc"].item() == 3


def test_the_model_is_run_by_the_experts_of_the_labels():
    batch = collate(ITEMS)
    objective = SpeechToTextObjective(TRAINING, [0, 1], ctc=False, learned=False)
    *_, bandwidths, tokens, mask, expert = objective.forward(lambda *given: given, batch)
    assert (bandwidths, expert) == ([0, 1], 1) and tokens is batch.tokens and mask is batch.token_mask


def test_weights_of_the_tasks_and_of_ctc_come_to_one():
    from dataclasses import replace

    objective = SpeechToTextObjective(replace(TRAINING, ctc_weight=0.3), [0, 1], ctc=True, learned=False)
    weights = objective.weights(0.5)
    assert weights["transcribe"] == weights["translate"] == pytest.approx(0.7) and weights["ctc"] == 0.3


def test_counts_tell_right_tokens_by_task():
    batch = collate(ITEMS)
    objective = SpeechToTextObjective(TRAINING, [0, 1], ctc=False, learned=False)
    output = output_of(batch, ctc=False)
    output.logits.zero_()
    output.logits[..., 2] = 1.0  # always the end: right once in each text
    counts = objective.counts(output, batch)
    assert counts["right"].tolist() == [0, 2] and counts["scored"].tolist() == [0, 6]
    both = {name: value + torch.tensor([5, 0]) for name, value in counts.items()}
    values = objective.summary({"transcribe": 1.0, "translate": 2.0}, both).values
    assert values["loss"] == 1.5 and values["accuracy_translate"] == pytest.approx(1 / 3)


def test_use_of_learned_experts_is_told_and_lost_ones_are_named():
    objective = SpeechToTextObjective(TRAINING, [0], ctc=False, learned=True)
    mask = torch.ones(1, 4, dtype=torch.bool)
    routing = []
    for name, used in (("encoder 1", [1, 1, 0, 0]), ("encoder 2", [1, 1, 1, 1]), ("decoder 1", [0, 0, 0, 1])):
        weights = torch.nn.functional.one_hot(torch.tensor([used]), 2).float()
        routing.append(Routing(name, weights, weights, mask))
    batch = collate([item("a", 16, 0, [3])])
    batch.task = 0
    output = output_of(batch, ctc=False)
    output.routing = routing
    summary = objective.summary({"transcribe": 1.0, "balance": 1.0}, objective.counts(output, batch))
    assert summary.usage == pytest.approx(
        {"usage_encoder_0": 0.25, "usage_encoder_1": 0.75, "usage_decoder_0": 0.75, "usage_decoder_1": 0.25}
    )
    assert summary.warnings == ["an expert of encoder block 2 gets hardly anything"]
    # Fedus et al. 2022: the most probable expert has a share f and a mean probability P, N * sum f P
    assert objective.sums(output, batch)["balance"].item() == pytest.approx((1 + 2 + 2 * (0.75**2 + 0.25**2)) / 3)
