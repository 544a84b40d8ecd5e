"""IEMOCAP (Busso et al. 2008) as Kaldi data directories, one fold of the five by session."""

import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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

SESSIONS = (1, 2, 3, 4, 5)
CLASSES = {
    "ang": "angry",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
    "exc": "excited",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
}
LABELS = {**CLASSES, "oth": "other", "xxx": "without agreement"}

# `[6.2901 - 8.2357]  Ses01F_impro01_M003  neu  [2.5000, 2.5000, 2.5000]`: seconds, utterance, label, attributes. The
# letter after the session is the actor who wears the markers; the one after the dialogue is who speaks.
LABEL_LINE = re.compile(r"\[[\d. -]+\]\s+((Ses0([1-5])[FM]_\w+)_([FM])\w+)\s+([a-z]{3})\s+\[[\d., -]+\]\s*")

# Utterances of the whole corpus: 10,039.
EXPECTED = {
    "ang": 1103,
    "hap": 595,
    "neu": 1708,
    "sad": 1084,
    "exc": 1041,
    "fru": 1849,
    "fea": 40,
    "sur": 107,
    "dis": 2,
    "oth": 3,
    "xxx": 2507,
}
EXPECTED_SESSIONS = (1819, 1811, 2136, 2103, 2170)


def find_sessions(corpus: Path) -> Path:
    """Return ``corpus`` or the ``IEMOCAP_full_release`` in it, whichever holds the sessions.

    Raises:
        MeritError: when neither does, or a session is missing.
    """
    for root in (corpus, corpus / "IEMOCAP_full_release"):
        absent = [n for n in SESSIONS if not (root / f"Session{n}" / "dialog" / "EmoEvaluation").is_dir()]
        if not absent:
            return root
        if len(absent) < len(SESSIONS):
            raise MeritError(
                f"{root}: {len(absent)} of {len(SESSIONS)} sessions are missing; restore "
                + ", ".join(f"Session{n}/dialog/EmoEvaluation" for n in absent)
            )
    raise MeritError(
        f"{corpus}: no IEMOCAP here; give the folder that holds Session1 to Session5 (./run.sh --iemocap FOLDER). "
        "It is given for research: https://sail.usc.edu/iemocap/iemocap_release.htm"
    )


def read_session(root: Path, session: int, merge_excited: bool) -> list[Recording]:
    """Read the labels of a session: the lines in brackets of ``dialog/EmoEvaluation/Ses*.txt``.

    The speaker is session and sex (Ses01M). Names of utterances begin with it, so that both sort alike (Kaldi's rule).
    The header, and the lines of the single annotators under each label, are for other uses.

    Raises:
        MeritError: for a line in brackets that is not of the corpus's form, has an unknown label or another dialogue
            or session than its file, or an utterance that comes twice.
    """
    folder = root / f"Session{session}"
    recordings: dict[str, Recording] = {}
    problems = []
    for path in sorted((folder / "dialog" / "EmoEvaluation").glob("Ses*.txt")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()  # annotators' remarks are free text
        for number, line in enumerate(lines, start=1):
            if not line.startswith("["):
                continue
            match = LABEL_LINE.fullmatch(line)
            if match is None or match[5] not in LABELS:
                problems.append(
                    f"{path}:{number}: expected [start - end], utterance, label (one of {' '.join(LABELS)}) and "
                    f"[valence, activation, dominance]: {line}"
                )
            elif match[2] != path.stem or match[3] != str(session):
                problems.append(f"{path}:{number}: an utterance of another dialogue: {line}")
            elif match[1] in recordings:
                problems.append(f"{path}:{number}: the utterance has a line above already: {line}")
            else:
                wav = folder / "sentences" / "wav" / match[2] / f"{match[1]}.wav"
                speaker = f"Ses0{session}{match[4]}"
                emotion = emotion_of(match[5], merge_excited)
                recordings[match[1]] = Recording(wav, f"{speaker}-{match[1]}", speaker, emotion)
    if problems:
        raise MeritError(first_of(problems))
    if len(recordings) != (expected := EXPECTED_SESSIONS[session - 1]):
        logger.warning("%s: %d labelled utterances, expected %d", folder, len(recordings), expected)
    return list(recordings.values())


def emotion_of(label: str, merge_excited: bool) -> str:
    """The emotion that a label stands for."""
    return "happy" if label == "exc" and merge_excited else LABELS[label]


def split(
    sessions: Mapping[int, Sequence[Recording]], emotions: Collection[str], fold: int
) -> dict[str, list[Recording]]:
    """Distribute recordings to train, dev, test and babble as ``prepare_iemocap`` says; some belong to none."""
    sets: dict[str, list[Recording]] = {"train": [], "dev": [], "test": [], "babble": []}
    set_of = {fold: "test", fold % len(SESSIONS) + 1: "dev"}
    for session, recordings in sessions.items():
        name = set_of.get(session, "train")
        sets[name] += [recording for recording in recordings if recording.emotion in emotions]
        if name == "train":
            sets["babble"] += [recording for recording in recordings if recording.emotion not in emotions]
    return sets


def prepare_iemocap(
    corpus: Path,
    output: Path,
    classes: str = "angry happy neutral sad",
    fold: int = 1,
    merge_excited: bool = True,
    allow_missing: bool = False,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of a fold of IEMOCAP, with no session in two of them.

    ``babble`` beside them holds what the training speakers say under all other labels: voices for the noise that are
    not at the same time utterances to learn from.

    Args:
        corpus: the folder that holds ``Session1`` to ``Session5``, or the one with ``IEMOCAP_full_release``.
        output: folder of the data directories.
        classes: emotions to recognise (space-separated); utterances with other labels are left out of the three sets.
        fold: session of the test; dev is the next one (after 5 comes 1), training has the other three.
        merge_excited: count excited as happy.
        allow_missing: go on without the audio files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or a session is missing, a label file is wrong, a class or the fold is
            not one of the corpus, audio files are missing, or a set is empty.
    """
    emotions = choose_classes(classes, "IEMOCAP", CLASSES.values())
    if merge_excited and "excited" in emotions:
        raise MeritError("excited is counted as happy; to make it a class of its own: ./run.sh --merge-excited false")
    if fold not in SESSIONS:
        raise MeritError(f"fold {fold}: the folds are the sessions, {' '.join(map(str, SESSIONS))}")
    root = find_sessions(corpus.resolve())
    sessions = {session: read_session(root, session, merge_excited) for session in SESSIONS}
    recordings = [recording for in_session in sessions.values() for recording in in_session]
    expected: Counter[str] = Counter()
    for label, count in EXPECTED.items():
        expected[emotion_of(label, merge_excited)] += count
    compare_counts(recordings, emotions, expected, "the whole corpus")
    report_left_out(recordings, emotions)

    sets = split(sessions, emotions, fold)
    wanted = [recording for chosen in sets.values() for recording in chosen]
    found = {recording for recording in wanted if recording.path.is_file()}
    refuse_missing(root, wanted, found, output, allow_missing)
    sets = {name: [recording for recording in chosen if recording in found] for name, chosen in sets.items()}
    for name in ("train", "dev", "test"):
        write_emotion_set(output / name, sets[name])
    write_babble(output / "babble", sets["babble"], sets["train"])


if __name__ == "__main__":
    run_command(prepare_iemocap)
