"""S-MoE as one writes it plainly on torch.nn.Transformer's layers: the contender of the benchmark smoe.

Every expert computes every frame and masks keep those of the chosen one; decoding runs the decoder on all tokens so far
in every step, for every hypothesis with a copy of its memory. The weights are those of an S-MoE, under other names.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from merit.systems.smoe.speech_to_text_model import SpeechToText
from merit.systems.smoe.vocabulary import END


class _Masked:
    """The feed-forward part of a layer of torch.nn, with experts as masks over dense computation."""

    experts: nn.ModuleList
    mask: Tensor

    def _ff_block(self, frames: Tensor) -> Tensor:
        outputs = torch.stack([expert(frames) for expert in self.experts], dim=-1)
        return self.dropout((outputs * self.mask).sum(dim=-1))


class MaskedEncoderLayer(_Masked, nn.TransformerEncoderLayer):
    """A layer of torch.nn with several feed-forward parts."""


class MaskedDecoderLayer(_Masked, nn.TransformerDecoderLayer):
    """A layer of torch.nn with several feed-forward parts."""


class PlainSmoe(nn.Module):
    """S-MoE, plainly.

    Args:
        model: whose sizes and values are taken; its dropout is.
    """

    def __init__(self, model: SpeechToText) -> None:
        super().__init__()
        torch.backends.mha.set_fastpath_enabled(False)  # which knows one feed-forward part alone
        config = model.config
        sizes = (config.size, config.heads, 1, config.dropout)
        options = {"batch_first": True, "norm_first": True}
        self.size = config.size
        self.subsampling = model.speech.subsampling
        self.embedding, self.output = model.text.embedding, model.text.output
        self.positions = model.speech.positions
        self.encoder = nn.ModuleList(MaskedEncoderLayer(*sizes, **options) for _ in model.speech.blocks)
        self.decoder = nn.ModuleList(MaskedDecoderLayer(*sizes, **options) for _ in model.text.blocks)
        self.encoder_norm, self.decoder_norm = model.speech.norm, model.text.norm
        self.dropout = nn.Dropout(config.dropout)
        for ours, block in zip([*self.encoder, *self.decoder], [*model.speech.blocks, *model.text.blocks]):
            del ours.linear1, ours.linear2
            ours.experts = nn.ModuleList(block.feed_forward.experts)
            ours.self_attn.in_proj_weight = block.attention.projection.weight
            ours.self_attn.in_proj_bias = block.attention.projection.bias
            ours.self_attn.out_proj = block.attention.output
            ours.norm1 = block.attention_norm
            ours.norm2 = block.feed_forward_norm
        for ours, block in zip(self.decoder, model.text.blocks):
            cross = block.memory_attention
            ours.norm2, ours.norm3 = block.memory_norm, block.feed_forward_norm
            ours.multihead_attn.in_proj_weight = nn.Parameter(torch.cat([cross.query.weight, cross.key_value.weight]))
            ours.multihead_attn.in_proj_bias = nn.Parameter(torch.cat([cross.query.bias, cross.key_value.bias]))
            ours.multihead_attn.out_proj = cross.output

    def _choose(self, layers: nn.ModuleList, experts: Sequence[int]) -> None:
        for layer in layers:
            chosen = nn.functional.one_hot(torch.tensor(experts), len(layer.experts))
            layer.mask = chosen[:, None, None].to(self.positions)

    def encode(self, features: Tensor, lengths: Tensor, bandwidths: Sequence[int]) -> tuple[Tensor, Tensor]:
        """(B, T, F) -> memory (B, T / 4, D) and what of it is padding."""
        frames, lengths = self.subsampling(features, lengths)
        padding = torch.arange(frames.shape[1]) >= lengths.unsqueeze(1)
        padding = padding.to(frames.device)
        frames = self.dropout(frames * math.sqrt(self.size) + self.positions[: frames.shape[1]])
        self._choose(self.encoder, bandwidths)
        for layer in self.encoder:
            frames = layer(frames, src_key_padding_mask=padding)
        return self.encoder_norm(frames), padding

    def decode(self, tokens: Tensor, memory: Tensor, padding: Tensor, experts: Sequence[int]) -> Tensor:
        """Tokens (B, U) -> logits (B, U, V)."""
        length = tokens.shape[1]
        values = self.dropout(self.embedding(tokens) * math.sqrt(self.size) + self.positions[:length])
        later = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        self._choose(self.decoder, experts)
        for layer in self.decoder:
            values = layer(values, memory, tgt_mask=later, memory_key_padding_mask=padding, tgt_is_causal=True)
        return self.output(self.decoder_norm(values))

    def forward(
        self, features: Tensor, lengths: Tensor, bandwidths: Sequence[int], tokens: Tensor, experts: Sequence[int]
    ) -> Tensor:
        """The logits of given texts (B, U, V)."""
        memory, padding = self.encode(features, lengths, bandwidths)
        return self.decode(tokens, memory, padding, experts)

    def search(
        self,
        features: Tensor,
        lengths: Tensor,
        bandwidths: Sequence[int],
        prefix: Sequence[int],
        expert: int,
        beam: int,
        steps: int,
    ) -> Tensor:
        """Beam search of texts that end after so many tokens: the best ones (B, steps), without prefix."""
        memory, padding = self.encode(features, lengths, bandwidths)
        count = len(features)
        memory, padding = memory.repeat_interleave(beam, dim=0), padding.repeat_interleave(beam, dim=0)
        tokens = torch.tensor([prefix] * (count * beam), device=features.device)
        scores = torch.full((count, beam), -torch.inf, device=features.device)
        scores[:, 0] = 0
        first = torch.arange(count, device=features.device).unsqueeze(1) * beam
        for _ in range(steps):
            values = self.decode(tokens, memory, padding, [expert] * len(tokens))[:, -1].float().log_softmax(dim=-1)
            values[:, [END, prefix[0]]] = -torch.inf
            scores, order = (scores.unsqueeze(-1) + values.view(count, beam, -1)).flatten(1).topk(beam, dim=1)
            parents = (first + order // values.shape[1]).flatten()
            tokens = torch.cat([tokens[parents], (order % values.shape[1]).view(-1, 1)], dim=1)
        values = self.decode(tokens, memory, padding, [expert] * len(tokens))[:, -1].float().log_softmax(dim=-1)
        best = (first.flatten() + (scores + values[:, END].view(count, beam)).argmax(dim=1)).flatten()
        return tokens[best, len(prefix) :]
