"""Phase 1: train several heads, with several seeds, on one forward pass of the frozen encoder for all of them."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, get_type_hints

from merit.command import run_command
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.training.config import TrainingConfig


@dataclass
class HeadOptions:
    """Options of one kind of head, as ``merit.bin.sparse_merit.train_head`` takes them.

    Attributes:
        model: front end and heads.
        training: epochs, batches, learning rates, precision.
    """

    model: ModelConfig = field(default_factory=lambda: ModelConfig(front_end="weighted_sum"))
    training: TrainingConfig = field(default_factory=TrainingConfig)


# Any of the options, for both kinds of heads; what is not given stays as each has it.
ModelChanges = TypedDict("ModelChanges", get_type_hints(ModelConfig), total=False)
TrainingChanges = TypedDict("TrainingChanges", get_type_hints(TrainingConfig), total=False)


def train_heads(
    train: Path,
    dev: Path,
    ssl: str,
    classes: list[str],
    emotion: HeadOptions = HeadOptions(),
    emotion_seeds: list[int] = [],
    emotion_output: str = "exp/phase1_ser-{seed}",
    enhancement: HeadOptions = HeadOptions(),
    enhancement_seeds: list[int] = [],
    enhancement_output: str = "exp/phase1_se-{seed}",
    model: ModelChanges = {},
    training: TrainingChanges = {},
    train_features: Path | None = None,
    dev_features: Path | None = None,
    order_seed: int = 7,
) -> None:
    """Train emotion heads and enhancement heads at once while the encoder stays frozen.

    Each batch goes through the encoder once and is then used by every head, one head for each seed. The heads see the
    utterances in the same order; crops, dropout and first weights follow from the seed of each. Every head has its own
    epochs, patience, learning rate and batch size. A job that was stopped goes on when the same command is given again;
    heads that are finished stay as they are. Asked for other heads than before, it goes on as well, but takes other
    batches in the rest of an epoch that was begun.

    Args:
        train: mixed data directory to train on.
        dev: mixed data directory to choose the epochs by.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        classes: emotion names, in the order of the outputs.
        emotion: options of the emotion heads: a YAML file that train_head takes as --config.
        emotion_seeds: an emotion head is trained with each; of all in it that is random but the order of utterances.
        emotion_output: their directories; {seed} stands for the seed.
        enhancement: options of the enhancement heads, likewise.
        enhancement_seeds: an enhancement head is trained with each.
        enhancement_output: their directories.
        model: options of the model to change for all heads, as --model.layer_norm false.
        training: options of the training to change for all heads, as --training.epochs 2.
        train_features: dumped features of train (dump_states --content features), that the encoder goes on from;
            without them it begins at the waveforms.
        dev_features: dumped features of dev.
        order_seed: of the order of the utterances. A head alone, by train_head, takes its own seed for that.
    """
    from merit.errors import MeritError
    from merit.lock import sole_writer
    from merit.systems.sparse_merit.phase1 import Dump, Head, phase1_trainer

    heads = [
        Head(
            task,
            Path(output.replace("{seed}", str(seed))),
            replace(options.model, **model),
            replace(options.training, **training),
            seed,
        )
        for task, options, seeds, output in (
            ("emotion", emotion, emotion_seeds, emotion_output),
            ("enhancement", enhancement, enhancement_seeds, enhancement_output),
        )
        for seed in seeds
    ]
    if not heads:
        raise MeritError("nothing to train: give --emotion_seeds or --enhancement_seeds, as --emotion_seeds [7,17]")
    dump = Dump.of("features", train_features, dev_features)
    with sole_writer(*(head.output for head in heads)):
        phase1_trainer(heads, train, dev, ssl, classes, order_seed, dump).fit()


if __name__ == "__main__":
    run_command(train_heads)
