"""Encoders over the wav2vec 2.0 front end: HuBERT, wav2vec 2.0 and data2vec-audio, and the ground for WavLM.

The modules and weights are transformers'; the loop over them is ours. transformers' own ``hidden_states`` hold the
last state before or after the final LayerNorm depending on its version, lack dropped layers in training, and for two
parts of these models depend on the padding of the batch (see ``masked_group_norm`` and ``_positions``).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.device import compute_dtype
from merit.errors import MeritError
from merit.nets.masks import length_mask
from merit.nets.ssl.convolution import convolve, in_right_precision
from merit.nets.ssl.encoder import SpeechEncoder, attention_bias


def masked_group_norm(norm: nn.GroupNorm, hidden: Tensor, lengths: Tensor) -> Tensor:
    """GroupNorm of one group a channel with statistics over the true frames only.

    The first convolution of the Base models is normalised over time. Over a padded signal the statistics, and through
    them every frame, would depend on how much padding the batch happened to need.

    Args:
        norm: the layer whose scale, shift and epsilon are used.
        hidden: (B, C, T).
        lengths: (B,) true frames.
    """
    padding = ~length_mask(lengths, hidden.shape[2]).unsqueeze(1)
    count = lengths.view(-1, 1, 1)
    dtype = hidden.dtype
    hidden = hidden.to(norm.weight.dtype).masked_fill(padding, 0)  # half precision would not do for sums over seconds
    mean = hidden.sum(2, keepdim=True) / count
    variance = (hidden - mean).masked_fill_(padding, 0).square_().sum(2, keepdim=True) / count
    scale = norm.weight.view(1, -1, 1) / (variance + norm.eps).sqrt()
    return torch.addcmul(norm.bias.view(1, -1, 1) - mean * scale, hidden, scale).to(dtype)


class Wav2Vec2SpeechEncoder(SpeechEncoder):
    """HuBERT, wav2vec 2.0 and data2vec-audio.

    Args:
        model: transformers' ``HubertModel``, ``Wav2Vec2Model`` or ``Data2VecAudioModel``.
        gradient_checkpointing: recompute the layers in the backward pass; less memory, about a third more time.
    """

    def __init__(self, model: nn.Module, gradient_checkpointing: bool = False) -> None:
        super().__init__(model.config, gradient_checkpointing)
        if getattr(self.config, "conv_pos_batch_norm", False):
            raise MeritError(
                "encoders with batch normalisation in the positional convolution (conv_pos_batch_norm) are not "
                "supported, since padding would change their states"
            )
        self.model = model
        self.hidden_size = self.config.hidden_size
        self.feature_size = self.config.conv_dim[-1]
        self.num_states = self.config.num_hidden_layers + 1
        # Stable layer norm (the Large models): layers normalise their own input, and only the output that is not
        # used here goes through the encoder's LayerNorm. Otherwise it normalises what enters the first layer.
        self.stable_layer_norm = getattr(self.config, "do_stable_layer_norm", False)
        self.minimum_samples = 1
        for kernel, stride in zip(reversed(self.config.conv_kernel), reversed(self.config.conv_stride)):
            self.minimum_samples = (self.minimum_samples - 1) * stride + kernel
        model.feature_extractor.requires_grad_(False)
        if self.stable_layer_norm:
            model.encoder.layer_norm.requires_grad_(False)

    @property
    def front_end(self) -> list[nn.Module]:
        return [self.model.feature_extractor]

    @property
    def layers(self) -> nn.ModuleList:
        return self.model.encoder.layers

    def frame_lengths(self, samples: Tensor) -> Tensor:
        for kernel, stride in zip(self.config.conv_kernel, self.config.conv_stride):
            samples = (samples - kernel) // stride + 1
        return samples.clamp_min(0)

    def _front_end(self, waveform: Tensor, lengths: Tensor, padded: bool) -> Tensor:
        # With the channels last nothing is transposed between convolution and LayerNorm. It also adds up in another
        # order than transformers, which in 32 bits would move the states by more than the 5e-6 they may differ.
        channels_last = compute_dtype(waveform).itemsize == 2
        hidden = waveform.unsqueeze(2).transpose(1, 2) if channels_last else waveform.unsqueeze(1)
        for layer in self.model.feature_extractor.conv_layers:
            hidden = convolve(layer.conv, hidden, channels_last)
            lengths = (lengths - layer.conv.kernel_size[0]) // layer.conv.stride[0] + 1
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                hidden = masked_group_norm(norm, hidden, lengths) if padded else norm(hidden)
            elif norm is not None:
                # Autocast on a GPU would give the largest tensors of the encoder 32 bits.
                with torch.autocast(hidden.device.type, enabled=False):
                    scale, shift = norm.weight.to(hidden.dtype), norm.bias.to(hidden.dtype)
                    hidden = functional.layer_norm(hidden.transpose(1, 2), scale.shape, scale, shift, norm.eps)
                    hidden = hidden.transpose(1, 2)
            hidden = layer.activation(hidden)
        return hidden.transpose(1, 2).contiguous()

    def _positions(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Convolutional position embedding of (B, T, D), which is zero on padding."""
        embedding = self.model.encoder.pos_conv_embed
        if not hasattr(embedding, "layers"):
            return in_right_precision(embedding.conv, embedding, hidden)
        # data2vec stacks convolutions: what the first one writes onto the padding would flow back in the next.
        hidden = hidden.transpose(1, 2)
        for layer in embedding.layers:
            hidden = in_right_precision(layer.conv, layer, hidden)
            hidden = hidden if mask is None else hidden.masked_fill(~mask.unsqueeze(1), 0)
        return hidden.transpose(1, 2)

    def _states(self, features: Tensor, frame_lengths: Tensor, padded: bool) -> list[Tensor]:
        hidden = self.model.feature_projection(features)
        if isinstance(hidden, tuple):
            hidden = hidden[0]
        mask = None
        if padded:
            mask = length_mask(frame_lengths, hidden.shape[1])
            hidden = hidden.masked_fill(~mask.unsqueeze(-1), 0)
        hidden = hidden + self._positions(hidden, mask)
        encoder = self.model.encoder
        if not self.stable_layer_norm:
            hidden = encoder.layer_norm(hidden)
        return self._transformer(encoder.dropout(hidden), mask)

    def _transformer(self, hidden: Tensor, mask: Tensor | None) -> list[Tensor]:
        """The states from what enters the first layer (B, T, D), and the frame mask (B, T) of a padded batch."""
        states = [hidden]
        bias = None if mask is None else attention_bias(mask, hidden)
        for layer in self.layers:
            hidden = self._run_layer(layer, hidden, attention_mask=bias)[0]
            states.append(hidden)
        return states
