"""Reading a sheet of an Excel workbook (.xlsx): a zip file of XML, of which only values of cells are needed."""

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from merit.errors import MeritError

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
TARGETS = "xl/_rels/workbook.xml.rels"


def read_sheet(workbook: Path, name: str) -> list[dict[str, str]]:
    """The rows of a sheet below its first one, which names the columns; rows without any cell are left out.

    Raises:
        MeritError: when the file is no workbook, or has no such sheet.
    """
    try:
        with zipfile.ZipFile(workbook) as archive:
            sheets = {
                sheet.get("name"): sheet.get(RELATION)
                for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
            }
            if name not in sheets:
                raise MeritError(f"{workbook}: no sheet {name!r}; it has {', '.join(sheets)}")
            targets = {found.get("Id"): found.get("Target") for found in ElementTree.fromstring(archive.read(TARGETS))}
            strings = _strings(archive)
            root = ElementTree.fromstring(archive.read(f"xl/{targets[sheets[name]]}"))
    except (OSError, KeyError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise MeritError(f"{workbook}: not a whole Excel workbook ({error!r}); fetch it again") from error
    rows = [_cells(row, strings) for row in root.iter(f"{MAIN}row")]
    header = rows[0]
    return [{header[place]: value for place, value in row.items() if place in header} for row in rows[1:] if row]


def _strings(archive: zipfile.ZipFile) -> list[str]:
    """The strings that cells refer to by number."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    root = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
    return ["".join(text.text or "" for text in entry.iter(f"{MAIN}t")) for entry in root.findall(f"{MAIN}si")]


def _cells(row: ElementTree.Element, strings: list[str]) -> dict[str, str]:
    """Column letters -> value of a row; empty cells are left out."""
    found = {}
    for cell in row.findall(f"{MAIN}c"):
        value = cell.find(f"{MAIN}v")
        if value is not None and value.text is not None:
            column = re.match(r"[A-Z]+", cell.get("r"))[0]
            found[column] = strings[int(value.text)] if cell.get("t") == "s" else value.text
    return found
