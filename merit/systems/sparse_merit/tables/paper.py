"""The published numbers of the paper beside one's own."""

import csv
import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from merit.errors import MeritError
from merit.report.table import Cell, Column, Table, records, records_csv

PAPER_NOTE = (
    "Difference: ours minus the paper's. The paper's numbers are of MSP-Podcast 1.11 and WavLM Large; its CSIG, CBAK "
    "and COVL are of the variant `cmgan`."
)
logger = logging.getLogger(__name__)

HEADINGS = {"snr": "SNR (dB)", "emotion": "Emotion", "noise": "Noise", "method": "Method", "experts": "Experts"}
"""Columns that say what a line is about; all others are measures."""


def read_published(path: Path) -> list[dict[str, float | str]]:
    """The lines of a ``table_N.csv``; what is a number becomes one.

    Raises:
        MeritError: when a line has another number of columns or a measure is no number.
    """
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if len(lines) < 2:
        raise MeritError(f"{path}: empty; expected a header and lines of published numbers")
    header = lines[0]
    published = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise MeritError(f"{path}:{number}: expected {len(header)} columns, found {len(line)}")
        record = {name: _number(value) for name, value in zip(header, line)}
        if words := [name for name in header if name not in HEADINGS and isinstance(record[name], str)]:
            raise MeritError(f"{path}:{number}: {words[0]} is {record[words[0]]!r}; expected a number")
        published.append(record)
    return published


def compare_with_paper(tables: Iterable[Table], directory: Path) -> list[Table]:
    """For every table with a published counterpart: our value, the paper's, and the difference, measure by measure.

    Lines are joined by all headings that both have (SNR, noise, method, ...); a table without a line in common is left
    out, and the log says so.

    Raises:
        MeritError: when ``directory`` has no ``table_N.csv``, or an unusable one.
    """
    if not any(directory.glob("table_*.csv")):
        raise MeritError(f"{directory}: no table_*.csv with published numbers, as in egs/msp_podcast/paper")
    compared = []
    for table in tables:
        path = directory / f"{table.name}.csv"
        if not path.exists():
            continue
        found = _compare(table, read_published(path))
        if found is None:
            logger.info("%s: no line of it is in %s; it is not compared with the paper", table.name, path)
        else:
            compared.append(found)
    return compared


def _compare(table: Table, published: Sequence[dict]) -> Table | None:
    ours = records(table)
    if not ours:
        return None
    keys = [key for key in HEADINGS if key in ours[0] and key in published[0]]
    measures = [column for column in _measures(table) if column.key in published[0]]
    theirs = {tuple(record[key] for key in keys): record for record in published}
    labels = {cell.value: cell.text for row in table.rows for cell in row[: table.headings] if cell.text}
    rows = []
    for record in ours:
        paper = theirs.get(tuple(record[key] for key in keys))
        if paper is None:
            continue
        cells = []
        for measure in measures:
            value, expected = record[measure.key], paper[measure.key]
            difference = math.nan if value is None else value - expected
            text = "" if math.isnan(difference) else f"{difference:+.{measure.digits}f}"
            cells += [Cell(value), Cell(expected), Cell(difference, text)]
        rows.append((*(Cell(record[key], labels.get(record[key], "")) for key in keys), *cells))
    if not rows:
        return None
    columns = [Column(key, HEADINGS[key]) for key in keys]
    for measure in measures:
        for key, label in (("ours", "ours"), ("paper", "paper"), ("difference", "difference")):
            columns.append(Column(key, label, group=measure.key, group_label=measure.label, digits=measure.digits))
    title = f"{table.title}: ours and the paper's"
    return Table(f"{table.name}_paper", title, tuple(columns), tuple(rows), len(keys), group_key="measure")


def comparison_csv(compared: Iterable[Table]) -> str:
    """All compared tables in one CSV; a heading that a table does not have is empty there."""
    lines = []
    for table in compared:
        for record in records(table):
            headings = {key: record.get(key) for key in HEADINGS}
            lines.append({"table": table.name.removesuffix("_paper"), **headings} | record)
    return records_csv(lines)


def _measures(table: Table) -> list[Column]:
    """The columns of measures, each once."""
    return list({column.key: column for column in table.columns[table.headings :]}.values())


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
