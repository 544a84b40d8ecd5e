"""Combinations of tasks in training: the same result in any micro-batches and processes, and after a stop."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from tiny_training import MODEL, TRAINING, assert_same, history, in_two_processes, phase2

from merit.errors import MeritError
from merit.nets.gate import Routing
from merit.systems.sparse_merit.routing.routing_usage import routing_counts, routing_warnings
from merit.training import combination as module
from merit.training.combination import make_combination
from merit.training.run import Run

COMBINATIONS = ["uncertainty", "uncertainty_authors", "pcgrad", "gradnorm"]
SHARED = replace(MODEL, front_end="weighted_sum", emotion_dropout=0.0)


def combined(name: str, **options):
    return replace(TRAINING, combine=name, task_weight_learning_rate=0.1, **options)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_micro_batches_change_nothing(corpus, tiny_encoder, tmp_path, name):
    whole = phase2(corpus, tiny_encoder, tmp_path / "whole", SHARED, combined(name))
    parts = phase2(corpus, tiny_encoder, tmp_path / "parts", SHARED, combined(name, micro_batch_size=1))
    assert_same(parts, whole, 5e-5)
    first, last = history(tmp_path / "whole")[0], history(tmp_path / "whole")[-1]
    learnt = {column for column in first if column.startswith("weight_")}
    assert learnt == (set() if name == "pcgrad" else {"weight_emotion", "weight_enhancement"})
    assert all(first[column] != last[column] for column in learnt)


@pytest.mark.parametrize("name", ["pcgrad", "gradnorm", "hard"])
def test_two_processes_give_the_result_of_one(corpus, tiny_encoder, tmp_path, name):
    in_two_processes(f"test_combination.run({name!r}, corpus, encoder, output)", tmp_path / "two", corpus, tiny_encoder)
    alone = run(name, corpus, tiny_encoder, tmp_path / "one")
    assert_same(load_file(tmp_path / "two" / "model.safetensors"), alone, 5e-5)


def run(name, corpus, encoder, output):
    if name == "hard":  # gates that no loss reaches: distributed training must not wait for them
        return phase2(corpus, encoder, output, replace(MODEL, emotion_dropout=0.0, gate_weight="hard"))
    return phase2(corpus, encoder, output, SHARED, combined(name))


@pytest.mark.parametrize("name", ["uncertainty", "gradnorm"])
def test_learnt_weights_go_on_where_they_were(corpus, tiny_encoder, tmp_path, monkeypatch, name):
    expected = phase2(corpus, tiny_encoder, tmp_path / "whole", SHARED, combined(name))
    end_epoch = Run.end_epoch

    def stop_after_the_first(self, evaluation):
        end_epoch(self, evaluation)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "end_epoch", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        phase2(corpus, tiny_encoder, tmp_path / "parts", SHARED, combined(name))
    monkeypatch.setattr(Run, "end_epoch", end_epoch)
    assert_same(phase2(corpus, tiny_encoder, tmp_path / "parts", SHARED, combined(name)), expected, 0)
    assert history(tmp_path / "parts") == history(tmp_path / "whole")


def test_pcgrad_steps_along_the_combined_gradient(corpus, tiny_encoder, tmp_path, monkeypatch):
    """What the optimiser gets is :func:`merit.objectives.pcgrad.combine` of the tasks' own gradients."""
    seen = []
    combine = module.combine
    monkeypatch.setattr(module, "combine", lambda gradients: seen.append(gradients) or combine(gradients))
    phase2(corpus, tiny_encoder, tmp_path, SHARED, combined("pcgrad", epochs=1, micro_batch_size=2))
    assert len(seen) == 3  # steps of four in twelve utterances
    emotion, enhancement = seen[0]
    shared = [a is not None and b is not None for a, b in zip(emotion, enhancement)]
    assert any(shared) and any(b is None for b in enhancement) and any(a is None for a in emotion)


def test_what_cannot_be_combined_is_refused(corpus, tiny_encoder, tmp_path):
    one_task = replace(SHARED, tasks=("emotion",))
    with pytest.raises(MeritError, match="pcgrad needs two tasks"):
        phase2(corpus, tiny_encoder, tmp_path / "a", one_task, combined("pcgrad"))
    with pytest.raises(MeritError, match="balancing_weight to 0"):
        phase2(corpus, tiny_encoder, tmp_path / "b", MODEL, combined("pcgrad", balancing_weight=0.01))


def test_uncertainty_factors_are_those_of_its_paper():
    model = torch.nn.Linear(2, 2)
    config = replace(TRAINING, combine="uncertainty", task_weight_learning_rate=0.1)
    objective = SimpleNamespace(tasks=("emotion", "enhancement"))
    learnt = make_combination(config, model, Accelerator(cpu=True), objective)
    assert learnt.task_weights() == {"emotion": 1.0, "enhancement": 0.5}
    learnt.finish({"emotion": 3.0, "enhancement": 0.1})
    weights = learnt.task_weights()
    assert weights["emotion"] < 1.0 and weights["enhancement"] > 0.5  # towards 1 / L


@pytest.mark.parametrize("front_end", ["weighted_sum", "moe"])
def test_routing_of_the_dev_set_stands_in_the_history(corpus, tiny_encoder, tmp_path, front_end):
    phase2(corpus, tiny_encoder, tmp_path, replace(MODEL, front_end=front_end))
    for row in history(tmp_path):
        shares = [
            [row[f"usage_{task}_{n}"] for n in range(3)] for task in ("emotion", "enhancement") if front_end == "moe"
        ]
        assert all(sum(of_gate) == pytest.approx(1) for of_gate in shares)
        assert ("agreement" in row) == (front_end == "moe")


def test_pretrained_parts_are_where_phase_2_begins(corpus, tiny_encoder, tmp_path):
    enhancer = replace(SHARED, tasks=("enhancement",))
    first = phase2(corpus, tiny_encoder, tmp_path / "first", enhancer)
    still = replace(TRAINING, epochs=1, learning_rate=0.0, encoder_learning_rate=0.0)
    second = phase2(corpus, tiny_encoder, tmp_path / "second", SHARED, still, pretrained=tmp_path / "first")
    assert_same({name: second[name] for name in first}, first, 0)
    assert second.keys() > first.keys()
    with pytest.raises(MeritError, match="do not fit"):
        other = replace(enhancer, enhancement_size=6)
        phase2(corpus, tiny_encoder, tmp_path / "third", other, still, pretrained=tmp_path / "first")


@pytest.mark.parametrize("options, warned", [({}, True), ({"top_k": None}, False), ({"shared_gate": True}, False)])
def test_gates_that_agree_are_warned_about(options, warned):
    mask = torch.ones(1, 8, dtype=torch.bool)
    weights = torch.nn.functional.one_hot(torch.arange(8) % 3, 3).float().unsqueeze(0)
    gates = [Routing(task, weights, weights, mask) for task in ("emotion", "enhancement")]
    warnings = routing_warnings(routing_counts(gates), replace(MODEL, **options))
    assert any("choose the same expert on 100.0% of the frames" in text for text in warnings) == warned
