"""MSP-Podcast (Lotfian and Busso 2019) as Kaldi data directories, from the corpus's own layout and partitions."""

import csv
import logging
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

LABEL_FILES = (
    "Labels/labels_consensus.csv",
    "Labels/labels_concensus.csv",  # the spelling of older releases
    "labels/labels_consensus.csv",
    "labels/labels_concensus.csv",
    "label/labels_concensus.csv",
)
AUDIO_FOLDERS = ("Audios", "Audio")
COLUMNS = ("FileName", "EmoClass", "SpkrID", "Split_Set")
CLASSES = {
    "A": "angry",
    "S": "sad",
    "H": "happy",
    "N": "neutral",
    "U": "surprised",
    "F": "fearful",
    "D": "disgusted",
    "C": "contempt",
}
LABELS = {**CLASSES, "O": "other", "X": "without agreement"}
SETS = {"Train": "train", "Development": "dev", "Validation": "dev", "Test1": "test"}
OTHER_SETS = ("Test2", "Test3")

# Labelled turns of four classes over all partitions, as the paper counts them; it does not count the other classes.
EXPECTED = {"1.11": {"angry": 10342, "sad": 8347, "happy": 29454, "neutral": 52753}}


@dataclass(frozen=True)
class Turn:
    """A row of the label file, with the name of its label; ``split`` is as in the file."""

    file: str
    emotion: str
    speaker: str
    split: str

    @property
    def utterance(self) -> str:
        """The speaker comes first, so that utterances and speakers sort alike (Kaldi's rule)."""
        stem = Path(self.file).stem
        return stem if self.speaker == stem else f"{self.speaker}-{stem}"


def read_turns(path: Path) -> list[Turn]:
    """Read the turns of every partition but Test3.

    A turn of an unknown speaker is given a speaker of its own.

    Raises:
        MeritError: when columns or rows are missing, or for a file that comes twice, an unknown class or partition.
    """
    turns, problems, seen = [], [], set()
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        if absent := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
            raise MeritError(
                f"{path}:1: no column {', '.join(absent)}; expected the corpus's label file with {', '.join(COLUMNS)}, "
                f"found {', '.join(rows.fieldnames or ['nothing'])}"
            )
        for row in rows:
            file, label, speaker, split = (row[column].strip() if row[column] else "" for column in COLUMNS)
            place = f"{path}:{rows.line_num}: {file}"
            if split == "Test3":
                continue  # its labels are not given to anybody
            if not file or not speaker:
                problems.append(f"{place}: expected values for {', '.join(COLUMNS)}")
            elif file in seen:
                problems.append(f"{place}: the file has a row above already")
            elif label not in LABELS:
                problems.append(f"{place}: unknown EmoClass {label!r}; known: {' '.join(LABELS)}")
            elif split not in (*SETS, *OTHER_SETS):
                problems.append(f"{place}: unknown Split_Set {split!r}; known: {' '.join((*SETS, *OTHER_SETS))}")
            else:
                stem = Path(file).stem
                turns.append(Turn(file, LABELS[label], stem if speaker == "Unknown" else speaker, split))
            seen.add(file)
    if problems:
        raise MeritError(first_of(problems))
    return turns


def compare_counts(turns: list[Turn], emotions: Collection[str], release: str) -> None:
    """Log the turns of each class found in all partitions beside those of the release, where these are known."""
    found = Counter(turn.emotion for turn in turns)
    expected = {emotion: count for emotion, count in EXPECTED[release].items() if emotion in emotions}
    for emotion in emotions:
        of_release = f", expected in release {release} {expected[emotion]:6d}" if emotion in expected else ""
        logger.info("%-9s found %6d%s", emotion, found[emotion], of_release)
    if any(found[emotion] != count for emotion, count in expected.items()):
        logger.warning(
            "these counts are not those of release %s (%d in all, %d found): another release or a part of the corpus, "
            "and scores will not compare with those published on it",
            release,
            sum(expected.values()),
            sum(found[emotion] for emotion in expected),
        )
    if others := {label: found[label] for label in LABELS.values() if found[label] and label not in emotions}:
        logger.info(
            "in none of the classes: %d turns (%s), over all partitions",
            sum(others.values()),
            ", ".join(f"{count} {label}" for label, count in others.items()),
        )


