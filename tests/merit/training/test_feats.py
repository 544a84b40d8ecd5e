"""Phase 1 with dumped states and with states computed online is the same training."""

import csv
from dataclasses import replace

import pytest

from merit.data.statistics import waveform_statistics
from merit.errors import MeritError
from merit.nets.model import ModelConfig
from merit.training.config import TrainingConfig
from merit.training.dump import dump_states
from merit.training.phases import train_phase1

CLASSES = ["angry", "happy", "neutral", "sad"]
MODEL = ModelConfig(front_end="weighted_sum", emotion_size=8, enhancement_size=8)
TRAINING = TrainingConfig(
    epochs=2, batch_size=4, micro_batch_size=2, learning_rate=1e-2, precision="float32", workers=0
)


@pytest.fixture(scope="module")
def states(corpus, tiny_encoder, tmp_path_factory):
    root = tmp_path_factory.mktemp("states")
    statistics = waveform_statistics(corpus["train"])
    for name, directory in corpus.items():
        dump_states(directory, tiny_encoder, root / name, statistics, "bfloat16", 4.0, "float32")
    return root


def losses(output):
    with open(output / "history.csv") as file:
        return [{name: float(value) for name, value in row.items() if "f1" not in name} for row in csv.DictReader(file)]


@pytest.mark.parametrize("task, crop_seconds", [("emotion", None), ("enhancement", 0.2)])
def test_dumped_and_online_states_give_the_same_losses(corpus, tiny_encoder, states, tmp_path, task, crop_seconds):
    training = replace(TRAINING, crop_seconds=crop_seconds)
    for name, dumped in (("dump", (states / "train", states / "dev")), ("online", (None, None))):
        train_phase1(
            task, corpus["train"], corpus["dev"], tiny_encoder, tmp_path / name, CLASSES, MODEL, training, *dumped, 3
        )
    for dumped, online in zip(losses(tmp_path / "dump"), losses(tmp_path / "online"), strict=True):
        assert dumped == pytest.approx(online, rel=1e-3)


def test_states_of_another_normalisation_are_refused(corpus, tiny_encoder, states, tmp_path):
    swapped = {"train": corpus["dev"], "dev": corpus["train"]}
    with pytest.raises(MeritError, match="mean is"):
        train_phase1(
            "emotion",
            swapped["train"],
            swapped["dev"],
            tiny_encoder,
            tmp_path,
            CLASSES,
            MODEL,
            TRAINING,
            states / "train",
            states / "dev",
            3,
        )
