"""What the paper's tables over SNR, method and noise have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.method import title_of
from merit.systems.sparse_merit.results.conditions import Condition

CLEAN = "clean"
"""SNR and noise of a test set that was not mixed."""


def method_cell(method: str, markers: str = "") -> Cell:
    """Heading of a method's row."""
    return Cell(method, title_of(method), markers=markers)


def noise_table(
    name: str,
    title: str,
    methods: Sequence[Cell],
    columns: Sequence[Column],
    cells: Mapping[tuple[Condition, str], Sequence[Cell]],
    seen: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Table:
    """Rows SNR by method, columns noise by measure, as in Tables I and II of the paper.

    Args:
        name, title, notes: of the table.
        methods: headings of the rows of one SNR; their values are the keys of methods.
        columns: the measures, as they stand under every noise.
        cells: condition and key of a method -> one cell for each measure. The order of the conditions is that of the
            noises; a method without any cell at an SNR has no row there.
        seen: noises of the training data.
    """
    conditions = list(dict.fromkeys(condition for condition, _ in cells))
    noises = list(dict.fromkeys(_noise(condition) for condition in conditions))
    snrs = sorted({condition.snr for condition in conditions}, key=lambda snr: (snr is not None, snr))
    place = {(condition.snr, _noise(condition)): condition for condition in conditions}
    empty = [Cell(None)] * len(columns)
    rows = []
    for snr in snrs:
        for method in methods:
            found = [cells.get((place.get((snr, noise)), method.value)) for noise in noises]
            if any(found):
                rows.append((snr_cell(snr), method, *(cell for of_noise in found for cell in of_noise or empty)))
    grouped = [replace(c, group=noise, group_label=noise_label(noise, seen)) for noise in noises for c in columns]
    headings = (Column("snr", "SNR (dB)"), Column("method", "Method"))
    return Table(name, title, (*headings, *grouped), tuple(rows), headings=2, blocks=1, notes=tuple(notes))


def noise_label(noise: str, seen: Iterable[str]) -> str:
    """``babble (seen)``; without a list of seen noises, and for clean speech, the name alone."""
    if not seen or noise == CLEAN:
        return noise
    return f"{noise} ({'seen' if noise in seen else 'unseen'})"


def snr_cell(snr: float | None) -> Cell:
    """``-5``, or ``clean``."""
    return Cell(CLEAN) if snr is None else Cell(snr, f"{snr:g}")


def count_of(counts: Iterable[int], noun: str) -> str:
    """``58 utterances``, or ``11 to 12 utterances`` where the counts differ."""
    low, *_, high = sorted([*(found := list(counts)), *found])
    return f"{low} {noun}" if low == high else f"{low} to {high} {noun}"


def _noise(condition: Condition) -> str:
    return CLEAN if condition.snr is None else condition.noise
