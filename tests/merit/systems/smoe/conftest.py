"""A small model of S-MoE and its corpus."""

from pathlib import Path

import pytest
import torch
from small_smoe import ENGLISH, FRENCH, describe, make_set

from merit.systems.smoe.smoe_description import VOCABULARY, build_model
from merit.systems.smoe.vocabulary import Vocabulary, train_vocabulary
from merit.training.run_state import save_weights, start_run


@pytest.fixture(scope="session")
def speech_corpus(tmp_path_factory) -> dict[str, Path]:
    """Data directories ``train`` and ``dev`` and the file of a ``vocabulary``."""
    root = tmp_path_factory.mktemp("speech")
    found = {"train": make_set(root, "train", 12, 1), "dev": make_set(root, "dev", 5, 2)}
    found["vocabulary"] = root / "vocabulary.model"
    found["vocabulary"].write_bytes(train_vocabulary([*ENGLISH, *FRENCH] * 5, ["en", "fr"], 290))
    return found


@pytest.fixture(scope="session")
def vocabulary(speech_corpus) -> Vocabulary:
    return Vocabulary(speech_corpus["vocabulary"])


@pytest.fixture
def tiny_model(vocabulary):
    """Function that builds a small model with random weights, in evaluation mode; takes changes of its sizes."""

    def build(**changes):
        torch.manual_seed(0)
        description = describe(vocabulary, **changes)
        return build_model(description).eval()

    return build


@pytest.fixture
def speech_model_directory(vocabulary, tmp_path) -> Path:
    """A model with random weights, as training leaves it."""
    torch.manual_seed(0)
    description = describe(vocabulary)
    directory = tmp_path / "encdec_smoe-7"
    start_run(directory, description, {"seed": 7})
    vocabulary.save(directory / VOCABULARY)
    save_weights(build_model(description), directory)
    return directory


@pytest.fixture
def text_experiment(vocabulary, tmp_path):
    """Folder of the runs and data directories of the test of :func:`made_texts.make_experiment`."""
    from made_texts import make_experiment, make_tests

    return make_experiment(tmp_path, vocabulary), make_tests(tmp_path / "data")
