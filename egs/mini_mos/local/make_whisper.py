"""The encoder of the mini recipe: Whisper's in small, untrained; its log-mel input tells degradations apart."""

from pathlib import Path

import torch
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from merit.command import run_command

# Whisper draws its weights so small that the sinusoids of the positions would drown what the convolutions say.
CONVOLUTION_SCALE = 8.0


def make_whisper(output: Path, hidden_size: int = 128, layers: int = 2, heads: int = 4, seed: int = 1) -> None:
    """Save a small Whisper encoder with random weights as a transformers directory.

    Args:
        output: the directory.
        hidden_size: D of the states (B, T, D).
        layers: of the transformer; there is one more state than layers.
        heads: of the attention.
        seed: of the weights.
    """
    torch.manual_seed(seed)
    config = WhisperConfig(
        d_model=hidden_size,
        encoder_layers=layers,
        encoder_attention_heads=heads,
        encoder_ffn_dim=4 * hidden_size,
        num_mel_bins=80,
    )
    model = WhisperEncoder(config)
    with torch.no_grad():
        for convolution in (model.conv1, model.conv2):
            convolution.weight.mul_(CONVOLUTION_SCALE)
    model.save_pretrained(output)


if __name__ == "__main__":
    run_command(make_whisper)
