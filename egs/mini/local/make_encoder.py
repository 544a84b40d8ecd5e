"""The encoder of the mini recipe: a WavLM of the Large family in small, untrained."""

from pathlib import Path

import torch
from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

from merit.command import run_command

# The weights of the first convolution are scaled by this. The LayerNorm after it has an epsilon of 1e-5, which with
# weights of the usual size is far below the variance of speech, and loudness is normalised away; with weights as small
# as this the two are alike, and loudness is kept.
FIRST_CONVOLUTION_SCALE = 0.003


def make_encoder(
    output: Path, hidden_size: int = 128, layers: int = 4, heads: int = 4, channels: int = 64, seed: int = 1
) -> None:
    """Save a small WavLM with random weights as a transformers directory.

    All that sets WavLM Large apart from Base is as in ``microsoft/wavlm-large``: LayerNorm before attention and after
    every convolution, no convolution bias, waveforms normalised by the caller.

    Args:
        output: the directory.
        hidden_size: D of the states (B, T, D).
        layers: of the transformer; there is one more state than layers.
        heads: of the attention.
        channels: of the seven convolutions, whose widths and strides are WavLM's (320 samples a frame).
        seed: of the weights.
    """
    torch.manual_seed(seed)
    config = WavLMConfig(
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden_size,
        conv_dim=(channels,) * 7,
        conv_bias=False,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        # 16 channels a group. With WavLM's 16 groups they would be 8, which processors with AMX compute wrongly in
        # bfloat16; float32 would take their place.
        num_conv_pos_embedding_groups=hidden_size // 16,
    )
    model = WavLMModel(config)
    keep_envelopes(model)
    model.save_pretrained(output)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(output)


def keep_envelopes(model: WavLMModel) -> None:
    """Change the random weights of the frozen convolutions so that loudness and its course survive them.

    The first convolution is scaled down (see above). The weights of each later one are averaged over its taps: it mixes
    channels at random and smooths in time, so that what the GELU before it rectified is carried on as an envelope.
    """
    first, *later = (layer.conv.weight for layer in model.feature_extractor.conv_layers)
    with torch.no_grad():
        first.mul_(FIRST_CONVOLUTION_SCALE)
        for weight in later:
            taps = weight.shape[-1]
            weight.copy_(weight.mean(-1, keepdim=True).expand_as(weight) * taps**0.5)  # the variance stays


if __name__ == "__main__":
    run_command(make_encoder)
