"""Phase 1: train one head or several, with several seeds, on one forward pass of the frozen encoder for all."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict, get_type_hints

from merit.command import run_command
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.training_options import MeritTraining


@dataclass
class HeadOptions:
    """One kind of head, for instance from a recipe's conf/phase1_ser.yaml.

    Attributes:
        model: front end and heads.
        training: epochs, batches, learning rates, precision.
        seeds: a head is trained with each; of all in it that is random but the order of utterances.
        output: its directory; {seed} stands for the seed.
    """

    model: ModelConfig = field(default_factory=lambda: ModelConfig(front_end="weighted_sum"))
    training: MeritTraining = field(default_factory=MeritTraining)
    seeds: list[int] = field(default_factory=list)
    output: str = "exp/phase1-{seed}"


# Any of the options, for both kinds of heads; what is not given stays as each has it.
ModelChanges = TypedDict("ModelChanges", get_type_hints(ModelConfig), total=False)
TrainingChanges = TypedDict("TrainingChanges", get_type_hints(MeritTraining), total=False)


def train_heads(
    train: Path,
    dev: Path,
    ssl: str,
    classes: list[str],
    emotion: HeadOptions = HeadOptions(),
    enhancement: HeadOptions = HeadOptions(),
    model: ModelChanges = {},
    training: TrainingChanges = {},
    train_dump: Path | None = None,
    dev_dump: Path | None = None,
    order_seed: int = 7,
) -> None:
    """Train emotion heads and enhancement heads at once while the encoder stays frozen.

    Each batch goes through the encoder once and is then used by every head, one head for each seed. The heads see the
    utterances in the same order; crops, dropout and first weights follow from the seed of each. Every head has its own
    epochs, patience, learning rate and batch size. A job that was stopped goes on when the same command is given again;
    heads that are finished stay as they are. Asked for other heads than before, it goes on as well, but takes other
    batches in the rest of an epoch that was begun.

    Args:
        train: mixed data directory to train on, or one that is mixed while it is read, as data/train_online.
        dev: mixed data directory to choose the epochs by.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        classes: emotion names, in the order of the outputs.
        emotion: emotion heads: a YAML file and what is not in it, as --emotion FILE --emotion.seeds [7,17].
        enhancement: enhancement heads, likewise.
        model: options of the model to change for all heads, as --model.layer_norm false.
        training: options of the training to change for all heads, as --training.epochs 2.
        train_dump: what was dumped of train: features that the encoder goes on from, or states, which one head at a
            time is trained on. Without it the encoder begins at the waveforms. There is none of mixtures that are drawn
            anew.
        dev_dump: what was dumped of dev; features alone where train has none.
        order_seed: of the order of the utterances.
    """
    from merit.errors import MeritError
    from merit.jobs.lock import sole_writer
    from merit.systems.sparse_merit.phases.phase1 import Dump, Head, phase1_trainer

    heads = [
        Head(
            task,
            Path(options.output.replace("{seed}", str(seed))),
            replace(options.model, **model),
            replace(options.training, **training),
            seed,
        )
        for task, options in (("emotion", emotion), ("enhancement", enhancement))
        for seed in options.seeds
    ]
    if not heads:
        raise MeritError("nothing to train: give --emotion.seeds or --enhancement.seeds, as --emotion.seeds [7,17]")
    dump = Dump.given(train_dump, dev_dump)
    with sole_writer(*(head.output for head in heads)):
        phase1_trainer(heads, train, dev, ssl, classes, order_seed, dump).fit()


if __name__ == "__main__":
    run_command(train_heads)
