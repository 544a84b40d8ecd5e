"""Make babble noise from a data directory: ``python -m merit.bin.make_babble --data data/train ...``."""

from pathlib import Path

from merit.command import run_command
from merit.data.noise import babble


def make_babble(
    data: Path,
    output: Path,
    files: tuple[int, int, int] = (40, 10, 10),
    talkers: int = 4,
    seconds: float = 10.0,
    seed: int = 0,
) -> None:
    """Overlay several talkers of a data directory as a noise corpus {train,dev,test}/*.flac with a manifest.

    Args:
        data: data directory whose speakers talk.
        output: folder of the noise corpus.
        files: number of files in train, dev and test; the parts use different utterances.
        talkers: voices at once.
        seconds: length of a file.
        seed: seed of all choices.
    """
    babble.make_babble(data, output, files, talkers, seconds, seed)


if __name__ == "__main__":
    run_command(make_babble)
