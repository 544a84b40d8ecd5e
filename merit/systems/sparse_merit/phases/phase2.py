"""Phase 2: encoder, front end and heads are trained jointly (paper section IV-B)."""

import logging
from collections.abc import Sequence
from pathlib import Path

from accelerate.utils import set_seed

from merit.data.datadir import require_stored
from merit.data.statistics import waveform_statistics
from merit.device import resolve_precision
from merit.errors import MeritError
from merit.files import sha256
from merit.nets.ssl import load_encoder
from merit.systems.sparse_merit.description import ModelDescription, build_model, load_head, load_parts
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.phases.objective import make_objective
from merit.systems.sparse_merit.phases.run_options import EARLIER_MERIT_RUNS, run_options
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.accelerator import make_accelerator
from merit.training.loop import Trainer
from merit.training.run import Run
from merit.training.run_state import start_run

logger = logging.getLogger(__name__)


def train_phase2(
    train: Path,
    dev: Path,
    ssl: str,
    output: Path,
    classes: Sequence[str],
    model: ModelConfig,
    training: MeritTraining,
    emotion_head: Path | None,
    enhancement_head: Path | None,
    seed: int,
    pretrained: Path | None = None,
) -> None:
    """Fine-tune encoder, front end and heads jointly; the convolutional front end of the encoder stays frozen.

    Args:
        train, dev: mixed data directories; train may be one that is mixed while it is read.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        output: directory of the run.
        classes: emotion names.
        model: front end and heads.
        training: options of the run.
        seed: of initialisation, batches and dropout.
        emotion_head, enhancement_head: directories of phase 1 that the heads start from; None starts one afresh.
            Experts and gates start afresh, and so does a weighted sum that two tasks share; that of a single task
            starts from its head's (:func:`merit.systems.sparse_merit.description.load_head`).
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
    require_stored(dev)
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
        precision=resolve_precision(training.precision, accelerator.device),
    )
    if training.compile:
        encoder.compile_layers()
    options = run_options(training, train, dev, seed)
    net = build_model(description, encoder)
    if pretrained is not None:
        load_parts(net, pretrained)
        logger.info("%s: where this model begins", pretrained)
        options["pretrained"] = f"{pretrained} {sha256(pretrained / 'model.safetensors')}"
    for task, directory in (("emotion", emotion_head), ("enhancement", enhancement_head)):
        if task in model.tasks and directory is not None:
            load_head(net, task, directory)
            logger.info("%s head from %s", task, directory)
            options[f"{task}_head"] = f"{directory} {sha256(directory / 'model.safetensors')}"
    if model.front_end == "moe" and model.gate_weight == "hard" and not training.balancing_weight:
        # No loss reaches them; said so, distributed training does not wait for their gradients.
        net.front_end.gates.requires_grad_(False)
    if accelerator.is_main_process:
        start_run(output, description, options, EARLIER_MERIT_RUNS)

    def dataset(directory: Path) -> UtteranceDataset:
        return UtteranceDataset(
            directory,
            statistics,
            classes=classes if "emotion" in model.tasks else None,
            clean="enhancement" in model.tasks,
        )

    train_set = dataset(train)
    objective = make_objective(model, train_set, classes, training, accelerator.device)
    run = Run(net, objective, training, output, seed, accelerator)
    Trainer([run], train_set, dataset(dev), order_seed=seed).fit()
