"""The model: encoder states -> weighted sum -> pooling -> gate and experts -> MOS and generating system."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from merit.nets.experts import Experts
from merit.nets.gate import Gate, Routing
from merit.nets.masks import length_mask
from merit.nets.pooling import AttentiveStatisticsPooling
from merit.nets.ssl import SpeechEncoder
from merit.nets.weighted_sum import WeightedSum
from merit.systems.moe_mos.model_config import MosModelConfig

SUM = "quality"
"""The name under which the weighted sum of the states is read."""


@dataclass
class MosOutput:
    """What a model says of a padded batch.

    Attributes:
        mos: (B,) mean opinion score, between 1 and 5.
        systems: (B, C) logits of the generating systems.
        routing: of the one gate: weights and probabilities (B, 1, N), the whole utterance as a single frame.
    """

    mos: Tensor
    systems: Tensor
    routing: Routing


class MeanPooling(nn.Module):
    """Frames (B, T, D) and mask (B, T) -> mean over the real frames (B, D), in float32."""

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Padded frames count nothing, whatever they hold."""
        inside = mask.unsqueeze(-1)
        return frames.float().masked_fill(~inside, 0).sum(dim=1) / inside.sum(dim=1)


def expert(input_size: int, config: MosModelConfig) -> nn.Sequential:
    """One expert: pooled utterance (..., E) -> representation (..., R)."""
    return nn.Sequential(
        nn.Linear(input_size, config.expert_size),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.expert_size, config.representation_size),
    )


class MosHead(nn.Module):
    """Representation (B, R) -> MOS (B,) in [1, 5]: ``3 + 2 tanh(w z + b)``, the range clip of UTMOS and sheet."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(input_size, 1)

    def forward(self, representation: Tensor) -> Tensor:
        """In float32: 16 bits have steps of 0.02 here."""
        with torch.autocast(representation.device.type, enabled=False):
            return 3 + 2 * torch.tanh(self.projection(representation.float())).squeeze(-1)


class MosNetwork(nn.Module):
    """A dense mixture of experts over whole utterances (paper section III).

    Args:
        config: sizes and kinds of the parts.
        num_states: L of the encoder.
        hidden_size: D of the encoder.
        num_systems: C, generating systems of the training set.
        num_listeners: of the training set, when they have embeddings.
        encoder: the speech encoder, or None when states come from outside.
    """

    def __init__(
        self,
        config: MosModelConfig,
        num_states: int,
        hidden_size: int,
        num_systems: int,
        num_listeners: int = 0,
        encoder: SpeechEncoder | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.fusion = WeightedSum(num_states, hidden_size, (SUM,), layer_norm=config.layer_norm)
        if config.pooling == "statistics":
            self.pooling, width = AttentiveStatisticsPooling(hidden_size), 2 * hidden_size
        else:
            self.pooling, width = MeanPooling(), hidden_size
        self.gate = Gate(width, config.num_experts, top_k=None)
        self.experts = Experts(expert(width, config) for _ in range(config.num_experts))
        self.listeners = None
        if config.rater_embedding:
            self.listeners = nn.Embedding(1 + num_listeners, config.representation_size)
            nn.init.zeros_(self.listeners.weight)  # everybody begins as the mean listener
        self.mos_head = MosHead(config.representation_size)
        self.system_head = nn.Linear(config.representation_size, num_systems)

    def forward(
        self,
        waveform: Tensor | None,
        lengths: Tensor,
        states: Tensor | None = None,
        frame_lengths: Tensor | None = None,
        listeners: Tensor | None = None,
    ) -> MosOutput:
        """Judge a batch.

        Args:
            waveform: (B, S) normalised waveforms at 16 kHz, zero-padded; None when states are given.
            lengths: (B,) their samples.
            states: (B, T, L, D) hidden states from outside; without them the model's own encoder makes them.
            frame_lengths: (B,) frames of the given states.
            listeners: (B,) number of the listener who is asked; 0, and None, is the mean listener.
        """
        if states is None:
            states, frame_lengths = self.encoder(waveform, lengths)
        mask = length_mask(frame_lengths.to(states.device, non_blocking=True), states.shape[1])
        fused, _ = self.fusion(states, mask)
        pooled = self.pooling(fused[SUM], mask)
        weights, probabilities = self.gate(pooled)
        representation = self.experts(pooled, weights)
        whole = mask.new_ones(len(mask), 1)
        routing = Routing(SUM, weights.unsqueeze(1), probabilities.unsqueeze(1), whole)
        heard = representation
        if self.listeners is not None:
            asked = torch.zeros(len(pooled), dtype=torch.long, device=pooled.device) if listeners is None else listeners
            heard = representation + self.listeners(asked)
        return MosOutput(self.mos_head(heard), self.system_head(representation), routing)
