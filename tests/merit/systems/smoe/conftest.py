"""A small model of S-MoE and its corpus."""

from pathlib import Path

import pytest
from small_smoe import make_set, save_tiny, tone_vocabulary

from merit.systems.smoe.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def speech_corpus(tmp_path_factory) -> dict[str, Path]:
    """Data directories ``train`` and ``dev`` and the file of a ``vocabulary``."""
    root = tmp_path_factory.mktemp("speech")
    found = {"train": make_set(root, "train", 12, 1), "dev": make_set(root, "dev", 5, 2)}
    found["vocabulary"] = tone_vocabulary(root / "vocabulary.model").path
    return found


@pytest.fixture(scope="session")
def vocabulary(speech_corpus) -> Vocabulary:
    return Vocabulary(speech_corpus["vocabulary"])


@pytest.fixture
def speech_model_directory(vocabulary, tmp_path) -> Path:
    """A model with random weights, as training leaves it."""
    return save_tiny(tmp_path / "encdec_smoe-7", vocabulary)


@pytest.fixture
def text_experiment(vocabulary, tmp_path):
    """Folder of the runs and data directories of the test of :func:`made_texts.make_experiment`."""
    from made_texts import make_experiment, make_tests

    return make_experiment(tmp_path, vocabulary), make_tests(tmp_path / "data")
