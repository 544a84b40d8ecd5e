"""Options of the model; free of PyTorch."""

from dataclasses import dataclass
from typing import Literal

from merit.errors import MeritError

TASKS = ("transcribe", "translate")
"""What a decoder is asked for; the place of a task is the number of its expert."""


@dataclass
class SmoeModelConfig:
    """Sizes of the model, and how many experts its feed-forward layers have.

    The sizes follow from the paper's parameter counts (107 M and 144 M with a vocabulary of 40,000), and are those of
    fairseq's ``s2t_transformer_m``.

    Attributes:
        size: width of the frames and tokens inside the model.
        feed_forward_size: inner width of a feed-forward layer, which is one expert.
        heads: of every attention.
        encoder_layers: blocks of the encoder.
        decoder_layers: blocks of the decoder.
        encoder_experts: feed-forward layers beside each other in every block of the encoder; 1 is a plain model.
        decoder_experts: the same of the decoder.
        decoder_widening: factor of the inner width in the decoder; 2 has the parameters of two experts without them.
        routing: ``given`` picks the encoder's expert by bandwidth and the decoder's by task; ``learned`` has a top-1
            softmax gate in every block choose for each frame and token (Switch Transformer).
        subsampling_channels: of the first of the two convolutions with stride 2 in front.
        dropout: of embeddings, feed-forward layers and residual branches.
        attention_dropout: of the attention weights.
        ctc: a linear layer over the vocabulary on top of the encoder, for a CTC loss against the transcript.
        mel_bins: of the log-mel input.
        max_frames: longest input in frames of 10 ms.
        max_tokens: longest text in tokens, tags included.

    Raises:
        MeritError: when a number is below 1, or the heads do not divide the width.
    """

    size: int = 512
    feed_forward_size: int = 2048
    heads: int = 8
    encoder_layers: int = 12
    decoder_layers: int = 6
    encoder_experts: int = 1
    decoder_experts: int = 1
    decoder_widening: int = 1
    routing: Literal["given", "learned"] = "given"
    subsampling_channels: int = 1024
    dropout: float = 0.15
    attention_dropout: float = 0.15
    ctc: bool = False
    mel_bins: int = 80
    max_frames: int = 6000
    max_tokens: int = 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int) and not isinstance(value, bool) and value < 1:
                raise MeritError(f"model.{name} is {value}; it must be at least 1")
        if self.size % (2 * self.heads) or self.subsampling_channels % 2:
            raise MeritError(
                f"model.size {self.size} must be a multiple of twice model.heads, {2 * self.heads}, and "
                f"model.subsampling_channels {self.subsampling_channels} even"
            )
