"""From what the encoder made of speech, and the tokens so far, to the next token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from merit.errors import MeritError
from merit.nets.gate import Routing
from merit.systems.smoe.attention import CrossAttention, SelfAttention
from merit.systems.smoe.feed_forward import RoutedFeedForward
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_encoder import Memory, sinusoids

KeysAndValues = tuple[Tensor, Tensor]


@dataclass
class DecoderState:
    """What decoding keeps from step to step, for B utterances with H hypotheses each.

    Attributes:
        expert: number of the expert, that of the task.
        mask: (B, 1, 1, T), True on real frames of the memory.
        memory: keys and values of the memory (B, heads, T, D / heads), block by block; hypotheses share them.
        kept: keys and values of the tokens so far (B * H, heads, t, D / heads), block by block; None at the start.
        length: tokens so far.
    """

    expert: int
    mask: Tensor
    memory: list[KeysAndValues]
    kept: list[KeysAndValues | None]
    length: int = 0

    def reorder(self, parents: Tensor, utterances: Tensor | None = None) -> None:
        """Go on with other hypotheses.

        Args:
            parents: (B' * H',) row of the hypothesis that each new one continues.
            utterances: (B',) the utterances that are left; None when all are.
        """
        self.kept = [tuple(values.index_select(0, parents) for values in pair) for pair in self.kept]
        if utterances is not None:
            self.memory = [tuple(values.index_select(0, utterances) for values in pair) for pair in self.memory]
            self.mask = self.mask.index_select(0, utterances)


class DecoderBlock(nn.Module):
    """Causal self-attention, attention to the memory and routed feed-forward layer, each behind its normalisation."""

    def __init__(self, config: SmoeModelConfig, place: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.size)
        self.attention = SelfAttention(config.size, config.heads, config.attention_dropout)
        self.memory_norm = nn.LayerNorm(config.size)
        self.memory_attention = CrossAttention(config.size, config.heads, config.attention_dropout)
        self.feed_forward_norm = nn.LayerNorm(config.size)
        self.feed_forward = RoutedFeedForward(
            f"decoder {place}",
            config.size,
            config.feed_forward_size * config.decoder_widening,
            config.decoder_experts,
            config.dropout,
            config.routing == "learned",
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, tokens: Tensor, memory: Tensor, memory_mask: Tensor, expert: int | Sequence[int], token_mask: Tensor
    ) -> tuple[Tensor, Routing | None]:
        """(B, U, D) -> (B, U, D)."""
        tokens = tokens + self.dropout(self.attention(self.attention_norm(tokens), causal=True))
        keys_and_values = self.memory_attention.keys_and_values(memory)
        attended = self.memory_attention(self.memory_norm(tokens), keys_and_values, memory_mask)
        tokens = tokens + self.dropout(attended)
        values, routing = self.feed_forward(self.feed_forward_norm(tokens), expert, token_mask)
        return tokens + self.dropout(values), routing

    def step(
        self, tokens: Tensor, kept: KeysAndValues | None, memory: KeysAndValues, mask: Tensor, expert: int
    ) -> tuple[Tensor, KeysAndValues]:
        """The newest token of each hypothesis, (B * H, 1, D) -> (B * H, 1, D), and the keys and values to keep."""
        values, kept = self.attention.step(self.attention_norm(tokens), kept)
        tokens = tokens + values
        # The hypotheses of an utterance attend to its memory side by side, which is there once.
        asked = self.memory_norm(tokens).view(len(mask), -1, tokens.shape[-1])
        tokens = tokens + self.memory_attention(asked, memory, mask).reshape(tokens.shape)
        everywhere = mask.new_ones(len(tokens), 1)
        values, _ = self.feed_forward(self.feed_forward_norm(tokens), expert, everywhere)
        return tokens + values, kept


class Decoder(nn.Module):
    """Embeddings, positions, blocks and a linear layer to the vocabulary, whose weights are not those of the embedding.

    Args:
        config: sizes.
        vocabulary_size: V.
    """

    def __init__(self, config: SmoeModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary_size, config.size)
        nn.init.normal_(self.embedding.weight, std=config.size**-0.5)
        self.register_buffer("positions", sinusoids(config.max_tokens, config.size), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(DecoderBlock(config, place) for place in range(1, config.decoder_layers + 1))
        self.norm = nn.LayerNorm(config.size)
        self.output = nn.Linear(config.size, vocabulary_size, bias=False)
        nn.init.normal_(self.output.weight, std=config.size**-0.5)

    def _embedded(self, tokens: Tensor, start: int) -> Tensor:
        if start + tokens.shape[1] > self.config.max_tokens:
            raise MeritError(
                f"a text of {start + tokens.shape[1]} tokens is longer than the model takes, {self.config.max_tokens} "
                "(model.max_tokens)"
            )
        positions = self.positions[start : start + tokens.shape[1]]
        return self.dropout(self.embedding(tokens) * math.sqrt(self.config.size) + positions)

    def forward(
        self, tokens: Tensor, memory: Memory, expert: int | Sequence[int], token_mask: Tensor
    ) -> tuple[Tensor, list[Routing]]:
        """Logits (B, U, V) of the token after each, and the routing of the gates.

        Args:
            tokens: (B, U), from the start and the tags on.
            memory: of the encoder.
            expert: number of the expert of all utterances, or of each.
            token_mask: (B, U), True on real tokens.

        Raises:
            MeritError: when the text is longer than the model takes.
        """
        values = self._embedded(tokens, 0)
        memory_mask = memory.mask[:, None, None]
        routing = []
        for block in self.blocks:
            values, routed = block(values, memory.states, memory_mask, expert, token_mask)
            routing += [] if routed is None else [routed]
        return self.output(self.norm(values)), routing

    def start(self, memory: Memory, expert: int) -> DecoderState:
        """The state before the first token, with one hypothesis for each utterance."""
        pairs = [block.memory_attention.keys_and_values(memory.states) for block in self.blocks]
        return DecoderState(expert, memory.mask[:, None, None], pairs, [None] * len(self.blocks))

    def step(self, tokens: Tensor, state: DecoderState) -> Tensor:
        """Logits (B * H, V) of the token after the newest one of each hypothesis.

        Args:
            tokens: (B * H,) the newest token of each hypothesis, those of an utterance after each other.
            state: is brought up to date.
        """
        values = self._embedded(tokens.unsqueeze(1), state.length)
        for place, block in enumerate(self.blocks):
            values, state.kept[place] = block.step(
                values, state.kept[place], state.memory[place], state.mask, state.expert
            )
        state.length += 1
        return self.output(self.norm(values[:, 0]))
