"""Decode test conditions with a trained model: enhanced speech, emotions and routing."""

from pathlib import Path

from merit.command import run_command
from merit.device import Precision


def decode(
    model: Path,
    data: list[Path],
    output: Path,
    batch_seconds: float = 60.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Write enhanced audio, wav.scp, utt2emo, posteriors.csv and routing.npz of every data directory.

    Conditions that this model decoded completely before, in the same precision on the same type of device, are skipped.

    Args:
        model: directory of the trained model.
        data: data directories; the name of each is that of its condition.
        output: parent of the directories of the conditions.
        batch_seconds: audio computed at once, padding included.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training; another one is warned of.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.sparse_merit.decoding import decode_conditions

    with sole_writer(*(output / directory.name for directory in data)):
        decode_conditions(model, data, output, batch_seconds, device, precision)


if __name__ == "__main__":
    run_command(decode)
