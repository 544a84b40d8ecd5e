"""Predict the quality of the clips of a data directory with a trained model."""

from pathlib import Path

from merit.command import run_command
from merit.device import Precision


def predict(
    model: Path,
    data: Path,
    output: Path,
    dump: Path | None = None,
    ssl: str | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    batch_seconds: float = 60.0,
) -> None:
    """Write a table with the rating and the prediction of each clip, and the weights of the gate.

    Args:
        model: directory of the trained model.
        data: data directory with ratings.csv, in which scores may be missing.
        output: the table, as predictions.csv.
        dump: dumped states of the clips, or of more; without it the encoder begins at the audio.
        ssl: where the frozen encoder lies now; without it, where it was in training.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.
        batch_seconds: audio computed at once, padding included.
    """
    from merit.systems.moe_mos.predictions import predict_directory

    predict_directory(model, data, output, dump, ssl, device, precision, batch_seconds)


if __name__ == "__main__":
    run_command(predict)
