"""Write the tables over methods and seeds, and the RESULTS.md that holds them."""

from pathlib import Path

from merit.command import run_command
from merit.files import write_text
from merit.systems.sparse_merit.results.comparison import (
    compare_runs,
    results_page,
    write_paper_comparison,
    write_tables,
)
from merit.systems.sparse_merit.results.experiment import find_runs


def tables(
    exp: str,
    methods: list[str],
    seeds: list[int],
    output: str,
    tag: str = "",
    noise_seen: list[str] | None = None,
    noisy: str | None = None,
    paper: str | None = None,
    reference: str = "sparse_merit",
    resamples: int = 1000,
    command: str = "",
) -> None:
    """Compare trained and scored methods: the paper's tables, significance, and the paper's numbers beside one's own.

    Args:
        exp: folder of the runs, exp/<method>[_<tag>]-<seed>.
        methods: those to compare, in the order of the tables.
        seeds: of every method.
        output: folder to write RESULTS.md and tables/ in.
        tag: of the runs.
        noise_seen: names of the noises of the training data.
        noisy: folder of the scores of the noisy input, as dump/score_noisy.
        paper: folder of the published numbers, as egs/msp_podcast/paper.
        reference: method that the paired bootstrap compares the others to.
        resamples: of the paired bootstrap.
        command: the command that made the runs.
    """
    runs = find_runs(Path(exp), methods, seeds, tag)
    comparison = compare_runs(runs, noise_seen or [], Path(noisy) if noisy else None, reference, resamples)
    folder = Path(output) / "tables"
    write_tables(comparison, folder)
    compared = write_paper_comparison(comparison, Path(paper), folder) if paper else []
    write_text(Path(output) / "RESULTS.md", results_page(comparison, compared, command))


if __name__ == "__main__":
    run_command(tables)
