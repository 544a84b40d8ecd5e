"""Enhance whole data directories with a trained model, for methods that hear enhanced speech (SE-P)."""

from pathlib import Path

from merit.command import run_command
from merit.device import Precision


def enhance_data(
    model: Path,
    data: list[Path],
    output: Path,
    batch_seconds: float = 60.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Write ``output/<name>`` for every data directory ``<name>``: its tables, with the enhanced audio in ``wav.scp``.

    Args:
        model: directory of a trained model with an enhancement head, as exp/se_only-7.
        data: data directories with wav.scp.
        output: parent of the enhanced directories.
        batch_seconds: audio computed at once.
        device: auto, cpu, cuda or cuda:N.
        precision: auto (that of the training), float32, bfloat16 or float16.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.sparse_merit.decoding import enhance_directories

    with sole_writer(*(output / directory.name for directory in data)):
        enhance_directories(model, data, output, batch_seconds, device, precision)


if __name__ == "__main__":
    run_command(enhance_data)
