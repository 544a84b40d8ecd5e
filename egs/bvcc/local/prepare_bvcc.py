"""BVCC, the main track of the VoiceMOS Challenge 2022 (Cooper and Yamagishi 2021), as rated sets.

``DATA/sets/{TRAINSET,DEVSET,TESTSET}`` have a line for each rating without a header: system, file, score, a number, and
the listener with age, sex and more; ``DATA/wav`` has the audio, as ``sys64e2f-utt9c183cd.wav``, at 16 kHz.
"""

from pathlib import Path

from merit.command import run_command
from merit.csv_table import read_csv
from merit.data.rated.rated_set import compare_clip_counts, score_in, write_rated_sets
from merit.data.rated.ratings import Rating
from merit.errors import MeritError

SETS = {"train": "TRAINSET", "dev": "DEVSET", "test": "TESTSET"}
EXPECTED = {"train": 4944, "dev": 1066, "test": 1066}
COLUMNS = ("system", "file", "score", "number", "listener")
WHERE = "main.tar.gz of zenodo.org/records/6572573, and the Blizzard samples by its scripts"


def read_set(data: Path, name: str) -> list[Rating]:
    """The ratings of one list.

    Raises:
        MeritError: when the list is not there, or a line is not of the corpus.
    """
    path = data / "sets" / name
    hint = f"give the folder DATA of BVCC (./run.sh --bvcc DATA); {WHERE}"
    ratings = []
    for line, row in read_csv(path, COLUMNS, hint, header=COLUMNS):
        system, dash, sample = Path(row["file"]).stem.partition("-")
        if not dash or system != row["system"] or not row["score"] or not row["listener"]:
            raise MeritError(f"{path}:{line}: {','.join(row.values())!r}; expected system,system-clip.wav,score")
        wav = data.resolve() / "wav" / row["file"]
        ratings.append(Rating(str(wav), system, sample, score_in(path, line, row["score"]), row["listener"]))
    return ratings


def prepare_bvcc(corpus: Path, output: Path, allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test.

    Args:
        corpus: the folder ``DATA`` with sets and wav.
        output: folder of the data directories.
        allow_missing: go on without the files that are missing.
    """
    sets = {part: read_set(corpus, name) for part, name in SETS.items()}
    compare_clip_counts(sets, EXPECTED, "the main track")
    write_rated_sets(corpus, sets, output, allow_missing)


if __name__ == "__main__":
    run_command(prepare_bvcc)
