"""What the paper's tables over SNR, method and noise have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from merit.data.noise.mixed_names import NoiseCondition
from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.methods.method import title_of
from merit.systems.sparse_merit.results.experiment import CLEAN, Experiment


def method_cell(method: str, markers: str = "") -> Cell:
    """Heading of a method's row."""
    return Cell(method, title_of(method), markers=markers)


def noise_table(
    name: str,
    title: str,
    methods: Sequence[Cell],
    columns: Sequence[Column],
    cells: Mapping[tuple[NoiseCondition, str], Sequence[Cell]],
    notes: Sequence[str] = (),
) -> Table:
    """Rows SNR by method, columns noise by measure, as in Tables I and II of the paper.

    Args:
        name, title, notes: of the table.
        methods: headings of the rows of one SNR; their values are the keys of methods.
        columns: the measures, as they stand under every noise.
        cells: condition and key of a method -> one cell for each measure. The order of the conditions is that of the
            noises; a method without any cell at an SNR has no row there.
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
                rows.append((snr_cell(snr), method, *(cell for values in found for cell in values or empty)))
    grouped = [replace(column, group=noise) for noise in noises for column in columns]
    headings = (Column("snr", "SNR (dB)"), Column("method", "Method"))
    return Table(name, title, (*headings, *grouped), tuple(rows), 2, blocks=1, group_key="noise", notes=tuple(notes))


def with_noise_labels(table: Table, experiment: Experiment) -> Table:
    """The same table that says which noises are seen: groups of columns are noises, and so is what a column names."""
    columns = table.columns
    if table.group_key == "noise":
        columns = tuple(
            replace(column, group_label=experiment.noise_label(column.group)) if column.group else column
            for column in columns
        )
    named = {place for place, column in enumerate(columns) if column.key == "noise"}
    rows = tuple(
        tuple(
            replace(cell, text=experiment.noise_label(cell.value)) if place in named else cell
            for place, cell in enumerate(row)
        )
        for row in table.rows
    )
    return replace(table, columns=columns, rows=rows)


def snr_cell(snr: float | None, otherwise: str = CLEAN) -> Cell:
    """``-5``, or ``clean`` or what else is said of a condition without one SNR."""
    return Cell(otherwise) if snr is None else Cell(snr, f"{snr:g}")


def count_of(counts: Iterable[int], noun: str) -> str:
    """``58 utterances``, or ``11 to 12 utterances`` where the counts differ."""
    low, *_, high = sorted([*(found := list(counts)), *found])
    return f"{low} {noun}" if low == high else f"{low} to {high} {noun}"


def _noise(condition: NoiseCondition) -> str:
    return CLEAN if condition.snr is None else condition.noise
