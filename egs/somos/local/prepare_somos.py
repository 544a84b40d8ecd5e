"""SOMOS, neural speech synthesis rated by listeners (Maniati et al. 2022), as rated sets.

``training_files/split1/{clean,full}/{TRAINSET,VALIDSET,TESTSET}`` have a row for each rating: systemId, utteranceId
(``novel_2007_0098_015.wav``), choice, listenerId; ``audios`` has the audio at 24 kHz. ``clean`` leaves out ratings of
listeners who failed the checks.
"""

from pathlib import Path
from typing import Literal

from merit.command import run_command
from merit.csv_table import read_csv
from merit.data.rated.rated_set import compare_clip_counts, score_in, write_rated_sets
from merit.data.rated.ratings import Rating

SETS = {"train": "TRAINSET", "dev": "VALIDSET", "test": "TESTSET"}
EXPECTED = {"train": 14100, "dev": 3000, "test": 3000}
COLUMNS = ("systemId", "utteranceId", "choice", "listenerId")
WHERE = "somos.zip of zenodo.org/records/7378801, with audios.zip in it unpacked"


def read_set(corpus: Path, ratings_of: str, name: str) -> list[Rating]:
    """The ratings of one list.

    Raises:
        MeritError: when the list is not there or has other columns.
    """
    path = corpus / "training_files" / "split1" / ratings_of / name
    ratings = []
    for line, row in read_csv(path, COLUMNS, f"give the folder of SOMOS (./run.sh --somos FOLDER); {WHERE}"):
        wav, sample = corpus.resolve() / "audios" / row["utteranceId"], Path(row["utteranceId"]).stem
        score = score_in(path, line, row["choice"])
        ratings.append(Rating(str(wav), row["systemId"], sample, score, row["listenerId"]))
    return ratings


def prepare_somos(
    corpus: Path, output: Path, ratings_of: Literal["clean", "full"] = "clean", allow_missing: bool = False
) -> None:
    """Write data/train, data/dev and data/test.

    Args:
        corpus: the folder with training_files and audios.
        output: folder of the data directories.
        ratings_of: clean, of listeners who passed the checks, or full, of all.
        allow_missing: go on without the files that are missing.
    """
    sets = {part: read_set(corpus, ratings_of, name) for part, name in SETS.items()}
    compare_clip_counts(sets, EXPECTED, "the whole corpus")
    write_rated_sets(corpus, sets, output, allow_missing)


if __name__ == "__main__":
    run_command(prepare_somos)
