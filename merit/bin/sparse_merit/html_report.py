"""Write one self-contained page with the tables, the figures, and audio of what the models got most wrong."""

from pathlib import Path

from merit.command import run_command


def html_report(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    output: Path,
    figures: Path,
    data: Path = Path("data"),
    noisy: Path = Path("dump/score_noisy"),
    paper: Path | None = None,
    players: list[str] | None = None,
    examples: int = 2,
    max_megabytes: float = 40.0,
    title: str = "Emotion recognition and speech enhancement in noise",
    tag: str = "",
    noise_seen: list[str] | None = None,
) -> None:
    """Write a page that needs no other file and no network.

    Args:
        exp: folder of the runs.
        methods: methods, as sparse_merit, in the order of the tables.
        seeds: seeds of each method.
        output: the page, as exp/report.html.
        figures: folder of the figures that merit.bin.sparse_merit.figures drew.
        data: parent of the data directories of the conditions.
        noisy: folder of the scores of the noisy input.
        paper: folder of the published numbers; with it the page compares with them.
        players: methods whose worst examples can be listened to, with the first seed; by default sparse_merit, or
            the last method that enhances when it is not among them.
        examples: utterances for each condition and method of players.
        max_megabytes: examples that would make the page larger are left out.
        title: heading of the page.
        tag: tag in the names of the runs.
        noise_seen: names of the noises of the training data.
    """
    from merit.systems.sparse_merit.figures.figures import read_figures
    from merit.systems.sparse_merit.page.html_report import chosen_players, write_html_report
    from merit.systems.sparse_merit.results.comparison import compare_runs
    from merit.systems.sparse_merit.results.experiment import find_runs
    from merit.systems.sparse_merit.results.paper import compare_with_paper

    runs = find_runs(exp, methods, seeds, tag)
    comparison = compare_runs(runs, noise_seen or [], noisy)
    tables = [comparison.runs, *comparison.tables, *(compare_with_paper(comparison.tables, paper) if paper else [])]
    write_html_report(
        output,
        title,
        tables,
        read_figures(figures),
        chosen_players(runs, players),
        comparison.conditions,
        data,
        noisy,
        examples,
        max_megabytes,
    )


if __name__ == "__main__":
    run_command(html_report)
