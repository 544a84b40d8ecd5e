"""From a sequence of frames to the emotion of the utterance: paper Eq. 8."""

from torch import Tensor, nn

from merit.nets.pooling import AttentiveStatisticsPooling


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
