import numpy as np
import pytest
import torch

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.data.statistics import WaveformStatistics


@pytest.fixture
def corpus(tmp_path):
    """A data directory of seven noises, statistics, and a tiny WavLM: their paths."""
    from transformers import WavLMConfig, WavLMModel

    torch.manual_seed(0)
    config = WavLMConfig(
        conv_dim=[8] * 7,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
    )
    WavLMModel(config).save_pretrained(tmp_path / "wavlm")
    generator = np.random.default_rng(0)
    samples = {f"u{i}": int(length) for i, length in enumerate(generator.integers(400, 9000, size=7))}
    for key, length in samples.items():
        write_audio(tmp_path / "audio" / f"{key}.flac", 0.1 * generator.standard_normal(length).astype(np.float32))
    write_data_directory(
        tmp_path / "data",
        wav={key: str(tmp_path / "audio" / f"{key}.flac") for key in samples},
        utt2spk=dict.fromkeys(samples, "s"),
        utt2dur={key: f"{length / 16000:.6f}" for key, length in samples.items()},
    )
    WaveformStatistics(mean=0.01, std=0.2, samples=1).save(tmp_path / "stats.json")
    return {
        "data": tmp_path / "data",
        "ssl": str(tmp_path / "wavlm"),
        "output": tmp_path / "states",
        "statistics": tmp_path / "stats.json",
        "precision": "float32",
    }
