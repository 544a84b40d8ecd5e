"""Training a model, from the last saved state on when it was stopped."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from accelerate.utils import set_seed

from merit.device import resolve_precision
from merit.errors import MeritError
from merit.files import sha256
from merit.systems.smoe.feature_dump import open_features
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_description import VOCABULARY, SmoeDescription, build_model, load_model
from merit.systems.smoe.smoe_training import SmoeTraining
from merit.systems.smoe.speech_dataset import Labels, SpeechDataset
from merit.systems.smoe.speech_to_text_objective import SpeechToTextObjective
from merit.systems.smoe.vocabulary import Vocabulary
from merit.training.accelerator import make_accelerator
from merit.training.loop import Trainer
from merit.training.run import Run
from merit.training.run_state import start_run

logger = logging.getLogger(__name__)


@dataclass
class Inputs:
    """What a training reads.

    Attributes:
        train, dev: data directories.
        vocabulary: file of the vocabulary.
        languages: task -> language of its texts.
        train_dumps, dev_dumps: dumped features of each directory; None reads the audio.
        upcycle_from: directory of a trained model with one expert, whose weights every expert starts with.
    """

    train: Sequence[Path]
    dev: Sequence[Path]
    vocabulary: Path
    languages: Mapping[str, str]
    train_dumps: Sequence[Path] | None = None
    dev_dumps: Sequence[Path] | None = None
    upcycle_from: Path | None = None


def train_smoe(inputs: Inputs, model: SmoeModelConfig, training: SmoeTraining, output: Path, seed: int) -> None:
    """Train a model.

    Args:
        inputs: data and vocabulary.
        model: sizes and experts.
        training: options.
        output: directory of the model.
        seed: of initialisation, batches, masks and dropout.

    Raises:
        MeritError: when data cannot be used, or a run that is there does not fit.
    """
    if model.ctc != (training.ctc_weight > 0):
        raise MeritError(
            f"model.ctc is {str(model.ctc).lower()} and training.ctc_weight {training.ctc_weight:g}; a CTC layer has a "
            "weight, and a weight a layer"
        )
    if training.corrupt_task and len(inputs.languages) < 2:
        raise MeritError("training.corrupt_task takes a task for the other one, and only one is trained")
    accelerator = make_accelerator(training, output, unused_parameters=True)
    set_seed(seed)
    vocabulary = Vocabulary(inputs.vocabulary)
    description = SmoeDescription(
        model=model,
        vocabulary_size=vocabulary.size,
        vocabulary_sha256=sha256(inputs.vocabulary),
        task_tags=vocabulary.task_tags,
        languages=dict(inputs.languages),
        precision=resolve_precision(training.precision, accelerator.device),
    )
    net = build_model(description)
    options = {"training": asdict(training), "seed": seed}
    options |= {name: [str(path) for path in getattr(inputs, name)] for name in ("train", "dev")}
    if inputs.upcycle_from is not None:
        net.upcycle(load_model(inputs.upcycle_from)[0])
        options["upcycle_from"] = f"{inputs.upcycle_from.name} {sha256(inputs.upcycle_from / 'model.safetensors')}"
    if training.compile:
        net.compile_layers()
    train_labels = Labels(seed, training.spec_augment, training.corrupt_bandwidth, training.corrupt_task)
    train_set = _dataset(inputs, "train", vocabulary, model, train_labels)
    dev_set = _dataset(inputs, "dev", vocabulary, model, Labels())
    start_run(output, description, options)
    if accelerator.is_main_process:
        vocabulary.save(output / VOCABULARY)
    learned = any(layer.gate is not None for layer in net.routed_layers())
    objective = SpeechToTextObjective(training, train_set.tasks, model.ctc, learned)
    run = Run(net, objective, training, output, seed, accelerator)
    Trainer([run], train_set, dev_set, order_seed=seed).fit()


def _dataset(
    inputs: Inputs, part: str, vocabulary: Vocabulary, model: SmoeModelConfig, labels: Labels
) -> SpeechDataset:
    directories, dumps = getattr(inputs, part), getattr(inputs, f"{part}_dumps")
    readers = None
    if dumps is not None:
        if len(dumps) != len(directories):
            raise MeritError(f"--{part}_dumps: {len(dumps)} dumps for {len(directories)} data directories")
        readers = [open_features(dump, data, model.mel_bins) for dump, data in zip(dumps, directories)]
    return SpeechDataset(directories, vocabulary, inputs.languages, model, readers, labels)
