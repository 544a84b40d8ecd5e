"""The two phases of training (paper section IV-B)."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from merit.data.audio import SAMPLE_RATE
from merit.data.dataset import FRAME_SAMPLES, Batch, UtteranceDataset, crop_states
from merit.data.state_shards import ShardReader
from merit.data.statistics import waveform_statistics
from merit.errors import MeritError
from merit.files import sha256
from merit.nets.model import ModelConfig, Task
from merit.nets.ssl import SpeechEncoder, load_encoder
from merit.objectives.losses import balanced_class_weights
from merit.training.accelerator import make_accelerator
from merit.training.checkpoint import ModelDescription, build_model, load_head, load_parts, start_run
from merit.training.config import TrainingConfig
from merit.training.dump import state_header
from merit.training.loop import Trainer
from merit.training.objective import JointObjective


def class_weights(dataset: UtteranceDataset, classes: Sequence[str]) -> torch.Tensor:
    """Weights ``n / (C n_c)`` of the training set.

    Raises:
        MeritError: when the training set lacks a class.
    """
    if dataset.labels is None:
        return torch.ones(len(classes))
    counts = torch.bincount(torch.tensor(dataset.labels), minlength=len(classes))
    absent = [name for name, count in zip(classes, counts) if count == 0]
    if absent:
        raise MeritError(f"{dataset.directory / 'utt2emo'}: no training utterance of {', '.join(absent)}")
    return balanced_class_weights(counts)


def loss_weights(config: TrainingConfig) -> dict[str, float]:
    """Factor of each loss by its name."""
    return {
        "emotion": config.emotion_weight,
        "enhancement": config.enhancement_weight,
        "balancing": config.balancing_weight,
    }


def run_options(training: TrainingConfig, train: Path, dev: Path, seed: int) -> dict:
    """What sets one run apart from another beside the model: options, data and labels, seed.

    The audio is known by its normalisation, which is in the description of the model.
    """
    labels = {
        f"{name}_labels": sha256(directory / "utt2emo")
        for name, directory in (("train", train), ("dev", dev))
        if (directory / "utt2emo").exists()
    }
    return {"training": asdict(training), "train": str(train), "dev": str(dev), "seed": seed, **labels}


class FrozenStates:
    """Completes batches with the states of a frozen encoder, rounded as a dump would round them, and crops them.

    Args:
        encoder: moved to the accelerator's device and kept in evaluation mode.
        dtype: 16-bit type of the states.
        crop_frames: random crops in training; None keeps whole utterances.
        seed: of the crops.
    """

    def __init__(
        self, encoder: SpeechEncoder, accelerator: Accelerator, dtype: torch.dtype, crop_frames: int | None, seed: int
    ) -> None:
        self.encoder = encoder.to(accelerator.device).eval().requires_grad_(False)
        self.accelerator = accelerator
        self.dtype = dtype
        self.crop_frames = crop_frames
        self.seed = seed

    def __call__(self, batch: Batch, epoch: int | None) -> Batch:
        """Add states to a batch of whole utterances; ``epoch`` chooses the crops, None leaves them out."""
        with torch.no_grad(), self.accelerator.autocast():
            states, frame_lengths = self.encoder(batch.noisy, batch.lengths)
        batch = replace(batch, states=states.to(self.dtype), frame_lengths=frame_lengths)
        if epoch is None or self.crop_frames is None:
            return batch
        return crop_states(batch, epoch, self.seed, self.crop_frames)


def train_phase1(
    task: Task,
    train: Path,
    dev: Path,
    ssl: str,
    output: Path,
    classes: Sequence[str],
    model: ModelConfig,
    training: TrainingConfig,
    train_states: Path | None,
    dev_states: Path | None,
    seed: int,
) -> None:
    """Train one head on the states of a frozen encoder, dumped or computed as they are needed.

    Args:
        task: the head: emotion or enhancement.
        train, dev: mixed data directories.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        output: directory of the run.
        classes: emotion names.
        model: its ``tasks`` are replaced by ``task``.
        training: options of the run.
        train_states, dev_states: dumps of the two directories; None computes the states online.
        seed: of initialisation, batches, crops and dropout.

    Raises:
        MeritError: when only one of the two directories comes with a dump, a dump holds other states, this output
            holds another run, or data cannot be used.
    """
    if (train_states is None) != (dev_states is None):
        raise MeritError("train_states and dev_states: give both dumps, or neither to compute the states online")
    accelerator = make_accelerator(training, output)
    set_seed(seed)
    statistics = waveform_statistics(train)
    model = replace(model, tasks=(task,))
    encoder = load_encoder(ssl)
    expected = state_header(encoder, statistics)
    crop_frames = None if training.crop_seconds is None else round(training.crop_seconds * SAMPLE_RATE / FRAME_SAMPLES)

    def dataset(directory: Path, states: Path | None, crop: int | None) -> UtteranceDataset:
        return UtteranceDataset(
            directory,
            statistics,
            classes=classes if task == "emotion" else None,
            clean=task == "enhancement",
            states=None if states is None else ShardReader(states, expected),
            audio=task == "enhancement" or states is None,
            crop_frames=crop,
            seed=seed,
        )

    train_set, dev_set = dataset(train, train_states, crop_frames), dataset(dev, dev_states, None)
    description = ModelDescription(
        model=model,
        classes=list(classes),
        num_states=encoder.num_states,
        hidden_size=encoder.hidden_size,
        statistics=statistics,
        ssl=ssl,
        ssl_fingerprint=expected["fingerprint"],
        encoder=None,
    )
    if accelerator.is_main_process:
        start_run(output, description, run_options(training, train, dev, seed))
    prepare = {}
    if train_states is None:
        prepare = {"prepare": FrozenStates(encoder, accelerator, torch.bfloat16, crop_frames, seed)}
    net = build_model(description, None)
    objective = JointObjective((task,), class_weights(train_set, classes), loss_weights(training))
    Trainer(net, objective, train_set, dev_set, training, output, seed, accelerator, **prepare).fit()


def train_phase2(
    train: Path,
    dev: Path,
    ssl: str,
    output: Path,
    classes: Sequence[str],
    model: ModelConfig,
    training: TrainingConfig,
    emotion_head: Path | None,
    enhancement_head: Path | None,
    seed: int,
    pretrained: Path | None = None,
) -> None:
    """Fine-tune encoder, front end and heads jointly; the convolutional front end of the encoder stays frozen.

    Args:
        train, dev, ssl, output, classes, model, training, seed: see :func:`train_phase1`.
        emotion_head, enhancement_head: directories of phase 1 that the heads start from; None starts one afresh.
            Experts and gates start afresh.
        pretrained: directory of a whole model that encoder, front end and heads start from where both have them, as
            an enhancement model trained on another corpus; a head of phase 1 goes before its head.

    Raises:
        MeritError: when crops are asked for, a head of phase 1 or the pretrained model is missing or has other sizes,
            this output holds another run, or data cannot be used.
    """
    if training.crop_seconds is not None:
        raise MeritError(
            "training.crop_seconds: crops are for phase 1; phase 2 trains on whole utterances, set it to null"
        )
    accelerator = make_accelerator(training, output)
    set_seed(seed)
    statistics = waveform_statistics(train)
    encoder = load_encoder(ssl, gradient_checkpointing=training.gradient_checkpointing)
    description = ModelDescription(
        model=model,
        classes=list(classes),
        num_states=encoder.num_states,
        hidden_size=encoder.hidden_size,
        statistics=statistics,
        ssl=ssl,
        ssl_fingerprint=encoder.fingerprint(),
        encoder=encoder.config_dict(),
    )
    run = run_options(training, train, dev, seed)
    net = build_model(description, encoder)
    if pretrained is not None:
        load_parts(net, pretrained)
        logging.info("%s: where this model begins", pretrained)
        run["pretrained"] = f"{pretrained} {sha256(pretrained / 'model.safetensors')}"
    for task, directory in (("emotion", emotion_head), ("enhancement", enhancement_head)):
        if task in model.tasks and directory is not None:
            load_head(net, task, directory)
            logging.info("%s head from %s", task, directory)
            run[f"{task}_head"] = f"{directory} {sha256(directory / 'model.safetensors')}"
    if model.front_end == "moe" and model.gate_weight == "hard" and not training.balancing_weight:
        # No loss reaches them; said so, distributed training does not wait for their gradients.
        net.front_end.gates.requires_grad_(False)
    if accelerator.is_main_process:
        start_run(output, description, run)

    def dataset(directory: Path) -> UtteranceDataset:
        return UtteranceDataset(
            directory,
            statistics,
            classes=classes if "emotion" in model.tasks else None,
            clean="enhancement" in model.tasks,
        )

    train_set = dataset(train)
    objective = JointObjective(model.tasks, class_weights(train_set, classes), loss_weights(training))
    Trainer(net, objective, train_set, dataset(dev), training, output, seed, accelerator).fit()
