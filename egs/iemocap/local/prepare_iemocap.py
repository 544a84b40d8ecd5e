"""IEMOCAP (Busso et al. 2008) as Kaldi data directories, one fold of the five by session."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.files import write_text

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


@dataclass(frozen=True)
class Utterance:
    """A labelled utterance; the speaker is session and sex (Ses01M), the emotion a value of LABELS."""

    wav: Path
    session: int
    speaker: str
    emotion: str

    @property
    def name(self) -> str:
        """The speaker comes first, so that utterances and speakers sort alike (Kaldi's rule)."""
        return f"{self.speaker}-{self.wav.stem}"


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


def read_session(root: Path, session: int, merge_excited: bool) -> list[Utterance]:
    """Read the labels of a session: the lines in brackets of ``dialog/EmoEvaluation/Ses*.txt``.

    The header, and the lines of the single annotators under each label, are for other uses.

    Raises:
        MeritError: for a line in brackets that is not of the corpus's form, has an unknown label or another dialogue
            or session than its file, or an utterance that comes twice.
    """
    folder = root / f"Session{session}"
    utterances: dict[str, Utterance] = {}
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
            elif match[1] in utterances:
                problems.append(f"{path}:{number}: the utterance has a line above already: {line}")
            else:
                wav = folder / "sentences" / "wav" / match[2] / f"{match[1]}.wav"
                emotion = "happy" if match[5] == "exc" and merge_excited else LABELS[match[5]]
                utterances[match[1]] = Utterance(wav, session, f"Ses0{session}{match[4]}", emotion)
    if problems:
        raise MeritError(first_of(problems))
    if len(utterances) != EXPECTED_SESSIONS[session - 1]:
        logger.warning(
            "%s: %d labelled utterances, expected %d", folder, len(utterances), EXPECTED_SESSIONS[session - 1]
        )
    return list(utterances.values())


def compare_counts(utterances: Iterable[Utterance], emotions: Sequence[str], merge_excited: bool) -> None:
    """Log the utterances of each class beside those of the whole corpus, and those of no class."""
    found = Counter(utterance.emotion for utterance in utterances)
    expected: Counter[str] = Counter()
    for label, count in EXPECTED.items():
        expected["happy" if label == "exc" and merge_excited else LABELS[label]] += count
    for emotion in emotions:
        logger.info("%-10s found %5d, expected in the whole corpus %5d", emotion, found[emotion], expected[emotion])
    if any(found[emotion] != expected[emotion] for emotion in emotions):
        logger.warning(
            "the corpus is not whole: %d utterances of the classes, expected %d; scores will not compare with those "
            "published on it",
            *(sum(counts[emotion] for emotion in emotions) for counts in (found, expected)),
        )
    if others := {label: found[label] for label in LABELS.values() if found[label] and label not in emotions}:
        counts = ", ".join(f"{count} {label}" for label, count in others.items())
        logger.info("in none of the classes: %d utterances (%s)", sum(others.values()), counts)


def split(utterances: Iterable[Utterance], emotions: Sequence[str], fold: int) -> dict[str, list[Utterance]]:
    """Distribute ``utterances`` to train, dev, test and babble as ``prepare_iemocap`` says; some belong to none."""
    sets: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": [], "babble": []}
    set_of = {fold: "test", fold % len(SESSIONS) + 1: "dev"}
    for utterance in utterances:
        name = set_of.get(utterance.session, "train")
        if utterance.emotion in emotions:
            sets[name].append(utterance)
        elif name == "train":
            sets["babble"].append(utterance)
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
    emotions = classes.split()
    if not emotions or {*emotions} - {*CLASSES.values()}:
        raise MeritError(f"classes {classes!r}: expected some of the emotions of IEMOCAP: {' '.join(CLASSES.values())}")
    if merge_excited and "excited" in emotions:
        raise MeritError("excited is counted as happy; to make it a class of its own: ./run.sh --merge-excited false")
    if fold not in SESSIONS:
        raise MeritError(f"fold {fold}: the folds are the sessions, {' '.join(map(str, SESSIONS))}")
    root = find_sessions(corpus.resolve())
    utterances = [utterance for session in SESSIONS for utterance in read_session(root, session, merge_excited)]
    compare_counts(utterances, emotions, merge_excited)

    sets = split(utterances, emotions, fold)
    missing = {str(utterance.wav) for chosen in sets.values() for utterance in chosen if not utterance.wav.is_file()}
    missing_list = output / "missing_files.txt"
    missing_list.unlink(missing_ok=True)
    if missing:
        write_text(missing_list, "".join(f"{file}\n" for file in sorted(missing)))
        message = (
            f"{root}: {len(missing)} of {sum(map(len, sets.values()))} files are missing, listed in {missing_list}"
        )
        if not allow_missing:
            raise MeritError(f"{message}; restore them, or go on without them: ./run.sh --allow-missing true")
        logger.warning("%s; going on without them", message)
    for name, chosen in sets.items():
        write_set(output / name, [utterance for utterance in chosen if str(utterance.wav) not in missing])


def write_set(path: Path, utterances: Sequence[Utterance]) -> None:
    """Write one data directory with absolute paths and durations, and log its counts; babble has no labels."""
    seconds = {utterance.name: audio_duration(str(utterance.wav), utterance.name) for utterance in utterances}
    labels = {utterance.name: utterance.emotion for utterance in utterances}
    write_data_directory(
        path,
        wav={utterance.name: str(utterance.wav) for utterance in utterances},
        utt2spk={utterance.name: utterance.speaker for utterance in utterances},
        utt2emo=None if path.name == "babble" else labels,
        utt2dur={name: f"{duration:.4f}" for name, duration in seconds.items()},
    )
    counts = Counter(labels.values())
    logger.info(
        "%s: %d utterances (%s), speakers %s, %.2f hours",
        path,
        len(utterances),
        ", ".join(f"{counts[emotion]} {emotion}" for emotion in LABELS.values() if counts[emotion]),
        " ".join(sorted({utterance.speaker for utterance in utterances})),
        sum(seconds.values()) / 3600,
    )


if __name__ == "__main__":
    run_command(prepare_iemocap)
