"""Shares of the experts that gates choose, counted again one utterance at a time."""

from collections import Counter

import pytest
import torch
from small_smoe import LANGUAGES, describe

from merit.data.datadir import BANDWIDTHS
from merit.systems.smoe.beam_search import BeamOptions
from merit.systems.smoe.learned_routing import routing_shares, told_apart
from merit.systems.smoe.smoe_config import TASKS
from merit.systems.smoe.smoe_description import build_model
from merit.systems.smoe.speech_dataset import SpeechDataset
from merit.systems.smoe.speech_decoding import Recogniser


@pytest.fixture
def recogniser(vocabulary):
    torch.manual_seed(0)
    model = build_model(describe(vocabulary, routing="learned")).eval()
    return Recogniser(model, vocabulary, LANGUAGES, torch.device("cpu"), "float32", BeamOptions())


def test_shares_are_those_of_each_utterance_alone(recogniser, vocabulary, speech_corpus):
    data = [speech_corpus["train"], speech_corpus["dev"]]
    dataset = SpeechDataset(data, vocabulary, LANGUAGES, recogniser.model.config)
    counts = Counter()
    for position in range(len(dataset)):
        one = dataset[position, 0]
        with torch.inference_mode():
            output = recogniser.model(one.features, one.frames, one.bandwidths, one.tokens, one.token_mask)
        for routed in output.routing:
            for expert in routed.probabilities[0].argmax(dim=-1).tolist():
                counts[routed.name, BANDWIDTHS[one.bandwidths[0]], TASKS[one.task], expert] += 1
    found = routing_shares(recogniser, data, batch_seconds=6.0)
    layers = ["encoder 1", "encoder 2", "decoder 1", "decoder 2"]
    labels = [(row["layer"], row["bandwidth"], row["task"]) for row in found]
    assert sorted(labels) == sorted((layer, width, task) for layer in layers for width in BANDWIDTHS for task in TASKS)
    assert any(0.05 < row["shares"][0] < 0.95 for row in found)  # there is something to count
    for row, label in zip(found, labels):
        total = sum(counts[(*label, expert)] for expert in (0, 1))
        assert row["shares"] == pytest.approx([counts[(*label, expert)] / total for expert in (0, 1)])


@pytest.mark.parametrize(
    "shares, expected",
    [
        ([[1, 0], [0, 1]], 1.0),
        ([[0, 1], [1, 0]], 1.0),  # numbers of experts mean nothing
        ([[0.7, 0.3], [0.7, 0.3]], 0.5),
        ([[0.6, 0.4, 0], [0, 0.4, 0.6]], 0.8),
    ],
)
def test_labels_are_told_apart_by_the_expert_that_has_more_of_them(shares, expected):
    assert told_apart(shares) == pytest.approx(expected)
