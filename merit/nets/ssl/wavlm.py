"""WavLM: a wav2vec 2.0 encoder whose attention has a gated relative position bias (Chen et al. 2021, section 3.2)."""

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from merit.device import compute_dtype
from merit.nets.ssl.encoder import attention_bias
from merit.nets.ssl.wav2vec2 import Wav2Vec2SpeechEncoder

FRAME_MULTIPLE = 8
"""Frames are padded to a multiple of this: the fast kernels on GPUs take a bias only with rows aligned to 16 bytes."""


class ScaledDotProductWavLMAttention(WavLMAttention):
    """transformers' ``WavLMAttention`` computed by torch's ``scaled_dot_product_attention``; the weights are the same.

    transformers calls ``multi_head_attention_forward`` on a transposed view. Without gradients torch then copies each
    projection matrix once for every frame: WavLM Large takes 14 times as long in bfloat16 on a CPU (torch 2.11). With
    gradients it keeps the attention weights of every layer and repeats the bias for every utterance in float32.
    """

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor, position_bias: Tensor, **_: Any
    ) -> tuple[Tensor, None, Tensor]:
        """Attend over a padded batch.

        Args:
            hidden_states: (B, T, D).
            attention_mask: (B, 1, 1, T) or (1, 1, 1, T), from :func:`merit.nets.ssl.encoder.attention_bias`.
            position_bias: (H, T, T), from :func:`position_bias`; of the same type as the mask.

        Returns:
            (B, T, D), None in place of the attention weights, and the position bias as it was given.
        """
        by_head = (self.num_heads, self.head_dim)
        # Two gates (B, H, T, 1) from each head's part of the input, each the sum of four projections.
        linear = self.gru_rel_pos_linear
        weight, bias = (value.unflatten(0, (2, 4)).sum(1) for value in (linear.weight, linear.bias))
        gates = functional.linear(hidden_states.unflatten(-1, by_head), weight, bias).sigmoid()
        gate_a, gate_b = gates.transpose(1, 2).chunk(2, dim=-1)
        gate = gate_a * (gate_b * self.gru_rel_pos_const - 1.0) + 2.0
        # In one kernel and in the type of the queries: the bias is the largest tensor of a layer, and with a bias of
        # another type than the queries cuDNN's attention is silently wrong (pytorch pull request 191612).
        bias = torch.addcmul(attention_mask, gate.to(position_bias.dtype).contiguous(), position_bias)

        parts, dtype = (self.q_proj, self.k_proj, self.v_proj), position_bias.dtype
        weight, offset = (torch.cat([getattr(part, name).to(dtype) for part in parts]) for name in ("weight", "bias"))
        joined = functional.linear(hidden_states, weight, offset).unflatten(-1, (3, *by_head))
        query, key, value = joined.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=self.dropout if self.training else 0.0
        )
        return self.out_proj(attended.transpose(1, 2).flatten(2)), None, position_bias


@lru_cache(maxsize=256)
def _distance_buckets(num_frames: int, num_buckets: int, max_distance: int, device: torch.device) -> Tensor:
    """Bucket of each distance from -(T - 1) to T - 1 frames between key and query: (2 T - 1,)."""
    settings = SimpleNamespace(num_buckets=num_buckets, max_distance=max_distance)
    with torch.inference_mode(False):  # what is kept must serve training too
        distances = torch.arange(1 - num_frames, num_frames)
        return WavLMAttention._relative_positions_bucket(settings, distances).to(device)


def position_bias(attention: WavLMAttention, num_frames: int) -> Tensor:
    """The first layer's position bias (H, T, T): transformers' ``compute_bias`` by way of the 2 T - 1 distances."""
    embedding = attention.rel_attn_embed.weight
    buckets = _distance_buckets(num_frames, attention.num_buckets, attention.max_distance, embedding.device)
    by_distance = functional.embedding(buckets, embedding).t()
    # Row i of the result is the window of T distances that begins at -i.
    return by_distance.unfold(1, num_frames, 1).flip(1).contiguous()


class WavLMSpeechEncoder(Wav2Vec2SpeechEncoder):
    """WavLM Base, Base+ and Large.

    Args:
        model: transformers' ``WavLMModel``; its attention is changed to :class:`ScaledDotProductWavLMAttention`.
        gradient_checkpointing: recompute the layers in the backward pass; less memory, about a third more time.
    """

    def __init__(self, model: nn.Module, gradient_checkpointing: bool = False) -> None:
        super().__init__(model, gradient_checkpointing)
        for layer in model.encoder.layers:
            layer.attention.__class__ = ScaledDotProductWavLMAttention

    def _transformer(self, hidden: Tensor, mask: Tensor | None) -> list[Tensor]:
        num_frames = hidden.shape[1]
        states = [hidden]
        if surplus := -num_frames % FRAME_MULTIPLE:
            hidden = functional.pad(hidden, (0, 0, 0, surplus))
            mask = hidden.new_ones(1, num_frames, dtype=torch.bool) if mask is None else mask
            mask = functional.pad(mask, (0, surplus))
        dtype = compute_dtype(hidden)
        masked = (
            hidden.new_zeros(1, 1, 1, hidden.shape[1], dtype=dtype) if mask is None else attention_bias(mask, hidden)
        )
        bias = position_bias(self.layers[0].attention, hidden.shape[1]).to(dtype)
        for layer in self.layers:
            hidden = self._run_layer(layer, hidden, attention_mask=masked, position_bias=bias)[0]
            states.append(hidden[:, :num_frames])
        return states
