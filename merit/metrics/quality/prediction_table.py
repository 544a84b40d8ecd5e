"""Tables of predictions beside ratings, in the columns of sheet: ``wav_path,system_id,sample_id,avg_score,answer``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from merit.csv_table import read_csv
from merit.errors import MeritError

PREDICTION_COLUMNS = ("wav_path", "system_id", "sample_id", "avg_score", "answer")
GATE = "gate_"


@dataclass(frozen=True)
class Predictions:
    """Clips of one or several tables.

    Attributes:
        clips: their names, ``<system>-<sample>``.
        systems: of each clip.
        truth: mean ratings (U,), NaN where nobody rated.
        answers: predictions (U,).
        gates: weights of the experts (U, N); (U, 0) for tables without them.
    """

    clips: tuple[str, ...]
    systems: tuple[str, ...]
    truth: np.ndarray
    answers: np.ndarray
    gates: np.ndarray


def read_predictions(paths: Sequence[Path]) -> Predictions:
    """Tables one after the other, as of the folds of a cross-validation.

    Raises:
        MeritError: when one is missing or lacks a column, a number is none, or a clip comes twice.
    """
    clips: list[str] = []
    systems: list[str] = []
    numbers: list[list[float]] = []
    for path in paths:
        for line, row in _rows(path):
            clips.append(f"{row['system_id']}-{row['sample_id']}")
            systems.append(row["system_id"])
            truth = _number(path, line, row, "avg_score") if row["avg_score"] else math.nan
            names = ["answer", *sorted((name for name in row if name.startswith(GATE)), key=_expert)]
            numbers.append([truth, *(_number(path, line, row, name) for name in names)])
    if len({len(values) for values in numbers}) > 1:
        raise MeritError(f"{' '.join(map(str, paths))}: tables of models with different numbers of experts")
    if len(set(clips)) < len(clips):
        twice = next(clip for clip in clips if clips.count(clip) > 1)
        raise MeritError(f"{' '.join(map(str, paths))}: clip {twice} comes twice; a test has each clip once")
    values = np.array(numbers)
    return Predictions(tuple(clips), tuple(systems), values[:, 0], values[:, 1], values[:, 2:])


def _rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    rows = read_csv(path, PREDICTION_COLUMNS[1:], "predict first (stage 4)")
    if not rows:
        raise MeritError(f"{path}: no clip in it")
    return rows


def _number(path: Path, line: int, row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise MeritError(f"{path}:{line}: {name} of {row['sample_id']} is {row[name]!r}; expected a number")
    return value


def _expert(name: str) -> int:
    number = name.removeprefix(GATE)
    return int(number) if number.isdecimal() else 0
