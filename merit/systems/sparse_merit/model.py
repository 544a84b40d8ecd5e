"""The whole model: encoder, front end and the two heads; any of encoder and heads may be absent."""

from dataclasses import dataclass

from torch import Tensor, nn

from merit.nets.gate import Routing
from merit.nets.masks import length_mask
from merit.nets.ssl import SpeechEncoder
from merit.nets.weighted_sum import WeightedSum
from merit.systems.sparse_merit.front_end import MixtureOfExperts
from merit.systems.sparse_merit.heads import EmotionHead, EnhancementHead
from merit.systems.sparse_merit.model_config import ModelConfig


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
        lengths, frame_lengths = (value.to(states.device, non_blocking=True) for value in (lengths, frame_lengths))
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
