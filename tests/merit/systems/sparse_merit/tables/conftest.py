"""An experiment with made-up scores, once for all tables."""

import pytest
from made_experiment import make_experiment, open_made

from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Its folder, and the labels of its utterances."""
    folder = tmp_path_factory.mktemp("made")
    return folder, make_experiment(folder)


@pytest.fixture(scope="session")
def experiment(made):
    folder, _ = made
    return open_made(folder)


@pytest.fixture(scope="session")
def comparisons(experiment):
    return compare_emotions(experiment, resamples=100)
