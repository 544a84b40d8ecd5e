"""What every speech encoder of MERIT is to the rest of the package."""

import hashlib
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from merit.device import compute_dtype
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

# cuDNN's attention with a mask gives NaN gradients at some lengths (pytorch issue 196678).
torch.backends.cuda.enable_cudnn_sdp(False)

STATE_DEFINITION = 1
"""Version of what the states are; states dumped under another version are not the same features.

1: H_0 is what enters the first transformer layer, H_l the raw output of layer l, the last one before any final
LayerNorm of the encoder; Whisper's log-mel of the true length at ``merit.nets.ssl.log_mel.NOMINAL_LEVEL``.
"""

# Entries of a transformers configuration that say where it came from or name labels, not what the encoder is.
_NOT_ARCHITECTURE = (
    "_name_or_path",
    "architectures",
    "dtype",
    "id2label",
    "label2id",
    "torch_dtype",
    "transformers_version",
)


class SpeechEncoder(nn.Module, ABC):
    """A transformer over speech that gives the hidden states of all its layers.

    SpecAugment and LayerDrop are off whatever the checkpoint's configuration says, the convolutional front end is
    frozen unless :meth:`learn_from_scratch` says otherwise, and every trainable parameter takes part in the states, so
    that distributed training needs no flags.

    Attributes:
        hidden_size: D, channels of a state.
        feature_size: C, channels of what the convolutional front end gives the transformer.
        num_states: L, number of states: one more than transformer layers.
        minimum_samples: samples of the shortest signal that gives one frame.
        maximum_samples: samples of the longest signal the encoder can take; None when there is no bound.
    """

    hidden_size: int
    feature_size: int
    num_states: int
    minimum_samples: int
    maximum_samples: int | None = None

    def __init__(self, config: Any, gradient_checkpointing: bool = False) -> None:
        """Keep the transformers configuration ``config``; recompute layers in the backward pass when asked to."""
        super().__init__()
        self.config = config
        self.gradient_checkpointing = gradient_checkpointing
        self.from_scratch = False

    @abstractmethod
    def frame_lengths(self, samples: Tensor) -> Tensor:
        """Frames (B,) that signals of so many samples (B,) give; 0 for those shorter than one frame."""

    @abstractmethod
    def _front_end(self, waveform: Tensor, lengths: Tensor, padded: bool) -> Tensor:
        """Convolutional features (B, T, C) of waveforms (B, S); ``padded`` where one is shorter than another."""

    @abstractmethod
    def _states(self, features: Tensor, frame_lengths: Tensor, padded: bool) -> list[Tensor]:
        """The L states, each (B, T, D), of convolutional features (B, T, C)."""

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the hidden states of a batch. Padding changes nothing in the frames of an utterance.

        Args:
            waveform: (B, S) signals at 16 kHz, normalised by corpus statistics, zero-padded.
            lengths: (B,) samples of each, in whatever memory; in the host's, nothing waits for a GPU.

        Returns:
            states (B, T, L, D), without meaning past the last frame of an utterance, and frame lengths (B,), in the
            memory of ``lengths``.

        Raises:
            MeritError: when a signal is shorter than one frame or longer than the encoder can take.
        """
        return self.states(*self.features(waveform, lengths))

    def features(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What the convolutional front end makes of a batch; :meth:`states` goes on from there.

        Without gradients, unless the front end is trained.

        Args and errors as of :meth:`forward`.

        Returns:
            features (B, T, C), without meaning past the last frame of an utterance, and frame lengths (B,).
        """
        shortest, longest = int(lengths.min()), waveform.shape[1]
        if shortest < self.minimum_samples:
            raise MeritError(
                f"a signal of {shortest} samples is shorter than one frame of the encoder, which needs "
                f"{self.minimum_samples} samples at 16 kHz; leave such utterances out of the data directory"
            )
        if self.maximum_samples is not None and longest > self.maximum_samples:
            raise MeritError(
                f"a signal of {longest / SAMPLE_RATE:.1f} s is longer than the {self.maximum_samples / SAMPLE_RATE:g} s"
                f" that a {self.config.model_type} encoder can take; cut it into pieces or choose another encoder"
            )
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.from_scratch):
            on_device = lengths.to(waveform.device, non_blocking=True)
            features = self._front_end(waveform, on_device, padded=shortest < longest)
        return features, self.frame_lengths(lengths)

    def states(self, features: Tensor, frame_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, T, C) and frame lengths (B,) -> states (B, T, L, D) and the same frame lengths."""
        padded = int(frame_lengths.min()) < features.shape[1]
        states = self._states(features, frame_lengths.to(features.device, non_blocking=True), padded)
        return torch.stack(states, dim=2), frame_lengths

    @property
    @abstractmethod
    def front_end(self) -> list[nn.Module]:
        """The convolutions in front of the transformer."""

    def learn_from_scratch(self) -> None:
        """Let the convolutional front end be trained too, as an encoder without pre-trained weights needs it."""
        self.from_scratch = True
        for module in self.front_end:
            module.requires_grad_(True)

    @property
    @abstractmethod
    def layers(self) -> nn.ModuleList:
        """The transformer layers."""

    def compile_layers(self, **options: Any) -> None:
        """Compile the transformer layers with ``torch.compile``: one graph for all layers, batches and lengths.

        Weights and their names stay. The first batch takes longer, some ten seconds to a minute.

        Args:
            options: further arguments of ``torch.compile``.
        """
        for layer in self.layers:
            layer.compile(dynamic=True, **options)

    def config_dict(self) -> dict[str, Any]:
        """The architecture as plain JSON values, for :func:`merit.nets.ssl.build_encoder`."""
        return {name: value for name, value in self.config.to_dict().items() if name not in _NOT_ARCHITECTURE}

    def fingerprint(self) -> str:
        """SHA-256 over the names, shapes and float32 values of all weights: equal only for the same encoder."""
        digest = hashlib.sha256(self.config.model_type.encode())
        for name, value in sorted(self.state_dict().items()):
            digest.update(f"{name} {tuple(value.shape)}".encode())
            digest.update(value.detach().float().contiguous().cpu().numpy().data)
        return digest.hexdigest()

    def _run_layer(self, layer: nn.Module, hidden: Tensor, **arguments: Any) -> tuple:
        """Outputs of one transformer layer; some layers return a tensor, some a tuple that starts with it."""
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            outputs = checkpoint(layer, hidden, use_reentrant=False, **arguments)
        else:
            outputs = layer(hidden, **arguments)
        return outputs if isinstance(outputs, tuple) else (outputs,)


def attention_bias(mask: Tensor, like: Tensor) -> Tensor:
    """Frame mask (B, T), True inside, as a bias (B, 1, 1, T) to add to attention scores.

    It has the dtype that queries will have, autocast included: cuDNN's attention reads a bias of another dtype wrongly.
    """
    dtype = compute_dtype(like)
    bias = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return bias.masked_fill(~mask, torch.finfo(dtype).min)[:, None, None, :]
