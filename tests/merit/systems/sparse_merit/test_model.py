"""The whole model: sizes of the paper, parts that may be absent, independence of the batch."""

from dataclasses import replace

import pytest
import torch
from tiny_training import MODEL

from merit.nets.ssl import load_encoder
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.model_config import ModelConfig


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_at_the_papers_sizes():
    with torch.device("meta"):
        model = MeritModel(ModelConfig(), 25, 1024, 4)
    expert = 25600 * 4096 + 4096 + 4096 * 1024 + 1024
    assert count(model.front_end.experts) == 3 * expert
    assert count(model.front_end.gates) == 2 * (25600 * 3 + 3)
    assert count(model) == 3 * expert + 2 * (25600 * 3 + 3) + 25 * 2 * 1024 + 1_050_624 + 2_104_324 + 2_995_145


@pytest.mark.parametrize("tasks", [("emotion",), ("enhancement",), ("emotion", "enhancement")])
def test_a_task_that_a_model_does_not_have_has_no_output(tasks):
    model = MeritModel(replace(MODEL, tasks=tasks), 3, 16, 4).eval()
    states, lengths = torch.randn(2, 30, 3, 16), torch.tensor([9840, 8000])
    output = model(torch.randn(2, 9840), lengths, states, torch.tensor([30, 24]))
    assert (output.emotion is None) == ("emotion" not in tasks)
    assert (output.enhanced is None) == (output.noisy_spectrum is None) == ("enhancement" not in tasks)
    assert [gate.name for gate in output.routing] == list(tasks)


def test_states_from_outside_are_those_of_the_encoder(tiny_encoder):
    torch.manual_seed(0)
    model = MeritModel(MODEL, 3, 16, 4, load_encoder(tiny_encoder)).eval()
    waveform, lengths = torch.randn(2, 9840), torch.tensor([9840, 8000])
    with torch.no_grad():
        states, frame_lengths = model.encoder(waveform, lengths)
        whole, given = model(waveform, lengths), model(waveform, lengths, states, frame_lengths)
    torch.testing.assert_close(given.emotion, whole.emotion, rtol=0, atol=0)
    torch.testing.assert_close(given.enhanced, whole.enhanced, rtol=0, atol=0)


@pytest.mark.parametrize("front_end", ["moe", "weighted_sum"])
def test_what_is_said_of_an_utterance_does_not_depend_on_its_batch(tiny_encoder, front_end):
    torch.manual_seed(0)
    model = MeritModel(replace(MODEL, front_end=front_end), 3, 16, 4, load_encoder(tiny_encoder)).eval()
    waveform, lengths = torch.randn(2, 9840), torch.tensor([9840, 8000])
    waveform[1, 8000:] = 0
    with torch.no_grad():
        together, alone = model(waveform, lengths), model(waveform[1:, :8000], lengths[1:])
    torch.testing.assert_close(together.emotion[1:], alone.emotion, rtol=1e-4, atol=1e-5)
    frames = alone.enhanced.shape[1]
    torch.testing.assert_close(together.enhanced[1:, :frames], alone.enhanced, rtol=1e-4, atol=1e-5)
    assert not together.enhanced[1:, frames:].any()
