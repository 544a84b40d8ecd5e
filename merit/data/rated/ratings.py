"""Ratings of speech quality: ``ratings.csv`` of a data directory, a line for each rating, so that listeners are kept.

Columns ``wav_path,system_id,sample_id,score,listener_id``, the convention of sheet (github.com/unilight/sheet). A clip
is named by system and sample together. A clip without a rating has one line without score and listener. A line with a
score and no listener holds a mean over listeners who were not kept.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from merit.csv_table import read_csv
from merit.data.datadir import first_of
from merit.errors import MeritError
from merit.files import csv_text, write_text

RATINGS = "ratings.csv"
COLUMNS = ("wav_path", "system_id", "sample_id", "score", "listener_id")
LOWEST, HIGHEST = 1.0, 5.0


@dataclass(frozen=True)
class Rating:
    """One line of the table.

    Attributes:
        wav_path: the audio.
        system_id: what made it: a synthesiser, a codec, a degradation.
        sample_id: its name among those of the system.
        score: from 1 (bad) to 5 (excellent); None for a clip that nobody rated.
        listener_id: who gave the score; empty when it is a mean.
    """

    wav_path: str
    system_id: str
    sample_id: str
    score: float | None = None
    listener_id: str = ""

    @property
    def utterance(self) -> str:
        """The name of the clip in all tables: ``sys8d3e2-utt76f6483``."""
        return f"{self.system_id}-{self.sample_id}"


@dataclass(frozen=True)
class RatedClip:
    """A clip with all its ratings.

    Attributes:
        wav_path, system_id, sample_id: as of a :class:`Rating`.
        scores: one for each rating.
        listeners: who gave each.
    """

    wav_path: str
    system_id: str
    sample_id: str
    scores: tuple[float, ...]
    listeners: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Mean opinion score; NaN without a rating."""
        return fmean(self.scores) if self.scores else math.nan


def read_ratings(path: Path) -> list[Rating]:
    """The lines of a table.

    Raises:
        MeritError: when it is missing, lacks a column, a score is not a number from 1 to 5, a listener gave none, a
            name cannot be part of a key, or a clip has two files or two scores of one listener; shows the lines.
    """
    rows = read_csv(path, COLUMNS, "run the recipe's data preparation (stage 1) first")
    ratings: list[Rating] = []
    problems = [] if rows else [f"{path}: no rating in it"]
    for number, row in rows:
        rating, problem = _parse(row)
        if rating is not None:
            ratings.append(rating)
        else:
            problems.append(f"{path}:{number}: {problem}")
    problems += _contradictions(path, ratings) if not problems else []
    if problems:
        raise MeritError(first_of(problems))
    return ratings


def _parse(row: Mapping[str, str]) -> tuple[Rating | None, str]:
    """A line as a rating, or None and what is wrong with it."""
    wav, system, sample, score, listener = (row[name] for name in COLUMNS)
    for name, value in (("system_id", system), ("sample_id", sample)):
        if not value or "/" in value or value.split() != [value]:
            return None, f"{name} {value!r}: expected a name without space and '/', it becomes a key of wav.scp"
    if not wav:
        return None, f"clip {system}-{sample} has no wav_path"
    if not score:
        if listener:
            return None, (
                f"listener {listener} rated nothing here (clip {system}-{sample}); leave the line out, or for a clip "
                "without ratings leave listener_id empty too"
            )
        return Rating(wav, system, sample), ""
    try:
        value = float(score)
    except ValueError:
        value = math.nan
    if not LOWEST <= value <= HIGHEST:
        return None, (
            f"score {score!r} of clip {system}-{sample}; expected a number from {LOWEST:g} to {HIGHEST:g}, or nothing "
            "for a clip without ratings"
        )
    return Rating(wav, system, sample, value, listener), ""


def _contradictions(path: Path, ratings: Iterable[Rating]) -> list[str]:
    """Lines that cannot stand together."""
    files: dict[str, str] = {}
    given: set[tuple[str, str]] = set()
    unrated: set[str] = set()
    problems = []
    for rating in ratings:
        clip = rating.utterance
        if files.setdefault(clip, rating.wav_path) != rating.wav_path:
            problems.append(f"{path}: clip {clip} has two files, {files[clip]} and {rating.wav_path}; one is right")
        if (clip, rating.listener_id) in given:
            who = f"listener {rating.listener_id}" if rating.listener_id else "the mean over listeners"
            problems.append(f"{path}: two lines of {who} for clip {clip}; keep one")
        given.add((clip, rating.listener_id))
        if rating.score is None:
            unrated.add(clip)
    problems += [
        f"{path}: clip {clip} has a line without a score beside its ratings; leave that line out"
        for clip in sorted({clip for clip, listener in given if listener} & unrated)
    ]
    return problems


def clips_of(ratings: Iterable[Rating]) -> dict[str, RatedClip]:
    """Ratings by clip, under the names of the clips and sorted by them."""
    grouped: dict[str, list[Rating]] = {}
    for rating in ratings:
        grouped.setdefault(rating.utterance, []).append(rating)
    clips = {}
    for name, lines in sorted(grouped.items()):
        scored = [line for line in lines if line.score is not None]
        clips[name] = RatedClip(
            lines[0].wav_path,
            lines[0].system_id,
            lines[0].sample_id,
            tuple(line.score for line in scored),
            tuple(line.listener_id for line in scored),
        )
    return clips


def write_ratings(path: Path, ratings: Iterable[Rating]) -> None:
    """Write a table that :func:`read_ratings` reads; whole scores as whole numbers."""
    rows = (
        (
            rating.wav_path,
            rating.system_id,
            rating.sample_id,
            None if rating.score is None else f"{rating.score:.10g}",
            rating.listener_id,
        )
        for rating in ratings
    )
    write_text(path, csv_text(COLUMNS, rows))
