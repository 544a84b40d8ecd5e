"""The model: speech and tags in, text out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from merit.errors import MeritError
from merit.nets.gate import Routing
from merit.systems.smoe.attention import CrossAttention, SelfAttention
from merit.systems.smoe.feed_forward import RoutedFeedForward
from merit.systems.smoe.smoe_config import TASKS, SmoeModelConfig
from merit.systems.smoe.speech_encoder import Encoder
from merit.systems.smoe.text_decoder import Decoder


@dataclass
class SpeechToTextOutput:
    """What the model says of a padded batch.

    Attributes:
        logits: (B, U, V) of the token after each.
        ctc: (B, T, V) logits on top of the encoder, or None.
        frames: (B,) real frames of ``ctc``, on the host.
        routing: of the gates, where the routing is learned.
    """

    logits: Tensor
    ctc: Tensor | None
    frames: Tensor
    routing: list[Routing]


class SpeechToText(nn.Module):
    """A transformer whose feed-forward layers are chosen by bandwidth in the encoder and by task in the decoder.

    Which expert computes and which tag is written are two things: the expert follows from the tag of the task unless
    another one is named.

    Args:
        config: sizes.
        vocabulary_size: V.
        task_tags: number of the tag of each task, in the order of ``TASKS``.
    """

    def __init__(self, config: SmoeModelConfig, vocabulary_size: int, task_tags: Sequence[int]) -> None:
        super().__init__()
        self.config = config
        self.task_tags = tuple(task_tags)
        self.speech = Encoder(config)
        self.text = Decoder(config, vocabulary_size)
        self.ctc = nn.Linear(config.size, vocabulary_size) if config.ctc else None

    def experts_of(self, tokens: Tensor) -> list[int]:
        """The expert of each text (B, U), from its second token, the tag of the task.

        Raises:
            MeritError: when that is no tag of a task of this model.
        """
        tags = tokens[:, 1].tolist()
        if unknown := sorted({*tags} - {*self.task_tags}):
            raise MeritError(
                f"token {unknown[0]} stands in the place of the task's tag; this model knows "
                + " and ".join(f"{tag} ({task})" for task, tag in zip(TASKS, self.task_tags))
            )
        return [self.task_tags.index(tag) for tag in tags]

    def forward(
        self,
        features: Tensor,
        lengths: Tensor,
        bandwidths: Sequence[int],
        tokens: Tensor,
        token_mask: Tensor,
        expert: int | Sequence[int] | None = None,
    ) -> SpeechToTextOutput:
        """The logits of given texts.

        Args:
            features: (B, T, F) log-mel frames, zero past the end.
            lengths: (B,) frames.
            bandwidths: number of the bandwidth of each utterance.
            tokens: (B, U) start, tag of the task, tag of the language, text.
            token_mask: (B, U), True on real tokens.
            expert: of the decoder, for all utterances or for each; None is that of the tag.

        Raises:
            MeritError: when an utterance or text is longer than the model takes, or a tag is unknown.
        """
        memory = self.speech(features, lengths, bandwidths)
        chosen = self.experts_of(tokens) if expert is None else expert
        logits, routing = self.text(tokens, memory, chosen, token_mask)
        ctc = None if self.ctc is None else self.ctc(memory.states)
        return SpeechToTextOutput(logits, ctc, memory.lengths, memory.routing + routing)

    def routed_layers(self) -> Iterator[RoutedFeedForward]:
        """The feed-forward layers of all blocks, from the input to the output."""
        return (module for module in self.modules() if isinstance(module, RoutedFeedForward))

    def active_parameters(self) -> int:
        """Parameters that compute one utterance and task: all but the experts beside the chosen one."""
        total = sum(parameter.numel() for parameter in self.parameters())
        beside = (layer.experts[place] for layer in self.routed_layers() for place in range(1, len(layer.experts)))
        return total - sum(parameter.numel() for expert in beside for parameter in expert.parameters())

    def upcycle(self, dense: "SpeechToText") -> None:
        """Take the weights of a model with one expert; every expert starts as that one (Komatsuzaki et al. 2022).

        Raises:
            MeritError: when the model has other sizes.
        """
        found = dense.state_dict()
        weights = {}
        for name, value in self.state_dict().items():
            before, among, after = name.partition(".experts.")
            source = f"{before}.experts.0.{after.partition('.')[2]}" if among else name
            if ".gate." in name and source not in found:
                weights[name] = value
            elif source in found and found[source].shape == value.shape:
                weights[name] = found[source]
            else:
                raise MeritError(f"upcycling: {source} of the dense model is missing or of another size")
        self.load_state_dict(weights)

    def compile_layers(self, backend: str = "inductor") -> None:
        """Compile attention and experts with torch.compile, once for all lengths; routing stays in Python."""
        for module in self.modules():
            if isinstance(module, (SelfAttention, CrossAttention)):
                module.compile(dynamic=True, backend=backend)
            elif isinstance(module, RoutedFeedForward):
                for expert in module.experts:
                    expert.compile(dynamic=True, backend=backend)
