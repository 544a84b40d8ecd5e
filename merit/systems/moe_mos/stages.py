"""The three stages of training, one after the other; each starts from the best weights of the one before."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from accelerate.utils import set_seed

from merit.data.audio import audio_digest
from merit.data.rated.ratings import RATINGS
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import WaveformStatistics
from merit.device import resolve_precision
from merit.dumping.dump import state_header
from merit.errors import MeritError
from merit.files import sha256
from merit.nets.ssl import load_encoder
from merit.systems.moe_mos.clip_dataset import ClipDataset, listeners_in, systems_in
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.quality_description import MosDescription, build_model
from merit.systems.moe_mos.quality_objective import MosObjective
from merit.systems.moe_mos.stage_options import STAGES, MosTraining, Stage
from merit.training.accelerator import make_accelerator
from merit.training.loop import Trainer
from merit.training.model_directory import load_into, load_weights
from merit.training.run import Run
from merit.training.run_state import start_run

logger = logging.getLogger(__name__)


@dataclass
class Inputs:
    """What all stages read.

    Attributes:
        train, dev: data directories of rated clips.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        statistics: normalisation of the waveforms.
        train_dump, dev_dump: dumped states of the clips, perhaps of more; None for an encoder that is trained too.
    """

    train: Path
    dev: Path
    ssl: str
    statistics: WaveformStatistics
    train_dump: Path | None = None
    dev_dump: Path | None = None

    @property
    def frozen(self) -> bool:
        """Whether the encoder stays as it is."""
        return self.train_dump is not None


def stage_directory(output: Path, stage: Stage, last: Stage) -> Path:
    """Where a stage of the training of ``output`` is kept; the model for use is that of the last one."""
    return output if stage == last else output / f"stage_{STAGES.index(stage) + 1}_{stage}"


def train_stages(inputs: Inputs, model: MosModelConfig, stages: Mapping[Stage, MosTraining], output: Path, seed: int):
    """Train a model in stages, from the last saved state on when it was stopped.

    Args:
        inputs: data and encoder.
        model: between the encoder and the outputs.
        stages: options of those stages that are trained, in their order.
        output: directory of the model; earlier stages are kept below it.
        seed: of initialisation, batches and dropout.

    Raises:
        MeritError: when no stage is given, a dump or a run that is there does not fit, or data cannot be used.
    """
    if not stages:
        raise MeritError(f"no stage to train; name some of {', '.join(STAGES)}")
    *_, last = stages
    before = None
    for stage, training in stages.items():
        directory = stage_directory(output, stage, last)
        logger.info("stage %d of training, %s: %s", STAGES.index(stage) + 1, stage, directory)
        train_stage(inputs, model, training, directory, seed, before)
        before = directory


def train_stage(
    inputs: Inputs, model: MosModelConfig, training: MosTraining, output: Path, seed: int, before: Path | None
) -> None:
    """Train one stage; arguments and errors as of :func:`train_stages`.

    Args:
        before: directory of the stage whose weights it starts from; None starts afresh.
    """
    accelerator = make_accelerator(training, output)
    if accelerator.num_processes > 1:
        raise MeritError("MoE-MOS is trained in one process; start it without torchrun (--ngpu 1)")
    set_seed(seed)
    encoder = load_encoder(inputs.ssl, gradient_checkpointing=training.gradient_checkpointing)
    description = MosDescription(
        model=model,
        classes=systems_in(inputs.train),
        num_states=encoder.num_states,
        hidden_size=encoder.hidden_size,
        statistics=inputs.statistics,
        ssl=inputs.ssl,
        ssl_fingerprint=encoder.fingerprint(),
        encoder=None if inputs.frozen else encoder.config_dict(),
        precision=resolve_precision(training.precision, accelerator.device),
        listeners=listeners_in(inputs.train) if model.rater_embedding else [],
    )
    expected = state_header(encoder, inputs.statistics)
    if training.compile and not inputs.frozen:
        encoder.compile_layers()
    net = build_model(description, None if inputs.frozen else encoder)
    options = {"training": asdict(training), "train": str(inputs.train), "dev": str(inputs.dev), "seed": seed}
    options |= {
        f"{name}_ratings": sha256(directory / RATINGS)
        for name, directory in (("train", inputs.train), ("dev", inputs.dev))
    }
    if before is not None:
        path = before / "model.safetensors"
        load_into(net, load_weights(before), path)
        options["starts_from"] = f"{before.name} {sha256(path)}"
    start_run(output, description, options)

    def dataset(directory: Path, dump: Path | None, listeners: Sequence[str], rated_only: bool) -> ClipDataset:
        given = {"listeners": listeners, "seed": seed, "rated_only": rated_only}
        if dump is None:
            return ClipDataset(directory, description.classes, statistics=inputs.statistics, **given)
        reader = ShardReader(dump, expected)
        made = ClipDataset(directory, description.classes, states=reader, **given)
        if set(reader.keys) == set(made.wav):  # one of more clips has a digest of them all
            reader.require({"audio": audio_digest(made.wav)})
        return made

    train_set = dataset(inputs.train, inputs.train_dump, description.listeners, training.rated_only)
    dev_set = dataset(inputs.dev, inputs.dev_dump, (), rated_only=False)
    if training.mos_share != [0.0, 0.0] and train_set.mos.isnan().all():
        raise MeritError(f"{inputs.train / RATINGS}: no clip has a rating, so there is no MOS to learn")
    run = Run(net, MosObjective(training, dev_set), training, output, seed, accelerator)
    Trainer([run], train_set, dev_set, order_seed=seed).fit()
