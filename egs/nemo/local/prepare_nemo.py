"""nEMO, acted emotional speech in Polish (Christop 2024), as Kaldi data directories.

``data.tsv`` has a row for each recording; ``samples`` has the audio, as ``EB0_anger_1.wav``: actor, emotion, sentence.
"""

import logging
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from merit.command import run_command
from merit.data.corpus import (
    Recording,
    choose_classes,
    compare_counts,
    refuse_missing,
    report_left_out,
    write_babble,
    write_emotion_set,
)
from merit.data.datadir import first_of
from merit.errors import MeritError

logger = logging.getLogger(__name__)

CLASSES = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}
# Recordings of the whole corpus: 4,481.
EXPECTED = {"angry": 749, "fearful": 736, "happy": 749, "neutral": 809, "sad": 769, "surprised": 669}
SENTENCES = range(1, 91)
# Four women and five men. MK0 was never recorded surprised, and MP0 in half of the sentences and not in all emotions as
# often: they are in training, so that dev and test have every class equally often. Of the others the test has a woman
# and a man and dev a man, drawn once, from the seed 0, which leaves three women and three men for training.
ACTORS = {
    "train": ("IC0", "KD0", "MK0", "MP0", "TP0", "WR0"),
    "dev": ("KS0",),
    "test": ("EB0", "SM0"),
}
COLUMNS = ("file_id", "emotion", "raw_text", "normalized_text", "speaker_id", "gender", "age")
FILE_ID = re.compile(rf"(({'|'.join(sorted(sum(ACTORS.values(), ())))})_({'|'.join(CLASSES)})_([1-9]\d?))\.wav")
WHERE = "the corpus is free: git clone https://github.com/amu-cai/nEMO.git"


def read_rows(corpus: Path) -> dict[str, Recording]:
    """Read ``data.tsv``: the recordings under their names, as ``EB0_anger_1``, with the paths of WAV files.

    Raises:
        MeritError: when the file is not there or has other columns, or a row is not of the corpus or comes twice.
    """
    path = corpus / "data.tsv"
    if not path.is_file():
        raise MeritError(
            f"{corpus}: no nEMO here; give the folder that holds data.tsv and samples (./run.sh --nemo FOLDER); {WHERE}"
        )
    try:
        header, *lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise MeritError(f"{path}: not text in UTF-8 (byte {error.start}); restore the file; {WHERE}") from error
    if tuple(header.split("\t")) != COLUMNS:
        raise MeritError(f"{path}:1: expected the columns {' '.join(COLUMNS)}, with tabs; restore the file; {WHERE}")
    rows: dict[str, Recording] = {}
    problems = []
    for number, line in enumerate(lines, start=2):
        fields = [field.strip() for field in line.split("\t")]  # the published speaker_id begins with spaces
        name = FILE_ID.fullmatch(fields[0])
        if len(fields) != len(COLUMNS):
            problems.append(f"{path}:{number}: {len(fields)} fields, expected {len(COLUMNS)}: {line!r}")
        elif name is None or int(name[4]) not in SENTENCES:
            problems.append(f"{path}:{number}: {fields[0]!r}: not a file of nEMO (actor, emotion, sentence 1 to 90)")
        elif (name[2], name[3]) != (fields[4], fields[1]):
            problems.append(f"{path}:{number}: {fields[0]} with emotion {fields[1]!r} and speaker_id {fields[4]!r}")
        elif name[1] in rows:
            problems.append(f"{path}:{number}: {fields[0]} has a row above already")
        else:
            rows[name[1]] = Recording(corpus / "samples" / fields[0], name[1], name[2], CLASSES[name[3]])
    if problems:
        raise MeritError(f"{first_of(problems)}; restore the file; {WHERE}")
    return rows


def find_recordings(corpus: Path, rows: dict[str, Recording]) -> list[Recording]:
    """Find the audio of ``rows`` in ``samples``, WAV or FLAC; where a recording is there as both, the WAV file is used.

    Raises:
        MeritError: when there is no audio, or a file that has no row.
    """
    folder = corpus / "samples"
    files = sorted(path for path in folder.glob("*") if path.suffix in (".flac", ".wav") and path.name[0] != ".")
    if not files:
        raise MeritError(f"{folder}: no audio here, expected EB0_anger_1.wav (or .flac) and others; {WHERE}")
    if problems := [path for path in files if path.stem not in rows]:
        raise MeritError(
            first_of([f"{path}: no row in data.tsv; restore data.tsv, or remove the file" for path in problems])
        )
    paths = {path.stem: path for path in files}  # .wav sorts after .flac
    return [replace(rows[name], path=path) for name, path in paths.items()]


def refuse_short_table(path: Path, rows: Collection[Recording], allow_missing: bool) -> None:
    """Compare the number of rows with that of the published table.

    Raises:
        MeritError: when there are fewer, unless that is allowed.
    """
    if len(rows) == (expected := sum(EXPECTED.values())):
        return
    message = f"{path}: {len(rows)} rows, expected {expected}"
    if not allow_missing:
        raise MeritError(f"{message}; restore the file, or go on without the rest: ./run.sh --allow-missing true")
    logger.warning("%s; going on without the rest", message)


def prepare_nemo(
    corpus: Path, output: Path, classes: str = "angry happy neutral sad", allow_missing: bool = False
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of nEMO, which have no actor in common.

    ``babble`` beside them holds what the training actors say in the emotions that are not among the classes: voices for
    the noise that are not at the same time utterances to learn from. Where every emotion is a class, or the files of
    the others are missing, there are no such voices, and it holds the training utterances.

    Args:
        corpus: the folder that holds ``data.tsv`` and ``samples``.
        output: folder of the data directories.
        classes: emotions to keep (space-separated), of angry, fearful, happy, neutral, sad and surprised; utterances of
            the others are left out.
        allow_missing: go on without the files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or not whole, ``data.tsv`` is wrong, a class is none of the corpus's
            emotions, or a set is empty.
    """
    emotions = choose_classes(classes, "nEMO", CLASSES.values())
    corpus = corpus.resolve()
    rows = read_rows(corpus)
    recordings = find_recordings(corpus, rows)
    compare_counts(recordings, emotions, EXPECTED, "the whole corpus")
    refuse_missing(corpus, rows.values(), recordings, output, allow_missing)
    refuse_short_table(corpus / "data.tsv", rows.values(), allow_missing)
    report_left_out(recordings, emotions)
    used = [recording for recording in recordings if recording.emotion in emotions]
    sets = {name: [recording for recording in used if recording.speaker in actors] for name, actors in ACTORS.items()}
    for name, set_recordings in sets.items():
        write_emotion_set(output / name, set_recordings)
    others = [one for one in recordings if one.emotion not in emotions and one.speaker in ACTORS["train"]]
    write_babble(output / "babble", others, sets["train"])


if __name__ == "__main__":
    run_command(prepare_nemo)
