"""A student's heads read the layers they are told to."""

import pytest
import torch
from made_teacher import LOG_MEL

from merit.errors import MeritError
from merit.systems.distillation.student import build_student


def student(layers=LOG_MEL.layers):
    torch.manual_seed(0)
    return build_student(LOG_MEL.encoder, layers, teacher_states=4, teacher_size=6)


def test_each_head_reads_its_layer():
    net = student({2: 0, 1: 3}).eval()
    waveform, lengths = torch.randn(2, 8000), torch.tensor([8000, 6400])
    with torch.no_grad():
        predicted, frame_lengths = net(waveform, lengths)
        states, expected = net.encoder(waveform, lengths)
    assert frame_lengths.tolist() == expected.tolist()
    for head, value, own in zip(net.heads, predicted, (2, 1)):
        torch.testing.assert_close(value, states[:, :, own] @ head.weight.T + head.bias)


def test_everything_that_is_used_learns():
    net = student().train()
    sum(value.square().sum() for value in net(torch.randn(1, 8000), torch.tensor([8000]))[0]).backward()
    without = {name for name, value in net.named_parameters() if value.grad is None}
    assert without == {
        f"encoder.model.{name}" for name in ("embed_positions.weight", "layer_norm.weight", "layer_norm.bias")
    }


@pytest.mark.parametrize(
    ("layers", "whose"), [({3: 1}, "the student has no state 3"), ({1: 4}, "the teacher has no state 4")]
)
def test_layers_that_are_not_there(layers, whose):
    with pytest.raises(MeritError, match=whose):
        student(layers)
