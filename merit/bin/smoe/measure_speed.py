"""Measure decoding by the number of experts: ``python -m merit.bin.smoe.measure_speed --config conf/smoe.yaml ...``."""

from pathlib import Path

from merit.command import run_command
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_training import SmoeTraining


def measure_speed(
    output: Path,
    vocabulary: Path,
    model: SmoeModelConfig = SmoeModelConfig(),
    training: SmoeTraining = SmoeTraining(),
    experts: list[int] = [1, 2, 4, 8],
    repeats: int = 10,
) -> None:
    """Write the time from the features of an utterance to its text, for models with random weights.

    Args:
        output: table, as exp/speed.csv.
        vocabulary: file of the vocabulary.
        model: sizes, as of the trainings; the number of experts changes.
        training: not looked at; it stands in the same file.
        experts: numbers of experts of encoder and decoder.
        repeats: turns over which the median is taken.
    """
    from merit.systems.smoe.decoding_speed import write_decoding_times
    from merit.systems.smoe.vocabulary import Vocabulary

    write_decoding_times(model, experts, Vocabulary(vocabulary).size, output, repeats)


if __name__ == "__main__":
    run_command(measure_speed)
