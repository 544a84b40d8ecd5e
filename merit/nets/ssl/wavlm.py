"""WavLM: a wav2vec 2.0 encoder whose attention has a gated relative position bias (Chen et al. 2021, section 3.2)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from merit.nets.ssl.wav2vec2 import Wav2Vec2SpeechEncoder


class ScaledDotProductWavLMAttention(WavLMAttention):
    """transformers' ``WavLMAttention`` computed by torch's ``scaled_dot_product_attention``; the weights are the same.

    transformers calls ``multi_head_attention_forward`` on a transposed view. Without gradients torch then copies each
    projection matrix once for every frame: WavLM Large takes 14 times as long in bfloat16 on a CPU (torch 2.11).
    """

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        **_: Any,
    ) -> tuple[Tensor, None, Tensor]:
        """Attend over a padded batch.

        Args:
            hidden_states: (B, T, D).
            attention_mask: (B, T), True inside; None when nothing is padded.
            position_bias: (H, T, T) of the first layer; None in the first layer, which makes it.

        Returns:
            (B, T, D), None in place of the attention weights, and the position bias for the next layer.
        """
        if position_bias is None:
            num_frames = hidden_states.shape[1]
            position_bias = self.compute_bias(num_frames, num_frames)

        def heads(values: Tensor) -> Tensor:
            return values.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)

        # Two gates (B, H, T, 1) from each head's part of the input, each the sum of four projections.
        gates = self.gru_rel_pos_linear(hidden_states.unflatten(-1, (self.num_heads, self.head_dim)))
        gate_a, gate_b = gates.unflatten(-1, (2, 4)).sum(-1).sigmoid().transpose(1, 2).chunk(2, dim=-1)
        bias = (gate_a * (gate_b * self.gru_rel_pos_const - 1.0) + 2.0) * position_bias
        if attention_mask is not None:
            bias = bias.masked_fill(~attention_mask[:, None, None, :], -torch.inf)
        query, key, value = (heads(project(hidden_states)) for project in (self.q_proj, self.k_proj, self.v_proj))
        # With a bias of another dtype than the queries cuDNN's kernel is silently wrong (pytorch pull request 191612).
        attended = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias.to(query.dtype), dropout_p=self.dropout if self.training else 0.0
        )
        return self.out_proj(attended.transpose(1, 2).flatten(2)), None, position_bias


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
        states = [hidden]
        position_bias = None
        for layer in self.model.encoder.layers:
            outputs = self._run_layer(layer, hidden, attention_mask=mask, position_bias=position_bias)
            hidden, position_bias = outputs[:2]
            states.append(hidden)
        return states
