"""Compare methods over seeds: tables, significance, figures, and one page with all of it and with audio."""

from pathlib import Path

from merit.command import run_command


def compare(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    output: Path,
    tag: str = "",
    noise_seen: list[str] | None = None,
    data: Path = Path("data"),
    noisy: Path = Path("dump/score_noisy"),
    paper: Path | None = None,
    reference: str = "sparse_merit",
    resamples: int = 1000,
    command: str = "",
    players: list[str] | None = None,
    examples: int = 2,
    max_megabytes: float = 40.0,
    title: str = "Emotion recognition and speech enhancement in noise",
) -> None:
    """Compare trained and scored methods: write RESULTS.md, tables/, figures/ and report.html.

    The tables are those of the paper, with significance, and with the paper's numbers beside one's own. The figures
    show scores over the SNR, expert usage by SNR, by emotion and over the training, and one routed utterance. The page
    needs no other file and no network; it also has what the models got most wrong to be listened to.

    Args:
        exp: folder of the runs, exp/<method>[_<tag>]-<seed>.
        methods: those to compare, in the order of the tables.
        seeds: of every method; the first is the one of figures of a single model.
        output: folder to write in, as exp.
        tag: of the runs.
        noise_seen: names of the noises of the training data.
        data: parent of the data directories of the conditions.
        noisy: folder of the scores of the noisy input.
        paper: folder of the published numbers, as egs/msp_podcast/paper.
        reference: method that the paired bootstrap compares the others to.
        resamples: of the paired bootstrap.
        command: the command that made the runs.
        players: methods whose worst examples can be listened to, with the first seed; by default sparse_merit, or
            the last method that enhances when it is not among them.
        examples: utterances for each condition and method of players.
        max_megabytes: examples that would make the page larger are left out.
        title: heading of the page.
    """
    from merit.files import write_text
    from merit.systems.sparse_merit.figures.figures import write_figures
    from merit.systems.sparse_merit.page.html_report import chosen_players, write_html_report
    from merit.systems.sparse_merit.results.experiment import find_runs, open_experiment
    from merit.systems.sparse_merit.tables.comparison import compare_runs, results_page, write_tables

    runs = find_runs(exp, methods, seeds, tag)
    heard = chosen_players(runs, players)
    experiment = open_experiment(runs, noise_seen or [], data, noisy)
    comparison = compare_runs(experiment, reference, resamples, paper)
    write_tables(comparison, output / "tables")
    write_text(output / "RESULTS.md", results_page(experiment, comparison, command))
    figures = write_figures(experiment, comparison, output / "figures")
    write_html_report(output / "report.html", title, experiment, comparison, figures, heard, examples, max_megabytes)


if __name__ == "__main__":
    run_command(compare)
