"""Overruled gates against the formulas."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from merit.errors import MeritError
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.probe.routing_override import RememberingEncoder, overrulable, reroute


@pytest.mark.parametrize("top_k", [1, 2, None])
def test_reroute_keeps_the_scale(top_k):
    probabilities = torch.softmax(torch.randn(7, 2, 4), dim=-1)
    kept = probabilities.topk(top_k or 4, dim=-1)
    weights = torch.zeros_like(probabilities).scatter(-1, kept.indices, kept.values)
    assert torch.equal(reroute(weights, "own"), weights)
    assert torch.equal(reroute(weights, "other")[:, 0], weights[:, 1])
    fixed = reroute(weights, "expert_2")
    assert torch.count_nonzero(fixed[..., [0, 1, 3]]) == 0
    assert torch.allclose(fixed[..., 2], kept.values.sum(dim=-1))


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"num_shared_experts": 1}])
@pytest.mark.parametrize("rule", ["own", "other", "expert_1"])
def test_representations_follow_the_formulas(save_model, rule, options):
    model = overrulable(Merit.from_pretrained(save_model(**options), "cpu"), "model").model
    original = model.front_end.front_end
    states, mask = torch.randn(1, 9, 3, 16), torch.ones(1, 9, dtype=torch.bool)
    model.front_end.rule = rule
    with torch.no_grad():
        found, _ = model.front_end(states, mask)
        norm = original.norm
        x = torch.cat(
            [functional.layer_norm(states[0, :, n], (16,)) * norm.weight[n] + norm.bias[n] for n in range(3)], 1
        )
        for task, other in (("emotion", "enhancement"), ("enhancement", "emotion")):
            gate = original.gates[other if rule == "other" else task]
            probabilities = torch.softmax(gate.projection(x), dim=-1)
            for t in range(9):
                order = probabilities[t].argsort(descending=True)[: options.get("top_k", 1)].tolist()
                weight = {n: probabilities[t, n] for n in order}
                if rule == "expert_1":
                    weight = {1: sum(weight.values())}
                expected = sum(w * original.experts[n](x[t]) for n, w in weight.items())
                expected = expected + sum(expert(x[t]) for expert in original.shared_experts)
                assert torch.allclose(found[task][0, t], expected, atol=1e-5)


def test_padding_changes_nothing(model_directory):
    model = overrulable(Merit.from_pretrained(model_directory, "cpu"), "model").model
    states, mask = torch.randn(2, 6, 3, 16), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    with torch.no_grad():
        together, _ = model.front_end(states, mask)
        alone, _ = model.front_end(states[1:, :4], mask[1:, :4])
    assert torch.allclose(together["emotion"][1, :4], alone["emotion"][0], atol=1e-6)
    assert torch.count_nonzero(together["emotion"][1, 4:]) == 0


def test_the_encoder_runs_once_a_batch_and_long_signals_go_in_pieces(model_directory, make_speech, monkeypatch):
    samples = make_speech(4.5)
    expected = Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=2.0)(samples, 16000)
    merit = overrulable(Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=2.0), "model")
    calls = []
    encode = merit.model.encoder.encoder.forward
    monkeypatch.setattr(
        merit.model.encoder.encoder, "forward", lambda *inputs: calls.append(len(inputs[0])) or encode(*inputs)
    )
    for rule in merit.model.front_end.rules:
        merit.model.front_end.rule = rule
        found = merit(samples, 16000)
        if rule == "own":
            assert np.array_equal(found.enhanced, expected.enhanced) and found.emotion == expected.emotion
        else:
            assert not np.array_equal(found.enhanced, expected.enhanced)
    assert len(calls) == 4  # pieces
    merit.model.encoder.forget()
    merit(samples, 16000)
    assert len(calls) == 8


def test_states_are_told_apart_by_lengths_too():
    class Encoder(torch.nn.Module):
        maximum_samples = None

        def forward(self, waveform, lengths):
            return waveform * 2, lengths

    encoder = RememberingEncoder(Encoder())
    waveform = torch.zeros(1, 5)
    assert encoder(waveform, torch.tensor([5]))[1].item() == 5
    assert encoder(waveform, torch.tensor([4]))[1].item() == 4


def test_a_model_without_gates_is_refused(save_model):
    with pytest.raises(MeritError, match="no gate to overrule"):
        overrulable(Merit.from_pretrained(save_model(front_end="weighted_sum"), "cpu"), "model")
