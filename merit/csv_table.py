"""Reading CSV tables by the names of their columns."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from merit.errors import MeritError


def csv_rows(
    path: Path,
    columns: Sequence[str],
    what_to_do: str,
    delimiter: str = ",",
    header: Sequence[str] | None = None,
    quoted: bool = True,
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table, one after the other, each with its line; cells are stripped, missing ones empty.

    Args:
        path: the table; a byte order mark is passed over.
        columns: those that it must have.
        what_to_do: when it is not there, for the message.
        delimiter: between cells.
        header: names of the columns of a table whose first line has none.
        quoted: whether cells may stand in quotation marks; where they do not, these are characters like all others,
            and a backslash takes the meaning from the one behind it.

    Raises:
        MeritError: when it is missing, not UTF-8, or lacks a column.
    """
    style = {} if quoted else {"quoting": csv.QUOTE_NONE, "escapechar": "\\"}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, fieldnames=header, delimiter=delimiter, restval="", **style)
            absent = [name for name in columns if name not in (reader.fieldnames or ())]
            if absent:
                raise MeritError(f"{path}:1: no column {', '.join(absent)}; expected {delimiter.join(columns)}")
            for row in reader:
                yield reader.line_num, {name: (row[name] or "").strip() for name in reader.fieldnames}
    except FileNotFoundError as error:
        raise MeritError(f"{path}: the file is missing; {what_to_do}") from error
    except UnicodeDecodeError as error:
        raise MeritError(f"{path}: not UTF-8 text ({error})") from error


def read_csv(
    path: Path, columns: Sequence[str], what_to_do: str, delimiter: str = ",", header: Sequence[str] | None = None
) -> list[tuple[int, dict[str, str]]]:
    """All rows of a table that :func:`csv_rows` gives; raises as that does."""
    return list(csv_rows(path, columns, what_to_do, delimiter, header))
