"""What is to be known of a published noise corpus: its files, the recordings they are pieces of, its own split."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.errors import MeritError


@dataclass(frozen=True)
class CorpusFile:
    """A file of a published corpus.

    Attributes:
        file: relative to the corpus.
        recording: what it is a piece of; None when the corpus does not say.
        subset: of the corpus, such as MUSAN's music.
        part: train, dev or test in the split that the corpus brings; None when it brings none.
    """

    file: str
    recording: str | None
    subset: str
    part: str | None = None


@dataclass(frozen=True)
class Layout:
    """A published corpus.

    Attributes:
        title: its name.
        example: a file of it, as published.
        where: where to get it.
        subsets: all that a piece can belong to.
        default: those that are used unless others are asked for.
        pieces: from the corpus and its audio files, relative to it, to the pieces among them.
        missing: from the pieces that are there to lines that say what the whole corpus has beyond them.
    """

    title: str
    example: str
    where: str
    subsets: tuple[str, ...]
    default: tuple[str, ...]
    pieces: Callable[[Path, Sequence[str]], Iterable[CorpusFile]]
    missing: Callable[[Sequence[CorpusFile]], Iterable[str]]


def shortfall(what: str, found: int, expected: int, absent: Sequence[str] = ()) -> list[str]:
    """Say that there are fewer files than published, if so, and the first of those that are known to be absent."""
    if found >= expected:
        return []
    names = f"; not there: {' '.join(absent[:5])}{' ...' if len(absent) > 5 else ''}" if absent else ""
    return [f"{what}: {found} files, expected {expected}{names}"]


def word(name: str) -> str:
    """Make one word of a name, as recordings are separated by spaces."""
    return re.sub(r"\s+", "_", name)


def columns(table: Path, *names: str) -> Iterator[tuple[str, ...]]:
    """Read columns of a CSV file, row by row; raises ``MeritError`` when it does not have them."""
    with table.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if absent := set(names) - set(reader.fieldnames or ()):
            raise MeritError(f"{table}:1: no column {' and no column '.join(sorted(absent))}; restore the file")
        for row in reader:
            yield tuple(row[name] or "" for name in names)
