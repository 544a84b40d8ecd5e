"""The reference conditions of microsoft/P.808 with their human P.835 ratings, as rated sets in five folds.

Two listening tests of July 2020, of the same 13 conditions (noise and MNRU, ``c0`` is the clean reference) and six
talkers: one heard them in full band, the other in wide band. A clip is ``degraded_fullband_48KHz/c3_f1.wav``; its mean
ratings of signal, background and overall quality are in ``CSP835_Ref_Conditions.xlsx``. Single votes are not published.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from spreadsheet import read_sheet

from merit.command import run_command
from merit.data.audio import read_audio
from merit.data.rated.rated_set import refuse_missing_clips, write_rated_set
from merit.data.rated.ratings import Rating
from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.metrics.enhancement.pesq import wideband_pesq
from merit.metrics.quality.prediction_table import PREDICTION_COLUMNS

logger = logging.getLogger(__name__)

Scale = Literal["ovrl", "sig", "bak"]
TESTS = {
    "fullband": ("degraded_fullband_48KHz", "Fullband-results per file"),
    "wideband": ("degraded_WB_16KHz", "16KHzWB-results per file"),
}
CONDITIONS, TALKERS = 13, ("f1", "f2", "f3", "m1", "m2", "m3")
EXPECTED = CONDITIONS * len(TALKERS)
FOLDS = 5
NAME = re.compile(r"c(\d+)_([fm]\d)\.wav")
WHERE = "git clone https://github.com/microsoft/P.808.git"


def read_results(folder: Path, scale: Scale) -> list[Rating]:
    """The mean ratings of both tests; a system is a condition of a test, as ``fullband_c3``.

    Raises:
        MeritError: when the folder is not that of the repository, or a row is not of its conditions.
    """
    workbook = folder / "CSP835_Ref_Conditions.xlsx"
    if not workbook.is_file():
        raise MeritError(f"{folder}: no {workbook.name} in it; give a clone of P.808 (./run.sh --p835 CLONE); {WHERE}")
    ratings = []
    for test, (audio, sheet) in TESTS.items():
        rows = read_sheet(workbook, sheet)
        for row in rows:
            match = NAME.fullmatch(row.get("short_file_name", ""))
            if match is None or f"MOS_{scale.upper()}" not in row:
                raise MeritError(
                    f"{workbook}: sheet {sheet!r} has the row {row}; expected a clip, as c3_f1.wav, and its MOS"
                )
            path = folder.resolve() / audio / match[0]
            score = float(row[f"MOS_{scale.upper()}"])
            ratings.append(Rating(str(path), f"{test}_c{match[1]}", match[2], score))
        if len(rows) != EXPECTED:
            logger.warning("%s: %d clips in sheet %r, expected %d", workbook, len(rows), sheet, EXPECTED)
    return ratings


def condition(rating: Rating) -> int:
    """The number of the condition, the same in both tests."""
    return int(rating.system_id.rsplit("_c", 1)[1])


def fold_of(rating: Rating) -> int:
    """The fold that tests a clip, 0 to 4: by condition, so that none is heard in training and test.

    Conditions c1 to c5 have ever less MNRU distortion, c6 to c9 ever less noise, c10 to c12 ever less of both: every
    fifth one is of all qualities.
    """
    return condition(rating) % FOLDS


def write_baselines(output: Path, ratings: Sequence[Rating]) -> None:
    """Predictions for all clips: the mean of the training, PESQ, and what the other test said of the same speech."""
    given = {(rating.system_id, rating.sample_id): rating.score for rating in ratings}
    mean, pesq, other = {}, {}, {}
    references: dict[str, np.ndarray] = {}
    for rating in ratings:
        key, test = (rating.system_id, rating.sample_id), rating.system_id.partition("_")[0]
        mean[key] = float(np.mean([one.score for one in ratings if part_of(one, fold_of(rating)) == "train"]))
        clean = str(Path(rating.wav_path).with_name(f"c0_{rating.sample_id}.wav"))
        if clean not in references:
            references[clean] = read_audio(clean, clean)
        spoilt = read_audio(rating.wav_path, rating.utterance)
        length = min(len(spoilt), len(references[clean]))
        pesq[key] = wideband_pesq(references[clean][:length], spoilt[:length])
        there = next(name for name in TESTS if name != test)
        other[key] = given.get((rating.system_id.replace(test, there), rating.sample_id))
    tables = {"mean": mean, "pesq": pesq}
    if None not in other.values():
        tables["other_test"] = other
    for name, answers in tables.items():
        write_predictions(output / f"{name}.csv", ratings, answers)


def write_predictions(path: Path, ratings: Sequence[Rating], answers: dict[tuple[str, str], float]) -> None:
    """A table of predictions; answers by system and sample."""
    rows = (
        (one.wav_path, one.system_id, one.sample_id, f"{one.score:.6g}", f"{answers[one.system_id, one.sample_id]:.6f}")
        for one in ratings
    )
    write_text(path, csv_text(PREDICTION_COLUMNS, rows))


def part_of(rating: Rating, fold: int) -> str:
    """The set that a clip is in: conditions of a fold are its test, of the next fold its dev set."""
    return {fold: "test", (fold + 1) % FOLDS: "dev"}.get(fold_of(rating), "train")


def prepare_p835(corpus: Path, output: Path, scale: Scale = "ovrl", allow_missing: bool = False) -> None:
    """Write data/all, data/fold1 to fold5 with train, dev and test, and data/baselines.

    Args:
        corpus: clone of github.com/microsoft/P.808.
        output: folder of the data directories.
        scale: ovrl (overall quality), sig (speech) or bak (background).
        allow_missing: go on without the files that are missing.
    """
    folder = corpus / "p835_reference_conditions"
    ratings = refuse_missing_clips(corpus, read_results(folder, scale), output, allow_missing)
    write_rated_set(output / "all", ratings)
    for fold in range(FOLDS):
        for part in ("train", "dev", "test"):
            write_rated_set(output / f"fold{fold + 1}" / part, [one for one in ratings if part_of(one, fold) == part])
    write_baselines(output / "baselines", ratings)


if __name__ == "__main__":
    run_command(prepare_p835)
