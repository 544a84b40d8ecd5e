"""Phase 2: fine-tune encoder, experts, gates and heads jointly."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.systems.sparse_merit.methods.method import Speech
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.training_options import MeritTraining

logger = logging.getLogger(__name__)


def train_joint(
    train: Path,
    dev: Path,
    ssl: str,
    output: Path,
    classes: list[str],
    model: ModelConfig = ModelConfig(),
    training: MeritTraining = MeritTraining(),
    emotion_head: Path | None = None,
    enhancement_head: Path | None = None,
    pretrained: Path | None = None,
    seed: int = 7,
    title: str = "",
    speech: Speech = "noisy",
) -> None:
    """Train the whole model. The file of a method is one for --config.

    Args:
        train: mixed data directory to train on, or one that is mixed while it is read, as data/train_online.
        dev: mixed data directory to choose the epoch by.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        output: directory of the run; a run that was stopped goes on from its last saved state.
        classes: emotion names, in the order of the outputs.
        model: front end and heads.
        training: epochs, batches, learning rates, precision.
        emotion_head: directory of the emotion head of phase 1; without it that head starts afresh.
        enhancement_head: directory of the enhancement head of phase 1; without it that head starts afresh.
        pretrained: directory of a whole trained model to start from, where both have a part; heads of phase 1 go
            before it.
        seed: of everything random in the run.
        title: of the method, for the log.
        speech: what the method is trained on, for the log; the recipes give its directories as train and dev.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.sparse_merit.phases.phase2 import train_phase2

    if title:
        logger.info("%s, on %s speech: %s", title, speech, train)
    heads = (emotion_head, enhancement_head)
    with sole_writer(output):
        train_phase2(train, dev, ssl, output, classes, model, training, *heads, seed, pretrained)


if __name__ == "__main__":
    run_command(train_joint)
