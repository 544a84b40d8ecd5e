"""TMHINT-QI, enhanced and noisy Mandarin rated by listeners (Chen and Tsao 2022), as rated sets.

``raw_data.csv`` has a row for each rating: idx (the listener), method, uttr, snr, noise, quality_score,
intelligibility_score, file_name; the audio lies in ``train`` and ``test`` as ``<file_name>.wav``. The corpus has no dev
set: a tenth of the training clips is taken for one, by a digest of their names.
"""

import hashlib
import logging
from pathlib import Path

from merit.command import run_command
from merit.csv_table import read_csv
from merit.data.corpus import refuse_incomplete
from merit.data.rated.rated_set import clean_name, compare_clip_counts, score_in, told_apart, write_rated_set
from merit.data.rated.ratings import Rating

logger = logging.getLogger(__name__)

COLUMNS = ("idx", "method", "snr", "noise", "quality_score", "file_name")
EXPECTED = {"test": 1978}
DEV_SHARE = 10  # one clip of so many
WHERE = "the link in the README of github.com/yuwchen/InQSS"


def part_of(corpus: Path, file: str) -> str | None:
    """The set that a clip is in; None when its audio is in neither folder."""
    if (corpus / "test" / f"{file}.wav").is_file():
        return "test"
    if not (corpus / "train" / f"{file}.wav").is_file():
        return None
    digest = int.from_bytes(hashlib.blake2b(file.encode(), digest_size=8).digest(), "big")
    return "train" if digest % DEV_SHARE else "dev"


def prepare_tmhint_qi(corpus: Path, output: Path, allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test.

    Args:
        corpus: the folder with raw_data.csv, train and test.
        output: folder of the data directories.
        allow_missing: go on without the files that are missing.
    """
    hint = f"give the folder of TMHINT-QI (./run.sh --tmhint-qi FOLDER); {WHERE}"
    sets: dict[str, list[Rating]] = {"train": [], "dev": [], "test": []}
    missing, parts, unrated = set(), {}, 0
    path = corpus / "raw_data.csv"
    for line, row in read_csv(path, COLUMNS, hint):
        file = row["file_name"]
        part = parts[file] = parts[file] if file in parts else part_of(corpus, file)
        if part is None:
            missing.add(file)
        elif not row["quality_score"]:
            unrated += 1
        else:
            wav = corpus.resolve() / ("test" if part == "test" else "train") / f"{file}.wav"
            system = clean_name(f"{row['method']}_SNR{row['snr']}_{row['noise']}")
            score = score_in(path, line, row["quality_score"])
            sets[part].append(Rating(str(wav), system, clean_name(file), score, row["idx"]))
    logger.info("%d lines without a score of quality are left out", unrated)
    message = f"{corpus}: {len(missing)} of {len(parts)} files are missing"
    refuse_incomplete(message, sorted(missing), output / "missing_files.txt", allow_missing)
    compare_clip_counts(sets, EXPECTED, "the whole corpus")
    for name, ratings in sets.items():
        write_rated_set(output / name, told_apart(ratings))


if __name__ == "__main__":
    run_command(prepare_tmhint_qi)
