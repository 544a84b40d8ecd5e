"""Distil a teacher into a small encoder: ``python -m merit.bin.distillation.distil --config conf/wavlm.yaml ...``."""

from pathlib import Path

from merit.command import run_command
from merit.systems.distillation.training import DistillationTraining, StudentConfig


def distil(
    train: list[Path],
    train_states: list[Path],
    dev: list[Path],
    dev_states: list[Path],
    output: Path,
    student: StudentConfig = StudentConfig(),
    training: DistillationTraining = DistillationTraining(),
    seed: int = 7,
) -> None:
    """Train a student to predict, from noisy speech, the states that its teacher has of the clean speech.

    A run that was stopped goes on from its last saved state.

    Args:
        train: data directories that are mixed while they are read (merit.bin.mix_online).
        train_states: for each, the dump of the teacher's states of its clean speech.
        dev: data directories of noisy speech, to follow the training by.
        dev_states: for each, the dump of the teacher's states of the clean speech.
        output: directory of the run.
        student: its configuration, and which of the teacher's states it predicts.
        training: epochs, batches, learning rates, precision.
        seed: of everything random in the run.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.distillation.noisy_examples import find_corpora
    from merit.systems.distillation.training import train_student

    with sole_writer(output):
        train_student(find_corpora(train, train_states), find_corpora(dev, dev_states), student, training, output, seed)


if __name__ == "__main__":
    run_command(distil)
