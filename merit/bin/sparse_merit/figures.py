"""Draw the figures of an experiment over its methods and seeds."""

from pathlib import Path

from merit.command import run_command


def figures(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    output: Path,
    data: Path = Path("data"),
    noisy: Path = Path("dump/score_noisy"),
    tag: str = "",
    noise_seen: list[str] | None = None,
) -> None:
    """Draw scores over the SNR, expert usage by SNR, by emotion and over the training, and one routed utterance.

    Args:
        exp: folder of the runs.
        methods: methods, as sparse_merit; figures name them in this order.
        seeds: seeds of each method; the first is the one of figures of a single model.
        output: folder for the figures, as exp/figures.
        data: parent of the data directories of the conditions.
        noisy: folder of the scores of the noisy input.
        tag: tag in the names of the runs.
        noise_seen: names of the noises of the training data.
    """
    from merit.systems.sparse_merit.figures.figures import write_figures
    from merit.systems.sparse_merit.results.experiment import conditions_of, find_runs

    runs = find_runs(exp, methods, seeds, tag)
    seen = noise_seen or []
    write_figures(runs, conditions_of(runs, seen), data, noisy, seen, output)


if __name__ == "__main__":
    run_command(figures)
