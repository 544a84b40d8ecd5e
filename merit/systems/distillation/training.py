"""Distilling a teacher's states into a student that hears noise."""

import logging
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accelerate.utils import set_seed

from merit.data.datadir import is_mixed_online
from merit.data.noise.online.mixing_file import summary
from merit.device import resolve_precision
from merit.errors import MeritError
from merit.systems.distillation.distillation_objective import DistillationObjective, state_statistics
from merit.systems.distillation.noisy_examples import Corpus, Examples
from merit.systems.distillation.student import build_student
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE
from merit.training.accelerator import make_accelerator
from merit.training.config import TrainingConfig
from merit.training.loop import Trainer
from merit.training.run import Run
from merit.training.run_state import start_run

logger = logging.getLogger(__name__)

STATISTICS_UTTERANCES = 500
"""Utterances over whose states the teacher's channels are standardised."""


@dataclass
class DistillationTraining(TrainingConfig):
    """How a student is trained.

    Attributes:
        crop_seconds: random crops in training; null uses whole utterances.
        cosine_weight: factor of the cosine loss beside the L1.
        mean_weight: factor of the loss of the means over an utterance beside the L1.
    """

    crop_seconds: float | None = None
    cosine_weight: float = 1.0
    mean_weight: float = 1.0


@dataclass
class StudentConfig:
    """A student and what it predicts.

    Attributes:
        encoder: configuration of a transformers model; the model_type is one of those that ``merit.nets.ssl`` knows.
        layers: numbers of the student's states that have a head, each with the number of the teacher's state that this
            head predicts, as {1: 2, 2: 4}.
    """

    encoder: dict[str, Any] = field(default_factory=dict)
    layers: dict[int, int] = field(default_factory=dict)


@dataclass
class StudentDescription:
    """What ``config.json`` of a run says of the student.

    Attributes:
        student: encoder and layers.
        encoder: the whole configuration of the encoder.
        teacher: entries of the dumps' headers that say what was dumped.
        precision: of the training.
    """

    student: StudentConfig
    encoder: dict[str, Any]
    teacher: dict[str, Any]
    precision: str


def train_student(
    train: Sequence[Corpus],
    dev: Sequence[Corpus],
    student: StudentConfig,
    training: DistillationTraining,
    output: Path,
    seed: int,
) -> None:
    """Train a student; a run that was stopped goes on from its last saved state.

    Raises:
        MeritError: when the dumps are of different teachers, the student cannot be built, this output holds another
            run, or data cannot be used.
    """
    teacher = _same_teacher([corpus for corpora in (train, dev) for corpus in corpora])
    accelerator = make_accelerator(training, output)
    set_seed(seed)
    net = build_student(student.encoder, student.layers, teacher["num_states"], teacher["hidden_size"])
    description = StudentDescription(
        student, net.encoder.config_dict(), teacher, resolve_precision(training.precision, accelerator.device)
    )
    if accelerator.is_main_process:
        start_run(output, description, _run_options(train, dev, training, seed))
    layers = list(student.layers.values())
    crop = training.crop_seconds
    crop_frames = None if crop is None else round(crop * SAMPLE_RATE / FRAME_SAMPLES)
    train_set = Examples(train, layers, net.encoder.frame_lengths, crop_frames, seed=seed)
    dev_set = Examples(dev, layers, net.encoder.frame_lengths)
    chosen = random.Random(seed).sample(train_set.utterances, min(STATISTICS_UTTERANCES, len(train_set)))
    mean, std = state_statistics([corpus.states.read(key)[:, layers] for corpus, key in chosen])
    device = accelerator.device
    weights = {"cosine_weight": training.cosine_weight, "mean_weight": training.mean_weight}
    objective = DistillationObjective(mean.to(device), std.to(device), **weights)
    run = Run(net, objective, training, output, seed, accelerator)
    parameters = sum(value.numel() for value in net.encoder.parameters())
    logger.info("%s: %.2f million parameters, %d utterances", output, parameters / 1e6, len(train_set))
    Trainer([run], train_set, dev_set, order_seed=seed).fit()


def _same_teacher(corpora: Sequence[Corpus]) -> dict[str, Any]:
    """What the headers of all dumps say of the teacher.

    Raises:
        MeritError: when they differ.
    """
    names = ("encoder", "fingerprint", "state_definition", "num_states", "hidden_size")
    headers = [{name: corpus.states.header[name] for name in names} for corpus in corpora]
    for corpus, header in zip(corpora, headers):
        if header != headers[0]:
            raise MeritError(f"{corpus.states.directory}: of another teacher than {corpora[0].states.directory}")
    return headers[0]


def _run_options(train: Sequence[Corpus], dev: Sequence[Corpus], training: DistillationTraining, seed: int) -> dict:
    directories = {name: [corpus.directory for corpus in corpora] for name, corpora in (("train", train), ("dev", dev))}
    mixing = {str(path): summary(path) for path in directories["train"] if is_mixed_online(path)}
    named = {name: [str(path) for path in paths] for name, paths in directories.items()}
    return {"training": asdict(training), **named, "mixing": mixing, "seed": seed}
