"""One self-contained page: the tables, the figures, and the utterances that models got most wrong to be listened to."""

import logging
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from merit.errors import MeritError
from merit.files import write_text
from merit.report.figure_style import FigureFile
from merit.report.page import environment_details, figure_section, page, table_section
from merit.systems.sparse_merit.page.cards import card, filters
from merit.systems.sparse_merit.page.examples import Example, enhancing_runs, flac, in_turns, worst_examples
from merit.systems.sparse_merit.results.experiment import Experiment, FinishedRun
from merit.systems.sparse_merit.tables.comparison import Comparison

logger = logging.getLogger(__name__)

KINDS = (
    (
        "Emotions most wrong",
        "Of every condition the utterances with the most certain wrong emotion: those where the most probable wrong "
        "emotion is furthest above the true one come first. A condition without mistakes shows what came closest.",
    ),
    (
        "Least gain by enhancement",
        "Of every condition the utterances whose segmental SNR (SSNR) rose least or fell most come first.",
    ),
)


def write_html_report(
    output: Path,
    title: str,
    experiment: Experiment,
    comparison: Comparison,
    figures: Sequence[FigureFile],
    players: Sequence[FinishedRun],
    examples: int = 2,
    max_megabytes: float = 40.0,
) -> None:
    """Write the page.

    Args:
        output: ``exp/report.html``.
        title: its heading.
        experiment: its conditions with noise give examples.
        comparison, figures: what it shows, the tables before the figures.
        players: enhancing models whose examples are to be heard.
        examples: utterances for each condition and model.
        max_megabytes: size that the page does not exceed for the sake of examples; those that do not fit are left out,
            the least wrong of every condition first.

    Raises:
        MeritError: when scores, audio or figures are missing.
    """
    tables = [comparison.runs, *comparison.tables, *comparison.paper]
    parts = {"Tables": list(map(table_section, tables)), "Figures": list(map(figure_section, figures))}
    kinds = _worst(experiment, players, examples)
    wanted = in_turns(kinds)
    room = max_megabytes * 1e6 - sum(len(section) for sections in parts.values() for section in sections)
    cards: dict[Example, str] = {}
    for example in wanted:
        audio = [(name, *flac(entry, example.utterance)) for name, entry in example.entries.items()]
        html = card(example, audio)
        if len(html) <= room:
            cards[example] = html
            room -= len(html)
    parts["Examples"] = _examples(kinds, cards)
    parts = {name: sections for name, sections in parts.items() if sections}
    links = (f'<a href="#{name.lower()}">{name}</a>' for name in parts)
    body = [f"<h1>{escape(title)}</h1>", f"<nav>{''.join(links)}</nav>"]
    for name, sections in parts.items():
        body += [f'<h2 id="{name.lower()}">{name}</h2>', *sections]
    write_text(output, page(title, [*body, environment_details()]))
    counts = f"{len(tables)} tables, {len(figures)} figures, {len(cards)} examples"
    logger.info("%s: %.1f MB, %s", output, output.stat().st_size / 1e6, counts)
    if left := len(wanted) - len(cards):
        logger.warning(
            "%s: %d of %d examples left out; with them the page would exceed %g MB",
            output,
            left,
            len(wanted),
            max_megabytes,
        )


def chosen_players(runs: Sequence[FinishedRun], methods: Sequence[str] | None = None) -> list[FinishedRun]:
    """The first run of each of ``methods``; by default of sparse_merit, or else of the last method that enhances.

    Raises:
        MeritError: when a method has no run with enhanced audio.
    """
    enhancing = enhancing_runs(runs)
    if methods is None:
        methods = ["sparse_merit"] if "sparse_merit" in enhancing else list(enhancing)[-1:]
    if missing := [method for method in methods if method not in enhancing]:
        raise MeritError(
            f"--players {missing[0]}: no run with enhanced audio; there is {' '.join(enhancing) or 'none at all'}"
        )
    return [enhancing[method] for method in methods]


def _worst(
    experiment: Experiment, players: Sequence[FinishedRun], examples: int
) -> tuple[list[Example], list[Example]]:
    """The examples of all models in the order of ``KINDS``, worst first."""
    emotion: list[Example] = []
    enhancement: list[Example] = []
    for run in players:
        for kind, found in zip((emotion, enhancement), worst_examples(experiment, run, examples)):
            kind += found
    emotion.sort(key=lambda example: -example.emotion.margin)
    enhancement.sort(key=lambda example: example.gain)
    return emotion, enhancement


def _examples(kinds: Sequence[Sequence[Example]], cards: Mapping[Example, str]) -> list[str]:
    sections = [filters(list(cards))] if cards else []
    for (heading, explanation), examples in zip(KINDS, kinds):
        if found := [cards[example] for example in examples if example in cards]:
            sections += [f"<h3>{heading}</h3>", f'<p class="note">{explanation}</p>', *found]
    return sections
