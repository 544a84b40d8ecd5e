"""EmoDB, the Berlin Database of Emotional Speech (Burkhardt et al. 2005), as Kaldi data directories."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from merit.command import run_command
from merit.data.corpus import Recording, choose_classes, report_left_out, write_babble, write_emotion_set
from merit.data.datadir import first_of
from merit.errors import MeritError

logger = logging.getLogger(__name__)

FILE_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])[a-z]?\.wav")  # speaker, text, emotion (German initial), version
CLASSES = {
    "W": "angry",
    "F": "happy",
    "N": "neutral",
    "T": "sad",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
}
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")

# Utterances of the whole corpus, speaker by speaker in the order of SPEAKERS; 535 files.
EXPECTED = {
    "angry": (14, 12, 13, 10, 11, 12, 12, 16, 13, 14),
    "happy": (7, 11, 4, 4, 8, 2, 10, 8, 6, 11),
    "neutral": (11, 10, 9, 4, 9, 4, 9, 7, 11, 5),
    "sad": (7, 9, 4, 3, 7, 4, 5, 10, 4, 9),
    "bored": (5, 10, 4, 8, 8, 5, 10, 8, 9, 14),
    "disgusted": (1, 0, 8, 1, 2, 2, 8, 8, 5, 11),
    "fearful": (4, 6, 1, 8, 10, 6, 7, 12, 8, 7),
}


@dataclass(frozen=True)
class Sentence(Recording):
    """A recording and the sentence that is said, a01 to b10."""

    text: str


def find_recordings(corpus: Path) -> list[Sentence]:
    """Find the utterances in ``corpus/wav`` or in ``corpus`` itself.

    Raises:
        MeritError: when there are no WAV files, or one is not named as in the corpus.
    """
    folder = corpus / "wav" if (corpus / "wav").is_dir() else corpus
    files = sorted(path.resolve() for path in folder.glob("*.wav"))
    if not files:
        raise MeritError(
            f"{corpus}: no EmoDB here; give the folder that holds wav/03a01Fa.wav (./run.sh --emodb FOLDER). The "
            "Berlin Database of Emotional Speech is free: http://emodb.bilderbar.info/download/download.zip, or "
            "https://zenodo.org/records/7447302"
        )
    recordings, problems = [], []
    for path in files:
        name = FILE_NAME.fullmatch(path.name)
        if name is None:
            problems.append(f"{path}: not a file name of EmoDB (speaker, text, emotion, version: 03a01Fa.wav)")
        else:
            recordings.append(Sentence(path, path.stem, name[1], CLASSES[name[3]], text=name[2]))
    if problems:
        raise MeritError(first_of(problems))
    return recordings


def report_missing(recordings: Iterable[Recording], classes: Sequence[str]) -> None:
    """Warn, speaker by speaker, about utterances of the classes that the whole corpus has and ``recordings`` lack."""
    found = Counter((recording.speaker, recording.emotion) for recording in recordings if recording.emotion in classes)
    for emotion in classes:
        for speaker, expected in zip(SPEAKERS, EXPECTED[emotion]):
            if (count := found[speaker, emotion]) != expected:
                logger.warning("speaker %s, %s: %d files, expected %d", speaker, emotion, count, expected)
    total, expected_total = found.total(), sum(sum(EXPECTED[emotion]) for emotion in classes)
    if total != expected_total:
        logger.warning(
            "the corpus is not whole: %d files of the %d classes, expected %d", total, len(classes), expected_total
        )


def split(
    recordings: Iterable[Sentence],
    classes: Sequence[str],
    dev_speakers: Sequence[str],
    test_speakers: Sequence[str],
    test_texts: Sequence[str],
) -> dict[str, list[Sentence]]:
    """Distribute ``recordings`` to train, dev, test and babble as ``prepare_emodb`` says; some belong to none."""
    sets: dict[str, list[Sentence]] = {"train": [], "dev": [], "test": [], "babble": []}
    for recording in recordings:
        test_sentences = recording.text in test_texts
        if recording.emotion not in classes:
            if recording.speaker not in (*dev_speakers, *test_speakers):
                sets["babble"].append(recording)
        elif recording.speaker in dev_speakers:
            sets["dev"].append(recording)
        elif recording.speaker in test_speakers:
            if test_sentences or not test_texts:
                sets["test"].append(recording)
        elif not test_sentences:
            sets["train"].append(recording)
    return sets


def prepare_emodb(
    corpus: Path,
    output: Path,
    classes: str = "angry happy neutral sad",
    dev_speakers: str = "11",
    test_speakers: str = "09 10 15 16",
    test_texts: str = "a01 a04 a07 b03",
    copies: int = 4,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of EmoDB, which have no speaker in common.

    ``babble`` beside them holds what the training speakers say in the emotions that are not among the classes: voices
    for the noise that are not at the same time utterances to learn from. Where every emotion is a class, there are no
    such voices, and it holds the training utterances.

    Args:
        corpus: the folder that holds ``wav``, or that folder itself.
        output: folder of the data directories.
        classes: emotions to recognise (space-separated); utterances in the others are left out of the three sets.
        dev_speakers: speakers of dev (space-separated), with all their sentences; training has who is neither here nor
            in the test.
        test_speakers: speakers of the test.
        test_texts: sentences (a01 to b10) of the test. Training has the other ones; the remaining combinations of
            speaker and sentence are not used. When empty, training and test have all sentences.
        copies: times that each training utterance stands in ``train``, under a name of its own each time, so that
            mixing gives it as many pieces of noise. The corpus is small.

    Raises:
        MeritError: when the corpus is not there, a class, speaker or sentence is not one of the corpus, a speaker is in
            two sets, or a set is empty.
    """
    emotions = choose_classes(classes, "EmoDB", CLASSES.values())
    dev, test, texts = dev_speakers.split(), test_speakers.split(), test_texts.split()
    if unknown := sorted({*dev, *test} - {*SPEAKERS} | {*texts} - {*TEXTS}):
        raise MeritError(f"{' '.join(unknown)}: not in EmoDB; speakers: {' '.join(SPEAKERS)}; texts: {' '.join(TEXTS)}")
    if both := sorted({*dev} & {*test}):
        raise MeritError(f"speaker {' '.join(both)} is in dev and in test; leave it in one of them")
    recordings = find_recordings(corpus)
    report_missing(recordings, emotions)
    report_left_out(recordings, emotions)
    sets = split(recordings, emotions, dev, test, texts)
    train = [
        replace(chosen, utterance=f"{chosen.utterance}-{n}") for chosen in sets["train"] for n in range(1, copies + 1)
    ]
    write_emotion_set(output / "train", train)
    write_emotion_set(output / "dev", sets["dev"])
    write_emotion_set(output / "test", sets["test"])
    write_babble(output / "babble", sets["babble"], sets["train"])


if __name__ == "__main__":
    run_command(prepare_emodb)
