"""One counter for the dev set and for the test, against plain Python, and what is unhealthy about its counts."""

from collections import Counter

import numpy as np
import pytest
import torch

from merit.nets.gate import Routing
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.routing.routing_statistics import count_routing
from merit.systems.sparse_merit.routing.routing_usage import (
    count_strongest,
    routing_counts,
    routing_shares,
    routing_warnings,
)

TASKS = ("emotion", "enhancement")


def batch(num_experts=4, top_k=1):
    """Routing of three utterances of 7, 5 and 2 frames, and their strongest experts ``(G, T)``."""
    mask = torch.arange(7) < torch.tensor([[7], [5], [2]])
    gates = []
    for task in TASKS:
        probabilities = torch.softmax(torch.randn(3, 7, num_experts), dim=-1) * mask.unsqueeze(-1)
        kept = probabilities.topk(top_k, dim=-1).indices
        weights = probabilities * torch.zeros_like(probabilities).scatter(-1, kept, 1.0)
        gates.append(Routing(task, weights, probabilities, mask))
    strongest = torch.stack([gate.weights.argmax(-1) for gate in gates])
    return gates, [strongest[:, row, : int(mask[row].sum())].numpy() for row in range(3)]


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_frames_are_counted_by_their_strongest_expert_and_padding_is_not(top_k):
    gates, utterances = batch(top_k=top_k)
    counts = routing_counts(gates)
    frames = np.concatenate(utterances, axis=1).tolist()
    for task, experts in zip(TASKS, frames):
        assert counts[f"usage_{task}"].tolist() == [Counter(experts)[n] for n in range(4)]
    assert counts["frames"].tolist() == [14]
    assert counts["agreement"].tolist() == [sum(a == b for a, b in zip(*frames))]


def test_the_dev_set_and_the_test_are_counted_alike():
    gates, utterances = batch()
    dev, test = routing_counts(gates), count_routing(TASKS, 4, utterances).choices
    assert dev.keys() == test.keys()
    for name, value in dev.items():
        assert torch.equal(value, test[name])


def test_one_gate_does_not_agree_with_another():
    counts = count_strongest({"emotion": torch.tensor([0, 2, 2])}, 3)
    assert {name: value.tolist() for name, value in counts.items()} == {"usage_emotion": [1, 0, 2], "frames": [3]}
    assert routing_counts([]) == {}


def test_the_history_has_shares():
    counts = count_strongest({"emotion": torch.tensor([0, 1, 1, 1]), "enhancement": torch.tensor([0, 0, 1, 0])}, 3)
    assert routing_shares(counts) == {
        "usage_emotion_0": 0.25,
        "usage_emotion_1": 0.75,
        "usage_emotion_2": 0.0,
        "usage_enhancement_0": 0.75,
        "usage_enhancement_1": 0.25,
        "usage_enhancement_2": 0.0,
        "agreement": 0.5,
    }


def collapsed():
    """All frames of both gates go to expert 0."""
    return count_strongest(dict.fromkeys(TASKS, torch.zeros(8, dtype=torch.long)), 3)


def test_gates_that_stopped_choosing_are_warned_about():
    warnings = routing_warnings(collapsed(), ModelConfig())
    assert warnings[0] == "the emotion and enhancement gates choose the same expert on 100.0% of the frames"
    assert warnings[1] == "the emotion gate sends 100.0% of the frames to expert 0" and len(warnings) == 5


def test_a_dense_model_uses_every_expert_in_every_frame():
    assert routing_warnings(collapsed(), ModelConfig(top_k=None)) == []


def test_gates_that_are_one_by_design_are_not_blamed_for_agreeing():
    warnings = routing_warnings(collapsed(), ModelConfig(shared_gate=True))
    assert len(warnings) == 4 and not any("same expert" in warning for warning in warnings)


def test_counts_add_up():
    first, second = batch()[0], batch()[0]
    added = {name: value + routing_counts(second)[name] for name, value in routing_counts(first).items()}
    assert sum(added["usage_emotion"].tolist()) == added["frames"].item() == 28
