"""AudioMOS Challenge 2025, track 3, synthetic speech at 16, 24 and 48 kHz, as rated sets.

The archive that the challenge gave out after its evaluation has a row for each rating (uttID, lisID, rating) in
``train/utt_16k.csv``, ``utt_24k.csv`` and ``utt_48k.csv``, tests of a single rate; in ``val/utt_mix_val.csv``, one test
of all rates with the same clips; and in ``test/utt_mix_test.csv``, the same test with new clips and other listeners.
``wav`` has the audio, as ``audiomos-track3-24k_originalSR_1089_134686_000015_000002.wav``, ``sysMap.txt`` the systems.
"""

from pathlib import Path

from merit.command import run_command
from merit.csv_table import read_csv
from merit.data.rated.rated_set import compare_clip_counts, score_in, unrated_clips, write_rated_sets
from merit.data.rated.ratings import Rating
from merit.errors import MeritError

TABLES = {
    "train": ("train/utt_16k.csv", "train/utt_24k.csv", "train/utt_48k.csv"),
    "dev": ("val/utt_mix_val.csv",),
    "test": ("test/utt_mix_test.csv",),
}
EXPECTED = {"train": 400, "dev": 400, "test": 400}
COLUMNS = ("uttID", "lisID", "rating")
PREFIX = "audiomos-track3-"
RATES = ("16k", "24k", "48k")
WHERE = "track3_post_eval_distro.tar.gz of the challenge"


def read_systems(corpus: Path) -> list[str]:
    """Names of the systems.

    Raises:
        MeritError: when the map is not there.
    """
    hint = f"give the folder that holds sysMap.txt (./run.sh --audiomos2025-t3 FOLDER); {WHERE}"
    rows = read_csv(corpus / "sysMap.txt", ("system",), hint, "|", ("system", "number"))
    return [row["system"] for _, row in rows]


def name_of(clip: str, systems: list[str]) -> tuple[str, str] | None:
    """System (``24k_originalSR``) and sentence of a file; None when it is not of the track."""
    rate, _, rest = clip.removeprefix(PREFIX).removesuffix(".wav").partition("_")
    system = next((name for name in systems if rest.startswith(f"{name}_")), None)
    if rate not in RATES or system is None:
        return None
    return f"{rate}_{system}", rest[len(system) + 1 :]


def read_table(corpus: Path, table: str, systems: list[str]) -> list[Rating]:
    """The ratings of one table. Listeners have numbers within a test, so the name of the test goes before theirs.

    Raises:
        MeritError: when it is not there, or a clip is not of the track.
    """
    ratings, path = [], corpus / table
    for line, row in read_csv(path, COLUMNS, f"it is in {WHERE}"):
        name = name_of(row["uttID"], systems)
        if name is None:
            raise MeritError(f"{path}:{line}: {row['uttID']!r}; expected {PREFIX}<rate>_<system>_<sentence>.wav")
        wav = corpus.resolve() / "wav" / f"{row['uttID'].removesuffix('.wav')}.wav"
        listener = f"{Path(table).stem.removeprefix('utt_')}_{row['lisID']}"
        ratings.append(Rating(str(wav), *name, score_in(path, line, row["rating"]), listener))
    return ratings


def prepare_audiomos2025_t3(corpus: Path, output: Path, synthetic: str = "", allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test.

    Args:
        corpus: the folder with sysMap.txt, wav, train, val and test.
        output: folder of the data directories.
        synthetic: folder with a sub-folder of audio for each further synthesiser, for the classification in training
            (the paper has 400 clips of four commercial ones, which are not public); empty for none.
        allow_missing: go on without the files that are missing.
    """
    systems = read_systems(corpus)
    sets = {part: sum((read_table(corpus, name, systems) for name in names), []) for part, names in TABLES.items()}
    compare_clip_counts(sets, EXPECTED, "the track")
    if synthetic:
        sets["train"] += unrated_clips(Path(synthetic))
    write_rated_sets(corpus, sets, output, allow_missing)


if __name__ == "__main__":
    run_command(prepare_audiomos2025_t3)
