"""Encoders side by side: ``python -m merit.bin.distillation.compare_encoders --measured [teacher=FILE,...] ...``."""

from pathlib import Path

from merit.command import run_command


def compare_encoders(measured: list[str], heads: list[str], noise: str, output: Path, command: str = "") -> None:
    """Write a table of encoders, the teacher first.

    Args:
        measured: for each encoder name=file, what probe_encoder wrote.
        heads: for each encoder name=directory, of its enhancement head.
        noise: name of the noise whose conditions are averaged.
        output: Markdown file.
        command: what a person typed.
    """
    from merit.systems.distillation.encoder_comparison import Measured, best_loss, compare, named, write_comparison

    files, directories = named(measured), named(heads)
    losses = {name: best_loss(directory / "history.csv") for name, directory in directories.items()}
    table = compare({name: Measured.load(file) for name, file in files.items()}, losses, noise)
    write_comparison(table, output, command)


if __name__ == "__main__":
    run_command(compare_encoders)
