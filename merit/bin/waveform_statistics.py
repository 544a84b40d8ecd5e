"""Compute what normalises the waveforms: ``python -m merit.bin.waveform_statistics --data data/train_babble_5dB``."""

from pathlib import Path

from merit.command import run_command
from merit.data import statistics


def waveform_statistics(data: Path, nj: int = 1) -> None:
    """Write the mean and standard deviation of all samples of a data directory to its waveform_stats.json.

    Args:
        data: data directory, that of the noisy training speech.
        nj: number of processes.
    """
    result = statistics.waveform_statistics(data, nj)
    print(f"{data}: mean {result.mean:.6f}, standard deviation {result.std:.6f} over {result.samples} samples")


if __name__ == "__main__":
    run_command(waveform_statistics)
