"""Phase 1: train one head on frozen hidden states."""

from pathlib import Path

from merit.command import run_command
from merit.systems.sparse_merit.model_config import ModelConfig, Task
from merit.training.config import TrainingConfig


def train_head(
    task: Task,
    train: Path,
    dev: Path,
    ssl: str,
    output: Path,
    classes: list[str],
    model: ModelConfig = ModelConfig(front_end="weighted_sum"),
    training: TrainingConfig = TrainingConfig(),
    train_states: Path | None = None,
    dev_states: Path | None = None,
    seed: int = 7,
) -> None:
    """Train the emotion head or the enhancement head while the encoder stays frozen.

    Args:
        task: emotion or enhancement.
        train: mixed data directory to train on.
        dev: mixed data directory to choose the epoch by.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        output: directory of the run; a run that was stopped goes on from its last saved state.
        classes: emotion names, in the order of the outputs.
        model: front end and heads.
        training: epochs, batches, learning rates, precision.
        train_states: dumped states of ``train``; without them they are computed as needed.
        dev_states: dumped states of ``dev``.
        seed: of everything random in the run.
    """
    from merit.lock import sole_writer
    from merit.systems.sparse_merit.phase1 import Dump, Head, phase1_trainer

    head = Head(task, output, model, training, seed)
    with sole_writer(output):
        phase1_trainer([head], train, dev, ssl, classes, seed, Dump.of("states", train_states, dev_states)).fit()


if __name__ == "__main__":
    run_command(train_head)
