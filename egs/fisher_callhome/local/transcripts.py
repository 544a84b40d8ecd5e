"""The Spanish transcripts of LDC's Fisher and CALLHOME, line by line as the translations count them.

Lines are counted as in bin/build_fisher.sh and bin/build_callhome.sh of the corpus of translations, and markup is
removed as by its bin/strip_markup.pl.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from merit.data.parallel_set import one_line
from merit.errors import MeritError

MARKUP = (re.compile(r"[()+*/#]"), re.compile(r"<[^>]*>"), re.compile(r"\{[^}]*\}"), re.compile(r"\[[^\]]*\]"))
TURN = re.compile(r"(\d+(?:\.\d+)?) (\d+(?:\.\d+)?) ([AB])\d*: ?(.*)")


@dataclass(frozen=True)
class Turn:
    """What one side says: times in seconds, channel (0 or 1) and text without markup."""

    start: float
    end: float
    channel: int
    text: str


def strip_markup(text: str) -> str:
    """Words alone: without brackets of every kind and what stands in angles, braces and square brackets."""
    for pattern in MARKUP:
        text = pattern.sub("", text)
    return one_line(text)


def read_fisher(path: Path) -> list[Turn | None]:
    """The lines of a ``.tdf`` of LDC2010T04 (tabs: file, channel, start, end, ..., transcript), without its header.

    Raises:
        MeritError: when it is missing, not UTF-8, or a line is damaged.
    """
    turns: list[Turn | None] = []
    for number, line in enumerate(_text(path, "utf-8").removesuffix("\n").split("\n"), start=1):
        if ";;MM" in line or "file;unicode" in line:
            continue
        fields = line.split("\t")
        try:
            start, end, channel = float(fields[2]), float(fields[3]), int(fields[1])
            turns.append(Turn(start, end, channel, strip_markup(fields[7])))
        except (ValueError, IndexError) as error:
            raise MeritError(
                f"{path}:{number}: expected file, channel, start, end and, in the eighth column, a transcript: "
                f"{line!r}; restore the file"
            ) from error
    return turns


def read_callhome(path: Path) -> list[Turn | None]:
    """The lines of a ``.txt`` of LDC96T17 (``207.64 210.55 A: words``, ISO 8859-1); None where it is none of these.

    Raises:
        MeritError: when the file is missing.
    """
    lines = _text(path, "iso8859-1").removesuffix("\n").split("\n")
    return [_callhome_turn(line) for line in lines]


def _callhome_turn(line: str) -> Turn | None:
    match = TURN.match(line)
    if match is None:
        return None
    return Turn(float(match[1]), float(match[2]), "AB".index(match[3]), strip_markup(match[4]))


def _text(path: Path, encoding: str) -> str:
    try:
        return path.read_text(encoding=encoding)
    except FileNotFoundError as error:
        raise MeritError(f"{path}: the transcript is missing; restore it from LDC's release") from error
    except UnicodeDecodeError as error:
        raise MeritError(f"{path}: not text in {encoding} (byte {error.start}); restore the file") from error
