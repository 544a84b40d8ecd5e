"""The whole model: encoder, front end and the two heads; any of encoder and heads may be absent."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from merit.nets.gate import GateWeight, Routing
from merit.nets.masks import length_mask
from merit.nets.ssl import SpeechEncoder
from merit.nets.weighted_sum import WeightedSum
from merit.systems.sparse_merit.front_end import MixtureOfExperts
from merit.systems.sparse_merit.heads import EmotionHead, EnhancementHead

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
    gate_weight: GateWeight = "prob"
    shared_gate: bool = False
    num_shared_experts: int = 0
    layer_norm: bool = True
    emotion_size: int = 1024
    emotion_dropout: float = 0.5
    enhancement_size: int = 256


@dataclass
class ModelOutput:
    """What a model says of a padded batch.

    Attributes:
        emotion: (B, C) class logits, or None without an emotion head.
        enhanced: (B, F, 201) log1p magnitude of the estimated clean speech, or None without an enhancement head.
        noisy_spectrum: (B, F, 201) complex spectrum of the input, or None likewise.
        routing: one entry for each gate; empty for a weighted sum.
    """

    emotion: Tensor | None
    enhanced: Tensor | None
    noisy_spectrum: Tensor | None
    routing: list[Routing]


class MeritModel(nn.Module):
    """Encoder states -> front end -> emotion head and enhancement head (paper Fig. 1).

    Args:
        config: sizes and kinds of the parts.
        num_states: L of the encoder.
        hidden_size: D of the encoder.
        num_classes: C of the emotion head.
        encoder: the speech encoder, or None when states come from outside (phase 1).
    """

    def __init__(
        self,
        config: ModelConfig,
        num_states: int,
        hidden_size: int,
        num_classes: int,
        encoder: SpeechEncoder | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        if config.front_end == "moe":
            self.front_end = MixtureOfExperts(
                num_states,
                hidden_size,
                config.tasks,
                num_experts=config.num_experts,
                expert_size=config.expert_size,
                top_k=config.top_k,
                gate_weight=config.gate_weight,
                shared_gate=config.shared_gate,
                num_shared_experts=config.num_shared_experts,
                layer_norm=config.layer_norm,
            )
        else:
            self.front_end = WeightedSum(num_states, hidden_size, config.tasks, layer_norm=config.layer_norm)
        self.emotion_head = (
            EmotionHead(hidden_size, num_classes, config.emotion_size, config.emotion_dropout)
            if "emotion" in config.tasks
            else None
        )
        self.enhancement_head = (
            EnhancementHead(hidden_size, config.enhancement_size) if "enhancement" in config.tasks else None
        )

    def forward(
        self,
        waveform: Tensor | None,
        lengths: Tensor,
        states: Tensor | None = None,
        frame_lengths: Tensor | None = None,
    ) -> ModelOutput:
        """Run the heads the model has.

        Args:
            waveform: (B, S) normalised noisy waveform, zero-padded; None when states are given and nothing is enhanced.
            lengths: (B,) its samples, in whatever memory; in the host's, the encoder waits for no GPU.
            states: (B, T, L, D) hidden states from outside; without them the model's own encoder makes them.
            frame_lengths: (B,) frames of the given states, in whatever memory.
        """
        if states is None:
            states, frame_lengths = self.encoder(waveform, lengths)
        lengths, frame_lengths = (of.to(states.device, non_blocking=True) for of in (lengths, frame_lengths))
        mask = length_mask(frame_lengths, states.shape[1])
        representations, routing = self.front_end(states, mask)
        emotion = enhanced = noisy_spectrum = None
        if self.emotion_head is not None:
            emotion = self.emotion_head(representations["emotion"], mask)
        if self.enhancement_head is not None:
            enhanced, noisy_spectrum = self.enhancement_head(
                representations["enhancement"], frame_lengths, waveform, lengths
            )
        return ModelOutput(emotion, enhanced, noisy_spectrum, routing)
