"""What the tasks make of their frames: the emotion of the utterance, and the clean spectrum (paper Eq. 8 and 10).

The enhancement decoder is that of BSSE-SE (Hung et al. 2022).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.nets.blstm import BidirectionalLSTM
from merit.nets.masks import length_mask
from merit.nets.pooling import AttentiveStatisticsPooling
from merit.nets.spectrum import NUM_BINS, log_magnitude, num_spectrum_frames, repeat_to_spectrum, spectrum


class EmotionHead(nn.Module):
    """Attentive statistics pooling and a classifier with one hidden layer.

    Dropout, Linear, LayerNorm, ReLU, Dropout, Linear, as in the Interspeech 2025 challenge baseline
    (2,104,324 parameters after the pooling at D = 1024 and four classes).

    Args:
        input_size: D of the frames.
        num_classes: C.
        hidden_size: width of the hidden layer.
        dropout: probability of both dropouts.
    """

    def __init__(self, input_size: int, num_classes: int, hidden_size: int = 1024, dropout: float = 0.5) -> None:
        super().__init__()
        self.pooling = AttentiveStatisticsPooling(input_size)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * input_size, hidden_size),
            nn.LayerNorm(hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, num_classes),
        )

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D) and mask (B, T) -> class logits (B, C), float32."""
        return self.classifier(self.pooling(frames, mask)).float()


class EnhancementHead(nn.Module):
    """BLSTM that estimates a mask on the log1p magnitude.

    Input ``[log1p |X|, z]`` (201 + D), Linear to 256, two bidirectional LSTM layers of 256 whose directions are
    summed after the last, Linear to 201, sigmoid. The mask multiplies the log1p magnitude, not the magnitude
    (2,995,145 parameters at D = 1024).

    Args:
        input_size: D of the frames.
        hidden_size: width of the projection and of each LSTM direction.
    """

    def __init__(self, input_size: int, hidden_size: int = 256) -> None:
        super().__init__()
        self.projection = nn.Linear(NUM_BINS + input_size, hidden_size)
        self.blstm = BidirectionalLSTM(hidden_size, hidden_size, num_layers=2)
        self.output = nn.Linear(hidden_size, NUM_BINS)
        for linear in (self.projection, self.output):
            nn.init.xavier_normal_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(
        self, frames: Tensor, frame_lengths: Tensor, waveform: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Estimate the clean log1p magnitude.

        Args:
            frames: z (B, T, D) at 50 frames a second.
            frame_lengths: (B,) real frames.
            waveform: (B, S) normalised noisy waveform, zero-padded.
            lengths: (B,) samples.

        Returns:
            estimate (B, F, 201), zero past the end of each utterance, and the noisy spectrum (B, F, 201), complex.
        """
        noisy = spectrum(waveform.float(), lengths)
        noisy_magnitude = log_magnitude(noisy)
        # The projection of [log1p |X|, z] in two parts: that of z is made before its frames are repeated.
        spectrum_weight, frame_weight = self.projection.weight.split([NUM_BINS, frames.shape[-1]], dim=1)
        projected = repeat_to_spectrum(functional.linear(frames, frame_weight), frame_lengths, noisy.shape[1])
        hidden = functional.linear(noisy_magnitude, spectrum_weight, self.projection.bias).float() + projected.float()
        spectrum_lengths = num_spectrum_frames(lengths)
        with torch.autocast(hidden.device.type, enabled=False):
            hidden = self.blstm(hidden, spectrum_lengths)
        forward, backward = hidden.chunk(2, dim=-1)
        mask = torch.sigmoid(self.output(forward + backward).float())
        estimate = mask * noisy_magnitude
        inside = length_mask(spectrum_lengths, noisy.shape[1])
        return estimate * inside.unsqueeze(-1), noisy
