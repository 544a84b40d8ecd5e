"""Dump log-mel features: ``python -m merit.bin.smoe.dump_features --data data/train --output dump/features/train``."""

from pathlib import Path

from merit.command import run_command


def dump(data: Path, output: Path, mel_bins: int = 80, nj: int = 1) -> None:
    """Write the log-mel features of a data directory as shards; what an interrupted dump left is kept.

    Args:
        data: data directory.
        output: directory of the dump.
        mel_bins: of the features, as the model takes them.
        nj: processes.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.smoe.feature_dump import dump_features

    with sole_writer(output):
        dump_features(data, output, mel_bins, nj)


if __name__ == "__main__":
    run_command(dump)
