"""Phase 1: heads are trained on the states of a frozen encoder (paper section IV-B), any number of them at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from merit.data.audio import audio_digest
from merit.data.datadir import is_mixed_online, require_stored
from merit.data.states.shard import Content
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import waveform_statistics
from merit.device import resolve_precision
from merit.dumping.dump import state_header
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder, load_encoder
from merit.systems.sparse_merit.description import ModelDescription, build_model
from merit.systems.sparse_merit.model_config import ModelConfig, Task
from merit.systems.sparse_merit.phases.batch import Batch, crop_states
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.phases.objective import make_objective
from merit.systems.sparse_merit.phases.run_options import EARLIER_MERIT_RUNS, run_options
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE
from merit.training.accelerator import make_accelerator
from merit.training.loop import Trainer
from merit.training.run import Run
from merit.training.run_state import start_run

STATES_TYPE = torch.bfloat16
"""States that are computed as needed are rounded as those of a dump are."""


@dataclass
class Head:
    """One head to train.

    Attributes:
        task: emotion or enhancement.
        output: directory of the run.
        model: its ``tasks`` are replaced by ``task``.
        training: options of the run.
        seed: of initialisation, crops and dropout.
    """

    task: Task
    output: Path
    model: ModelConfig
    training: MeritTraining
    seed: int

    @property
    def crop_frames(self) -> int | None:
        """Encoder frames of a crop, None for whole utterances."""
        seconds = self.training.crop_seconds
        return None if seconds is None else round(seconds * SAMPLE_RATE / FRAME_SAMPLES)


class Dump(NamedTuple):
    """Directories of what was dumped of the two data directories: of both the states, or of both the features.

    Where training is mixed while it is read, ``train`` is None, and ``dev`` has features.
    """

    train: Path | None
    dev: Path

    @classmethod
    def given(cls, train: Path | None, dev: Path | None) -> "Dump | None":
        """The pair of dumps; None when neither is given.

        Raises:
            MeritError: when that of train is given alone.
        """
        if train is not None and dev is None:
            raise MeritError("train_dump and dev_dump: give both, or neither to compute the states as needed")
        return None if dev is None else cls(train, dev)

    def check(self, train: Path) -> None:
        """Refuse, with a ``MeritError``, a dump of training data that is mixed anew, or a missing one of other data."""
        if is_mixed_online(train) != (self.train is None):
            raise MeritError(
                f"{train}: mixed anew in every epoch, so it has no dump; leave train_dump out, and keep dev_dump where "
                "it is one of features"
                if self.train is not None
                else "train_dump and dev_dump: give both, or neither to compute the states as needed"
            )


class FrozenStates:
    """Completes batches with the states of a frozen encoder, from waveforms or from features of its front end.

    Lengths are left in the memory of the host, so that whoever crops the states need not wait for the device.

    Args:
        encoder: moved to the accelerator's device and kept in evaluation mode.
    """

    def __init__(self, encoder: SpeechEncoder, accelerator: Accelerator) -> None:
        self.encoder = encoder.to(accelerator.device).eval().requires_grad_(False)
        self.accelerator = accelerator

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Batch:
        """Move a batch of whole utterances to the device and add its states (B, T, L, D) in :data:`STATES_TYPE`."""
        moved = batch.to(self.accelerator.device)
        with self.accelerator.autocast():
            if batch.features is None:
                states, frame_lengths = self.encoder(moved.noisy, batch.lengths)
            else:
                states, frame_lengths = self.encoder.states(moved.features.float(), batch.frame_lengths)
        return replace(moved, features=None, states=states.to(STATES_TYPE), frame_lengths=frame_lengths)


def phase1_trainer(
    heads: Sequence[Head],
    train: Path,
    dev: Path,
    ssl: str,
    classes: Sequence[str],
    order_seed: int,
    dump: Dump | None = None,
) -> Trainer:
    """Everything that the training of these heads needs, ready to begin.

    Args:
        heads: what to train; several share the order of the utterances and every forward pass of the encoder.
        train, dev: mixed data directories; train may be one that is mixed while it is read.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        classes: emotion names.
        order_seed: of the batches.
        dump: states (one head alone), or features that the encoder goes on from, as their headers say; None starts at
            the waveforms.

    Raises:
        MeritError: when a dump holds something else, an output holds another run, the heads cannot be trained together,
            or data cannot be used.
    """
    require_stored(dev)
    if dump is not None:
        dump.check(train)
    train_reader, dev_reader = (None if path is None else ShardReader(path) for path in dump or (None, None))
    content = None if dev_reader is None else (train_reader or dev_reader).header.get("content", "states")
    if content == "states" and train_reader is None:
        raise MeritError(f"{dump.dev}: states, while those of {train} are computed; give a dump of features, or none")
    _check_together(heads, content)
    accelerators = [make_accelerator(head.training, head.output) for head in heads]
    random_states = {}
    for seed in dict.fromkeys(head.seed for head in heads):
        # Loading draws random numbers as well: a head begins with the same weights whatever is trained beside it.
        set_seed(seed)
        encoder = load_encoder(ssl)
        random_states[seed] = torch.get_rng_state()
    statistics = waveform_statistics(train)
    expected = state_header(encoder, statistics, content or "states")
    tasks = {head.task for head in heads}

    def dataset(directory: Path, reader: ShardReader | None, crop_frames: int | None) -> UtteranceDataset:
        if reader is not None:
            reader.require(expected)
        made = UtteranceDataset(
            directory,
            statistics,
            classes=classes if "emotion" in tasks else None,
            clean="enhancement" in tasks,
            states=reader if content == "states" else None,
            features=reader if content == "features" else None,
            audio="enhancement" in tasks or reader is None,
            crop_frames=crop_frames,
            seed=heads[0].seed,
        )
        if reader is not None:
            reader.require({"audio": audio_digest(made.noisy)})
        return made

    # Dumped states are cropped where they are read; others must be computed whole first.
    train_set = dataset(train, train_reader, heads[0].crop_frames if content == "states" else None)
    dev_set = dataset(dev, dev_reader, None)
    runs = []
    for head, accelerator in zip(heads, accelerators):
        description = ModelDescription(
            model=replace(head.model, tasks=(head.task,)),
            classes=list(classes),
            num_states=encoder.num_states,
            hidden_size=encoder.hidden_size,
            statistics=statistics,
            ssl=ssl,
            ssl_fingerprint=expected["fingerprint"],
            encoder=None,
            precision=resolve_precision(head.training.precision, accelerator.device),
        )
        if accelerator.is_main_process:
            options = run_options(head.training, train, dev, head.seed)
            start_run(head.output, description, options, EARLIER_MERIT_RUNS)
        torch.set_rng_state(random_states[head.seed])
        net = build_model(description, None)
        objective = make_objective(description.model, train_set, classes, head.training, accelerator.device)
        crop = None
        if content != "states" and head.crop_frames is not None:
            crop = partial(crop_states, seed=head.seed, crop_frames=head.crop_frames)
        runs.append(Run(net, objective, head.training, head.output, head.seed, accelerator, crop))
    if any(head.training.compile for head in heads):
        encoder.compile_layers()
    prepare = None if content == "states" else FrozenStates(encoder, accelerators[0])
    return Trainer(runs, train_set, dev_set, order_seed, prepare)


def _check_together(heads: Sequence[Head], content: Content | None) -> None:
    outputs = [head.output for head in heads]
    for output in outputs:
        if outputs.count(output) > 1:
            raise MeritError(f"{output}: the output of two heads; give each its own, as exp/phase1_ser-{{seed}}")
    precisions = dict.fromkeys(head.training.precision for head in heads)
    if len(precisions) > 1:
        raise MeritError(
            f"training.precision is {' and '.join(precisions)} in heads that share the encoder; set all to the same"
        )
    if content == "states" and len(heads) > 1:
        raise MeritError("dumped states: a head reads crops of its own; train one head at a time on them")
