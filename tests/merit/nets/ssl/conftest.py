"""Tiny encoders of every kind with random weights, and a padded batch for them."""

import pytest
import torch

CONVOLUTIONS = {
    "conv_dim": [16] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
}
TINY = CONVOLUTIONS | {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
# What the published configurations have on, and what must have no effect here.
AUGMENTED = {"layerdrop": 0.5, "apply_spec_augment": True, "mask_time_prob": 0.5, "mask_feature_prob": 0.5}
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Move every parameter, also those initialised to zeros or ones, so that each matters."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model


@pytest.fixture
def model_config():
    """Function from the name of a kind to its tiny transformers configuration."""
    from transformers import Data2VecAudioConfig, HubertConfig, Wav2Vec2Config, WavLMConfig, WhisperConfig

    wavlm = TINY | AUGMENTED | {"num_buckets": 32, "max_bucket_distance": 40}

    def config(kind: str):
        return {
            "wavlm-large": lambda: WavLMConfig(**wavlm | STABLE | {"conv_bias": False}),
            "wavlm-base": lambda: WavLMConfig(**wavlm),
            "hubert-large": lambda: HubertConfig(**TINY | AUGMENTED | STABLE),
            "hubert-base": lambda: HubertConfig(**TINY | AUGMENTED | {"feat_proj_layer_norm": False}),
            "wav2vec2-large": lambda: Wav2Vec2Config(**TINY | AUGMENTED | STABLE),
            "wav2vec2-base": lambda: Wav2Vec2Config(**TINY | AUGMENTED),
            "data2vec-audio": lambda: Data2VecAudioConfig(
                **TINY | AUGMENTED | {"conv_pos_kernel_size": 5, "num_conv_pos_embeddings": 3}
            ),
            "whisper": lambda: WhisperConfig(
                d_model=32,
                encoder_layers=3,
                encoder_attention_heads=4,
                encoder_ffn_dim=48,
                encoder_layerdrop=0.5,
                decoder_layers=1,
                decoder_attention_heads=4,
                decoder_ffn_dim=48,
                vocab_size=64,
                pad_token_id=1,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
            ),
        }[kind]()

    return config


@pytest.fixture
def model_directory(model_config, tmp_path):
    """Function from the name of a kind to a transformers directory with its random weights."""
    from transformers import AutoModel

    def directory(kind: str):
        path = tmp_path / kind
        torch.manual_seed(0)
        randomise(AutoModel.from_config(model_config(kind))).save_pretrained(path)
        return path

    return directory


@pytest.fixture
def batch():
    """Waveforms (3, 9000), zero-padded, and their samples (3,)."""
    lengths = torch.tensor([9000, 6421, 4000])
    waveform = torch.randn(3, 9000, generator=torch.Generator().manual_seed(1))
    return waveform.masked_fill(torch.arange(9000) >= lengths.unsqueeze(1), 0), lengths
