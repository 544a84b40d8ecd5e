"""Whisper's encoder on utterances of their true length.

Whisper was trained on 30 s of audio, silence appended. Here an utterance ends where it ends: the convolutions see
zeros beyond it, attention sees nothing. That saves the computation of up to 30 s a time, and dumped states are as long
as the utterance.
"""

from torch import Tensor, nn
from torch.nn import functional

from merit.nets.masks import length_mask
from merit.nets.ssl.convolution import convolve
from merit.nets.ssl.encoder import SpeechEncoder, attention_bias
from merit.nets.ssl.log_mel import HOP, log_mel, mel_filters


class WhisperSpeechEncoder(SpeechEncoder):
    """Whisper's encoder; one frame every 20 ms, as the other encoders.

    Args:
        model: transformers' ``WhisperEncoder``.
        gradient_checkpointing: recompute the layers in the backward pass; less memory, about a third more time.
    """

    def __init__(self, model: nn.Module, gradient_checkpointing: bool = False) -> None:
        super().__init__(model.config, gradient_checkpointing)
        self.model = model
        self.hidden_size = self.feature_size = self.config.d_model
        self.num_states = self.config.encoder_layers + 1
        self.minimum_samples = HOP
        self.maximum_samples = self.config.max_source_positions * 2 * HOP
        self.register_buffer("mel_filters", mel_filters(self.config.num_mel_bins), persistent=False)
        for unused_or_frozen in (model.conv1, model.conv2, model.embed_positions, model.layer_norm):
            unused_or_frozen.requires_grad_(False)

    @property
    def front_end(self) -> list[nn.Module]:
        return [self.model.conv1, self.model.conv2]

    @property
    def layers(self) -> nn.ModuleList:
        return self.model.layers

    def frame_lengths(self, samples: Tensor) -> Tensor:
        return (samples // HOP + 1) // 2

    def _front_end(self, waveform: Tensor, lengths: Tensor, padded: bool) -> Tensor:
        mel, mel_lengths = log_mel(waveform, lengths, self.mel_filters)
        hidden = functional.gelu(convolve(self.model.conv1, mel))
        # Beyond the utterance conv2 finds zeros, as it does beyond the edge of an utterance alone.
        hidden = hidden.masked_fill(~length_mask(mel_lengths, hidden.shape[2]).unsqueeze(1), 0)
        return functional.gelu(convolve(self.model.conv2, hidden)).transpose(1, 2)

    def _states(self, features: Tensor, frame_lengths: Tensor, padded: bool) -> list[Tensor]:
        hidden = features + self.model.embed_positions.weight[: features.shape[1]]
        hidden = functional.dropout(hidden, p=self.model.dropout, training=self.training)
        bias = None
        if padded:
            bias = attention_bias(length_mask(frame_lengths, hidden.shape[1]), hidden)
        states = [hidden]
        for layer in self.layers:
            # transformers 4 demands the head mask, 5 passes it over.
            hidden = self._run_layer(layer, hidden, attention_mask=bias, layer_head_mask=None)[0]
            states.append(hidden)
        return states
