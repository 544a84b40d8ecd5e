"""A tiny encoder and a tiny corpus, real in form: WavLM of the Large family, mixed data directories of FLAC files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WavLMConfig, WavLMModel

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory

CLASSES = ["angry", "happy", "neutral", "sad"]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> str:
    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=(8,) * 7,
        conv_bias=False,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        num_buckets=16,
        max_bucket_distance=40,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
    )
    directory = tmp_path_factory.mktemp("encoder") / "tiny"
    WavLMModel(config).save_pretrained(directory)
    return str(directory)


def make_directory(root: Path, name: str, utterances: int, seed: int) -> Path:
    """A mixed data directory of tones in noise, 0.5 to 0.9 s long, whose pitch tells the class."""
    generator = np.random.default_rng(seed)
    tables: dict[str, dict[str, str]] = {"wav": {}, "spk1": {}, "utt2spk": {}, "utt2emo": {}, "utt2dur": {}}
    for i in range(utterances):
        key = f"{name}{i:03d}"
        samples = int(generator.integers(8000, 14400))
        time = np.arange(samples) / 16000
        clean = 0.3 * np.sin(2 * np.pi * 200 * (1 + i % 4) * time)
        for kind, signal in (("clean", clean), ("noisy", clean + 0.1 * generator.standard_normal(samples))):
            write_audio(root / name / kind / f"{key}.flac", signal.astype(np.float32))
        tables["wav"][key] = str(root / name / "noisy" / f"{key}.flac")
        tables["spk1"][key] = str(root / name / "clean" / f"{key}.flac")
        tables["utt2spk"][key] = name
        tables["utt2emo"][key] = CLASSES[i % 4]
        tables["utt2dur"][key] = f"{samples / 16000:.6f}"
    write_data_directory(
        root / "data" / name,
        tables["wav"],
        tables["utt2spk"],
        utt2emo=tables["utt2emo"],
        utt2dur=tables["utt2dur"],
        **{"spk1.scp": tables["spk1"]},
    )
    return root / "data" / name


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("corpus")
    return {"train": make_directory(root, "train", 12, 1), "dev": make_directory(root, "dev", 5, 2)}
