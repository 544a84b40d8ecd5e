"""MSP-Podcast (Lotfian and Busso 2019) as Kaldi data directories, from the corpus's own layout and partitions."""

import csv
from dataclasses import dataclass
from pathlib import Path

from merit.command import run_command
from merit.data.corpus import (
    Recording,
    choose_classes,
    compare_counts,
    refuse_missing,
    report_left_out,
    write_emotion_set,
)
from merit.data.datadir import first_of
from merit.errors import MeritError

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
class Turn(Recording):
    """A row of the label file: a recording with the name of its label, and its partition as in the file."""

    split: str


def read_turns(path: Path, audio: Path) -> list[Turn]:
    """Read the turns of every partition but Test3, whose files are in ``audio``.

    A turn of an unknown speaker is given a speaker of its own. Names of utterances begin with the speaker, so that both
    sort alike (Kaldi's rule).

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
                if speaker == "Unknown":
                    utterance = speaker = stem
                else:
                    utterance = f"{speaker}-{stem}"
                turns.append(Turn(audio / file, utterance, speaker, LABELS[label], split))
            seen.add(file)
    if problems:
        raise MeritError(first_of(problems))
    return turns


def prepare_msp_podcast(
    corpus: Path,
    output: Path,
    classes: str = "angry happy neutral sad",
    release: str = "1.11",
    allow_missing: bool = False,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of MSP-Podcast.

    Args:
        corpus: the folder that holds ``Audios`` and ``Labels``.
        output: folder of the data directories.
        classes: emotions to recognise (space-separated); turns with other labels are left out.
        release: whose class counts are compared with those found.
        allow_missing: go on without the audio files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there, its label file is wrong, a class is not one of the corpus or has no
            turns, or audio files are missing.
    """
    emotions = choose_classes(classes, "MSP-Podcast", CLASSES.values())
    if release not in EXPECTED:
        raise MeritError(f"release {release}: its counts are not known, only those of {', '.join(EXPECTED)}")
    corpus = corpus.resolve()
    labels = first_existing(corpus, LABEL_FILES)
    audio = first_existing(corpus, AUDIO_FOLDERS)
    turns = read_turns(labels, audio)
    if absent := [emotion for emotion in emotions if emotion not in {turn.emotion for turn in turns}]:
        raise MeritError(f"{labels}: no turn of the classes {' '.join(absent)}; restore the file from the corpus")
    compare_counts(turns, emotions, EXPECTED[release], f"release {release}")
    report_left_out(turns, emotions)
    wanted = [turn for turn in turns if turn.split in SETS and turn.emotion in emotions]
    present = {path.name for path in audio.iterdir()}
    found = [turn for turn in wanted if turn.path.name in present]
    refuse_missing(audio, wanted, found, output, allow_missing)
    for name in ("train", "dev", "test"):
        write_emotion_set(output / name, [turn for turn in found if SETS[turn.split] == name])


def first_existing(corpus: Path, names: tuple[str, ...]) -> Path:
    """Return the first of ``names`` that is in ``corpus``."""
    for name in names:
        if (corpus / name).exists():
            return corpus / name
    raise MeritError(
        f"{corpus}: none of {', '.join(names)}; give the folder of MSP-Podcast that holds Audios and Labels "
        "(./run.sh --msp-podcast FOLDER). Academic licences: https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html"
    )


if __name__ == "__main__":
    run_command(prepare_msp_podcast)
