"""A small S-MoE and a corpus of tones that spell words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.files import sha256
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_description import VOCABULARY, SmoeDescription, build_model
from merit.systems.smoe.smoe_training import SmoeTraining
from merit.systems.smoe.train_smoe import Inputs, train_smoe
from merit.systems.smoe.vocabulary import Vocabulary, train_vocabulary
from merit.training.run_state import save_weights, start_run

TINY = SmoeModelConfig(
    size=16,
    feed_forward_size=24,
    heads=2,
    encoder_layers=2,
    decoder_layers=2,
    encoder_experts=2,
    decoder_experts=2,
    subsampling_channels=8,
    dropout=0.0,
    attention_dropout=0.0,
    max_tokens=40,
)
TRAINING = SmoeTraining(
    epochs=2,
    average=1,
    learning_rate=3e-3,
    warmup_steps=2,
    batch_seconds=4.0,
    micro_batch_seconds=2.0,
    precision="float32",
    workers=0,
    spec_augment=False,
)
ENGLISH = ("low", "high", "middle")
FRENCH = ("bas", "haut", "moyen")
LANGUAGES = {"transcribe": "en", "translate": "fr"}


def make_set(
    root: Path, name: str, utterances: int, seed: int, bandwidths: tuple[str, ...] = ("wide", "narrow")
) -> Path:
    """A data directory of one to three tones an utterance; French has the words the other way round."""
    generator = np.random.default_rng(seed)
    tables: dict[str, dict[str, str]] = {table: {} for table in ("wav", "spk", "dur", "bw", "en", "fr")}
    for number in range(utterances):
        key = f"{name}{number:03d}"
        words = generator.integers(3, size=generator.integers(1, 4))
        time = np.arange(4800 + 160 * int(generator.integers(10))) / 16000
        tones = [0.2 * np.sin(2 * np.pi * (300 + 400 * word) * time) for word in words]
        samples = np.concatenate(tones) + 0.01 * generator.standard_normal(len(words) * len(time))
        write_audio(root / name / f"{key}.flac", samples.astype(np.float32))
        tables["wav"][key] = str(root / name / f"{key}.flac")
        tables["spk"][key] = name
        tables["dur"][key] = f"{len(samples) / 16000:.6f}"
        tables["bw"][key] = bandwidths[number % len(bandwidths)]
        tables["en"][key] = " ".join(ENGLISH[word] for word in words)
        tables["fr"][key] = " ".join(FRENCH[word] for word in words[::-1])
    write_data_directory(
        root / "data" / name,
        tables["wav"],
        tables["spk"],
        utt2dur=tables["dur"],
        **{"utt2bw": tables["bw"], "text.en": tables["en"], "text.fr": tables["fr"]},
    )
    return root / "data" / name


def describe(vocabulary: Vocabulary, **changes) -> SmoeDescription:
    config = replace(TINY, **changes)
    digest = sha256(vocabulary.path)
    return SmoeDescription(config, vocabulary.size, digest, vocabulary.task_tags, LANGUAGES, "float32")


def train_tiny(corpus, output, model=TINY, training=TRAINING, seed=3, **inputs):
    """Train on the corpus; gives the weights."""
    vocabulary, train, dev = corpus["vocabulary"], [corpus["train"]], [corpus["dev"]]
    train_smoe(Inputs(train, dev, vocabulary, LANGUAGES, **inputs), model, training, Path(output), seed)
    return load_file(Path(output) / "model.safetensors")


def save_tiny(directory: Path, vocabulary: Vocabulary) -> Path:
    """A model with random weights in a directory, as training leaves it."""
    torch.manual_seed(0)
    description = describe(vocabulary)
    start_run(directory, description, {"seed": 7})
    vocabulary.save(directory / VOCABULARY)
    save_weights(build_model(description), directory)
    return directory


def tone_vocabulary(path: Path) -> Vocabulary:
    """A vocabulary of the words of the tones, written to ``path``."""
    path.write_bytes(train_vocabulary([*ENGLISH, *FRENCH] * 5, ["en", "fr"], 290))
    return Vocabulary(path)
