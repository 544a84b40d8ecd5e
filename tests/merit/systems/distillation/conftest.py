"""A teacher and what it says of a small corpus, and a trained student."""

import pytest
from made_teacher import LOG_MEL, TRAINING, teach

from merit.systems.distillation.noisy_examples import find_corpora
from merit.systems.distillation.training import train_student


@pytest.fixture(scope="session")
def taught(corpus, tiny_encoder, tmp_path_factory):
    root = tmp_path_factory.mktemp("taught")
    return {part: teach(corpus[part], tiny_encoder, root, online=part == "train") for part in ("train", "dev")}


@pytest.fixture(scope="session")
def train(taught):
    """Function that trains a student into a directory."""

    def run(output, student=LOG_MEL, training=TRAINING, seed=3):
        corpora = [find_corpora([taught[part].noisy], [taught[part].states]) for part in ("train", "dev")]
        train_student(*corpora, student, training, output, seed)
        return output

    return run


@pytest.fixture(scope="session")
def student_run(train, tmp_path_factory):
    return train(tmp_path_factory.mktemp("student") / "run")
