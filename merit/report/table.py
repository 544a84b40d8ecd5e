"""A table of results: one source of rows, shown as Markdown and LaTeX and written as CSV."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from merit.files import csv_text
from merit.report.latex import LatexCell, table_environment
from merit.report.markdown import markdown_table

WIDE = 10
"""A Markdown table with more columns than this is shown as one table for each group of columns."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        key: name in the CSV, ``accuracy``; columns of different groups share their keys.
        label: heading, ``Accuracy``.
        group: key of the group it stands in, ``street``; empty outside of groups.
        group_label: heading of the group, ``Recorded in a street``; its key by default.
        digits: decimals shown of a number that is no whole one.
        lower_is_better: the best is the lowest.
        shown: False leaves the column to the CSV alone.
    """

    key: str
    label: str
    group: str = ""
    group_label: str = ""
    digits: int = 3
    shown: bool = True
    lower_is_better: bool = False


@dataclass(frozen=True)
class Cell:
    """What stands in one row and column.

    Attributes:
        value: goes to the CSV as it is; None and NaN are shown as a dash.
        text: shown instead of the value, ``Our method`` for ``our_method``.
        bold: the best of its column.
        markers: signs behind the value, explained in the notes.
    """

    value: float | int | str | None
    text: str = ""
    bold: bool = False
    markers: str = ""

    def shown(self, digits: int) -> str:
        """The text of the cell without emphasis and markers."""
        if self.text:
            return self.text
        if self.value is None or _is_nan(self.value):
            return "-"
        return f"{self.value:.{digits}f}" if isinstance(self.value, float) else str(self.value)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: file name without suffix, ``table_1``.
        title: one sentence.
        columns: the columns from left to right; those of one group stand together, and all groups have the same keys.
        rows: one cell a column.
        headings: number of leading columns that tell the rows apart; they stand in no group.
        blocks: number of leading columns within which rows are compared; a rule is drawn where one of them changes.
        group_key: column of the CSV that says which group the numbers of a line belong to.
        notes: sentences below the table.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headings: int = 1
    blocks: int = 0
    group_key: str = "group"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: {len(row)} cells in a row of {len(self.columns)} columns")

    def groups(self) -> list[str]:
        """Keys of the groups of columns from left to right; one empty key when there are none."""
        return list(dict.fromkeys(column.group for column in self.columns[self.headings :]))


def records(table: Table) -> list[dict[str, float | int | str | None]]:
    """The raw values, one record for each row and group: headings, group, and the keys of the columns.

    A group without any value in a row has no record.
    """
    found = []
    headings = table.columns[: table.headings]
    for row in table.rows:
        for group in table.groups():
            record = {column.key: cell.value for column, cell in zip(headings, row)}
            if group:
                record[table.group_key] = group
            values = {c.key: cell.value for c, cell in _members(table, row, group)}
            if any(value is not None for value in values.values()):
                found.append(record | values)
    return found


def with_best_in_bold(table: Table) -> Table:
    """The same table with the best numbers of every column in bold, block by block.

    Numbers that are shown alike count as equal, and nothing is bold where a block has only one number.
    """
    rows = []
    for block in _blocks(table):
        lines = [list(row) for row in block]
        for place, column in enumerate(table.columns[table.headings :], start=table.headings):
            cells = [row[place] for row in block] if column.shown else []
            numbers = [cell.value for cell in cells if isinstance(cell.value, float) and not _is_nan(cell.value)]
            if len(numbers) < 2:
                continue
            best = Cell((min if column.lower_is_better else max)(numbers)).shown(column.digits)
            for line, cell in zip(lines, cells):
                line[place] = replace(cell, bold=cell.shown(column.digits) == best)
        rows += map(tuple, lines)
    return replace(table, rows=tuple(rows))


def csv(table: Table) -> str:
    """The records as CSV, numbers in full; what is undefined or not there is empty."""
    return records_csv(records(table))


def records_csv(lines: Sequence[Mapping[str, float | int | str | None]]) -> str:
    """Records that have the same keys, as CSV with a header; empty without a record."""
    if not lines:
        return ""
    header = list(lines[0])
    rows = ([None if _is_nan(line[name]) else line[name] for name in header] for line in lines)
    return csv_text(header, rows)


def markdown(table: Table, level: int = 2) -> str:
    """A section with heading, table and notes; a wide table is split into one for each group of columns."""
    groups = table.groups()
    shown = [column for column in table.columns if column.shown]
    parts = [f"{'#' * level} {table.title}"]
    if len(shown) > WIDE and len(groups) > 1:
        for group in groups:
            parts += [f"**{_group_label(table, group)}**", _markdown_part(table, [group])]
    else:
        parts.append(_markdown_part(table, groups))
    return "\n\n".join([*parts, *table.notes])


def latex(table: Table) -> str:
    """A ``table*`` environment with a booktabs ``tabular``; markers are superscripts, notes stand below."""
    places = [place for place, column in enumerate(table.columns) if column.shown]
    columns = [table.columns[place] for place in places]

    def cell(row: tuple[Cell, ...], place: int, first: bool) -> LatexCell:
        if place < table.blocks and not first:
            return LatexCell("")  # the block is named in its first row
        return LatexCell(row[place].shown(table.columns[place].digits), row[place].bold, row[place].markers)

    return table_environment(
        label=table.name,
        title=table.title,
        groups=[_group_label(table, column.group) for column in columns],
        header=[column.label for column in columns],
        left=[_is_text(table, place) for place in places],
        blocks=[
            [[cell(row, place, number == 0) for place in places] for number, row in enumerate(rows)]
            for rows in _blocks(table)
        ],
        notes=table.notes,
    )


def _markdown_part(table: Table, groups: list[str]) -> str:
    """Columns of these groups; of one group among several, the rows where it has values."""
    alone = groups != table.groups()
    places = [
        place
        for place, column in enumerate(table.columns)
        if column.shown and (place < table.headings or column.group in groups)
    ]
    header = []
    for column in (table.columns[place] for place in places):
        group = _group_label(table, column.group)
        header.append(f"{group}: {column.label}" if group and not alone else column.label)
    rows = [
        [_markdown_cell(row[place], table.columns[place].digits) for place in places]
        for row in table.rows
        if not alone or any(row[place].value is not None for place in places[table.headings :])
    ]
    return markdown_table(header, rows, right=[not _is_text(table, place) for place in places])


def _markdown_cell(cell: Cell, digits: int) -> str:
    text = f"**{cell.shown(digits)}**" if cell.bold else cell.shown(digits)
    return f"{text} {cell.markers}".rstrip()


def _members(table: Table, row: tuple[Cell, ...], group: str) -> Iterator[tuple[Column, Cell]]:
    pairs = zip(table.columns[table.headings :], row[table.headings :])
    return ((column, cell) for column, cell in pairs if column.group == group)


def _group_label(table: Table, group: str) -> str:
    labels = (column.group_label for column in table.columns if column.group == group and column.group_label)
    return next(labels, group)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_text(table: Table, place: int) -> bool:
    """Whether the column holds words, which stand to the left."""
    return any(isinstance(row[place].value, str) for row in table.rows)


def _blocks(table: Table) -> list[list[tuple[Cell, ...]]]:
    """The rows in runs with equal values in the first ``table.blocks`` columns."""
    runs = groupby(table.rows, key=lambda row: [cell.value for cell in row[: table.blocks]])
    return [list(rows) for _, rows in runs]
