"""Options of the model; free of PyTorch, so that a plan of all stages is made at once."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["emotion", "enhancement"]
TASKS: tuple[Task, ...] = ("emotion", "enhancement")


@dataclass
class ModelConfig:
    """What is between the encoder and the outputs. Defaults are Sparse MERIT as the paper has it.

    Attributes:
        tasks: heads the model has, of ``emotion`` and ``enhancement``.
        front_end: ``moe`` (routed experts) or ``weighted_sum`` (one sum of the layers for all tasks).
        num_experts: N of the shared pool.
        top_k: experts kept for each frame and task; null keeps all, which is Dense MERIT.
        expert_size: hidden width of an expert.
        gate_weight: ``prob`` (paper Eq. 6) or ``hard`` (weight 1, as the authors' release; such gates learn from a
            balancing loss alone).
        shared_gate: one gate for both tasks.
        num_shared_experts: experts that work on every frame beside the routed ones.
        layer_norm: normalise each hidden state before they are joined.
        emotion_size: hidden width of the emotion classifier.
        emotion_dropout: its dropout.
        enhancement_size: width of the enhancement decoder's LSTM.
    """

    tasks: tuple[Task, ...] = TASKS
    front_end: Literal["moe", "weighted_sum"] = "moe"
    num_experts: int = 3
    top_k: int | None = 1
    expert_size: int = 4096
    gate_weight: Literal["prob", "hard"] = "prob"
    shared_gate: bool = False
    num_shared_experts: int = 0
    layer_norm: bool = True
    emotion_size: int = 1024
    emotion_dropout: float = 0.5
    enhancement_size: int = 256
