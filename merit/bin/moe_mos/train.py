"""Train a model of speech quality, all stages of it."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, get_type_hints

from merit.command import run_command
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.stage_options import (
    STAGES,
    MosTraining,
    Stage,
    classification_stage,
    joint_stage,
    mos_stage,
)

logger = logging.getLogger(__name__)

# Any of the options, for all stages; what is not given stays as each has it.
TrainingChanges = TypedDict("TrainingChanges", get_type_hints(MosTraining), total=False)


def train(
    train: Path,
    dev: Path,
    ssl: str,
    statistics: Path,
    output: Path,
    model: MosModelConfig = MosModelConfig(),
    stages: list[Stage] = list(STAGES),
    classification: MosTraining = classification_stage(),
    joint: MosTraining = joint_stage(),
    mos: MosTraining = mos_stage(),
    training: TrainingChanges = {},
    train_dump: Path | None = None,
    dev_dump: Path | None = None,
    freeze_ssl: bool = True,
    seed: int = 7,
    title: str = "",
) -> None:
    """Train the stages one after the other. The file of a method is one for --config.

    A command that was stopped goes on from the last saved state when it is given again.

    Args:
        train: data directory of rated clips; its systems are the classes of the classification.
        dev: data directory to choose the epochs by.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        statistics: waveform_stats.json that normalises the waveforms.
        output: directory of the model.
        model: between the encoder and the outputs.
        stages: those to train, of classification, joint and mos.
        classification: stage 1, the generating systems.
        joint: stage 2, both tasks.
        mos: stage 3, MOS above all.
        training: options to change in all stages, as --training.epochs 2.
        train_dump: dumped states of train, or of more clips.
        dev_dump: dumped states of dev, or of more clips.
        freeze_ssl: false trains the encoder as well, from the audio.
        seed: of everything random in the run.
        title: of the method, for the log.
    """
    from merit.data.statistics import WaveformStatistics
    from merit.errors import MeritError
    from merit.jobs.lock import sole_writer
    from merit.systems.moe_mos.stages import Inputs, train_stages

    if title:
        logger.info("%s: %s", title, train)
    if freeze_ssl and (train_dump is None or dev_dump is None):
        raise MeritError("a frozen encoder's states are dumped once: give --train_dump and --dev_dump (stage 2)")
    if not freeze_ssl:
        train_dump = dev_dump = None
    options = {"classification": classification, "joint": joint, "mos": mos}
    chosen = {stage: replace(options[stage], **training) for stage in STAGES if stage in stages}
    inputs = Inputs(train, dev, ssl, WaveformStatistics.load(statistics), train_dump, dev_dump)
    with sole_writer(output):
        train_stages(inputs, model, chosen, output, seed)


if __name__ == "__main__":
    run_command(train)
