"""A small encoder that learns from a large one: its states predict the teacher's by linear heads.

After DistilHuBERT (Chang, Yang and Lee 2022), whose heads all read the student's last state; here each reads a layer of
its own, since all states of an encoder are used.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder, build_encoder


class Student(nn.Module):
    """An encoder with a linear head on some of its states for some of the teacher's.

    Args:
        encoder: the small encoder, whose every used parameter is trained, those of its front end too.
        layers: for each head, the number of the student's state and that of the teacher's.
        teacher_size: width of the teacher's states.

    Raises:
        MeritError: when the encoder has no such state.
    """

    def __init__(self, encoder: SpeechEncoder, layers: Mapping[int, int], teacher_size: int) -> None:
        super().__init__()
        if beyond := [own for own in layers if not 0 <= own < encoder.num_states]:
            raise MeritError(f"layers: the student has no state {beyond[0]}, only 0 to {encoder.num_states - 1}")
        self.encoder = encoder
        encoder.learn_from_scratch()
        self.own_layers = list(layers)
        self.heads = nn.ModuleList(nn.Linear(encoder.hidden_size, teacher_size) for _ in layers)

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[list[Tensor], Tensor]:
        """Waveforms (B, S) and lengths (B,) -> the heads' predictions, each (B, T, E), and frame lengths (B,)."""
        states, frame_lengths = self.encoder(waveform, lengths)
        return [head(states[:, :, own]) for head, own in zip(self.heads, self.own_layers)], frame_lengths


def build_student(config: dict[str, Any], layers: Mapping[int, int], teacher_states: int, teacher_size: int) -> Student:
    """A student with random weights, from a transformers configuration.

    Raises:
        MeritError: when the configuration is of a kind not supported, or student or teacher have no such state.
    """
    if beyond := [other for other in layers.values() if not 0 <= other < teacher_states]:
        raise MeritError(f"layers: the teacher has no state {beyond[0]}, only 0 to {teacher_states - 1}")
    return Student(build_encoder(config), layers, teacher_size)
