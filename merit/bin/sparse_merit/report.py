"""Write the RESULTS.md of a trained model."""

from pathlib import Path

from merit.command import run_command
from merit.files import write_text
from merit.systems.sparse_merit.tables.run_report import results_page


def report(
    model: str,
    score: str,
    output: str,
    noisy: str | None = None,
    command: str = "",
    noise_seen: list[str] | None = None,
) -> None:
    """Write environment, command, encoder, method and score tables of a model.

    Args:
        model: directory of the trained model, as exp/sparse_merit-7.
        score: folder of its scores.
        output: file to write, as exp/sparse_merit-7/RESULTS.md.
        noisy: folder of the scores of the noisy input.
        command: the command that made the model.
        noise_seen: names of the noises of the training data, marked in the tables.
    """
    baseline = Path(noisy) if noisy else None
    write_text(output, results_page(Path(model), Path(score), baseline, command, noise_seen or []))


if __name__ == "__main__":
    run_command(report)