def prepare_msp_podcast(
    corpus: Path,
    output: Path,
    classes: str = "angry happy neutral sad",
    release: str = "1.11",
    allow_missing: bool = False,
    threads: int = 16,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of MSP-Podcast.

    Args:
        corpus: the folder that holds ``Audios`` and ``Labels``.
        output: folder of the data directories.
        classes: emotions to recognise (space-separated); turns with other labels are left out.
        release: whose class counts are compared with those found.
        allow_missing: go on without the audio files that are missing, instead of stopping.
        threads: that read durations from file headers.

    Raises:
        MeritError: when the corpus is not there, its label file is wrong, a class is not one of the corpus or has no
            turns, or audio files are missing.
    """
    emotions = classes.split()
    if not emotions or {*emotions} - {*CLASSES.values()}:
        raise MeritError(
            f"classes {classes!r}: expected some of the emotions of MSP-Podcast: {' '.join(CLASSES.values())}"
        )
    if release not in EXPECTED:
        raise MeritError(f"release {release}: its counts are not known, only those of {', '.join(EXPECTED)}")
    corpus = corpus.resolve()
    labels = first_existing(corpus, LABEL_FILES)
    audio = first_existing(corpus, AUDIO_FOLDERS)
    turns = read_turns(labels)
    if absent := [emotion for emotion in emotions if emotion not in {turn.emotion for turn in turns}]:
        raise MeritError(f"{labels}: no turn of the classes {' '.join(absent)}; restore the file from the corpus")
    compare_counts(turns, emotions, release)
    wanted = [turn for turn in turns if turn.split in SETS and turn.emotion in emotions]

    present = {path.name for path in audio.iterdir()}
    missing = sorted(turn.file for turn in wanted if turn.file not in present)
    missing_list = output / "missing_files.txt"
    missing_list.unlink(missing_ok=True)
    if missing:
        write_text(missing_list, "".join(f"{audio / file}\n" for file in missing))
        message = f"{audio}: {len(missing)} of {len(wanted)} files are missing, listed in {missing_list}"
        if not allow_missing:
            raise MeritError(f"{message}; restore them, or go on without them: ./run.sh --allow-missing true")
        logger.warning("%s; going on without them", message)
        wanted = [turn for turn in wanted if turn.file in present]

    for name in ("train", "dev", "test"):
        write_set(output / name, audio, [turn for turn in wanted if SETS[turn.split] == name], threads)


def first_existing(corpus: Path, names: tuple[str, ...]) -> Path:
    """Return the first of ``names`` that is in ``corpus``."""
    for name in names:
        if (corpus / name).exists():
            return corpus / name
    raise MeritError(
        f"{corpus}: none of {', '.join(names)}; give the folder of MSP-Podcast that holds Audios and Labels "
        "(./run.sh --msp-podcast FOLDER). Academic licences: https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html"
    )


def write_set(path: Path, audio: Path, turns: list[Turn], threads: int) -> None:
    """Write one data directory with absolute paths and durations, and log its counts."""
    wav = {turn.utterance: str(audio / turn.file) for turn in turns}
    with ThreadPoolExecutor(threads) as pool:
        durations = dict(zip(wav, pool.map(audio_duration, wav.values(), wav)))
    write_data_directory(
        path,
        wav=wav,
        utt2spk={turn.utterance: turn.speaker for turn in turns},
        utt2emo={turn.utterance: turn.emotion for turn in turns},
        utt2dur={utterance: f"{seconds:.4f}" for utterance, seconds in durations.items()},
    )
    counts = Counter(turn.emotion for turn in turns)
    logger.info(
        "%s: %d utterances (%s), %d speakers, %.2f hours",
        path,
        len(turns),
        ", ".join(f"{counts[emotion]} {emotion}" for emotion in CLASSES.values() if counts[emotion]),
        len({turn.speaker for turn in turns}),
        sum(durations.values()) / 3600,
    )


if __name__ == "__main__":
    run_command(prepare_msp_podcast)
