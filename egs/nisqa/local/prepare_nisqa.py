"""NISQA, speech over simulated and real channels (Mittag et al. 2021), as rated sets.

``NISQA_TRAIN_SIM/NISQA_TRAIN_SIM_file.csv`` and so on have a row for each clip with its condition ``con``, its file
``filename_deg`` in ``deg`` (48 kHz) and the mean rating ``mos``; single votes are not published.
"""

from pathlib import Path

from merit.command import run_command
from merit.csv_table import read_csv
from merit.data.rated.rated_set import clean_name, compare_clip_counts, score_in, write_rated_sets
from merit.data.rated.ratings import Rating

PARTS = {
    "train": ("NISQA_TRAIN_SIM", "NISQA_TRAIN_LIVE"),
    "dev": ("NISQA_VAL_SIM", "NISQA_VAL_LIVE"),
    "test": ("NISQA_TEST_FOR", "NISQA_TEST_LIVETALK", "NISQA_TEST_P501"),
}
EXPECTED = {"train": 11020, "dev": 2700, "test": 712}
COLUMNS = ("con", "filename_deg", "mos")
WHERE = "NISQA_Corpus.zip of depositonce.tu-berlin.de/handle/11303/13012.5"


def read_part(corpus: Path, name: str) -> list[Rating]:
    """The mean ratings of one part; a system is a condition of it, as ``NISQA_TEST_FOR_c01``.

    Raises:
        MeritError: when the table is not there or has other columns.
    """
    hint = f"give the folder that holds NISQA_TRAIN_SIM (./run.sh --nisqa FOLDER); {WHERE}"
    ratings = []
    path = corpus / name / f"{name}_file.csv"
    for line, row in read_csv(path, COLUMNS, hint):
        wav = corpus.resolve() / name / "deg" / row["filename_deg"]
        system, sample = clean_name(f"{name}_{row['con']}"), clean_name(Path(row["filename_deg"]).stem)
        ratings.append(Rating(str(wav), system, sample, score_in(path, line, row["mos"])))
    return ratings


def prepare_nisqa(corpus: Path, output: Path, allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test, each of several parts.

    Args:
        corpus: the folder with NISQA_TRAIN_SIM and the others.
        output: folder of the data directories.
        allow_missing: go on without the files that are missing.
    """
    sets = {part: sum((read_part(corpus, name) for name in names), []) for part, names in PARTS.items()}
    compare_clip_counts(sets, EXPECTED, "the whole corpus")
    write_rated_sets(corpus, sets, output, allow_missing)


if __name__ == "__main__":
    run_command(prepare_nisqa)
