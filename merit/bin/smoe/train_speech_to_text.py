"""Train a model that transcribes and translates."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_training import SmoeTraining

logger = logging.getLogger(__name__)


def train(
    train: list[Path],
    dev: list[Path],
    vocabulary: Path,
    source_lang: str,
    output: Path,
    target_lang: str = "",
    model: SmoeModelConfig = SmoeModelConfig(),
    training: SmoeTraining = SmoeTraining(),
    train_dumps: list[Path] = [],
    dev_dumps: list[Path] = [],
    upcycle_from: Path | None = None,
    seed: int = 7,
    title: str = "",
) -> None:
    """Train a model. The file of a method is one for --config.

    A command that was stopped goes on from the last saved state when it is given again.

    Args:
        train: data directories with wav.scp, utt2bw and text.<language>.
        dev: data directories to watch the training by.
        vocabulary: file of the vocabulary.
        source_lang: language that is spoken, and that transcriptions are written in.
        output: directory of the model.
        target_lang: language that translations are written in; empty trains transcription alone.
        model: sizes and experts.
        training: options of the training.
        train_dumps: dumped features of each of train; none reads the audio.
        dev_dumps: dumped features of each of dev.
        upcycle_from: trained model with one expert, whose feed-forward layers every expert starts as.
        seed: of everything random in the run.
        title: of the method, for the log.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.smoe.train_smoe import Inputs, train_smoe

    if title:
        logger.info("%s: %s", title, output)
    languages = {"transcribe": source_lang} | ({"translate": target_lang} if target_lang else {})
    inputs = Inputs(train, dev, vocabulary, languages, train_dumps or None, dev_dumps or None, upcycle_from)
    with sole_writer(output):
        train_smoe(inputs, model, training, output, seed)


if __name__ == "__main__":
    run_command(train)
