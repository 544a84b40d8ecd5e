"""EmoDB, the Berlin Database of Emotional Speech (Burkhardt et al. 2005), as Kaldi data directories."""

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

logger = logging.getLogger(__name__)

FILE_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])[a-z]?\.wav")  # speaker, text, emotion (German initial), version
CLASSES = {
    "W": "angry",
    "F": "happy",
    "N": "neutral",
    "T": "sad",
}  # boredom, disgust and fear (L E A) are for the babble
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")

# Utterances of the whole corpus in these classes, speaker by speaker in the order of SPEAKERS; 339 of its 535 files.
EXPECTED = {
    "angry": (14, 12, 13, 10, 11, 12, 12, 16, 13, 14),
    "happy": (7, 11, 4, 4, 8, 2, 10, 8, 6, 11),
    "neutral": (11, 10, 9, 4, 9, 4, 9, 7, 11, 5),
    "sad": (7, 9, 4, 3, 7, 4, 5, 10, 4, 9),
}


@dataclass(frozen=True)
class Recording:
    """One utterance, as its file name describes it; the emotion is None when it is none of the four classes."""

    path: Path
    speaker: str
    text: str
    emotion: str | None

    @property
    def utterance(self) -> str:
        """The name of the file, which begins with the speaker."""
        return self.path.stem


def find_recordings(corpus: Path) -> list[Recording]:
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
            recordings.append(Recording(path, name[1], name[2], CLASSES.get(name[3])))
    if problems:
        raise MeritError(first_of(problems))
    return recordings


def report_missing(recordings: Iterable[Recording]) -> None:
    """Warn, speaker by speaker, about utterances of the classes that the whole corpus has and ``recordings`` lack."""
    found = Counter((recording.speaker, recording.emotion) for recording in recordings if recording.emotion)
    for emotion, counts in EXPECTED.items():
        for speaker, expected in zip(SPEAKERS, counts):
            if (count := found[speaker, emotion]) != expected:
                logger.warning("speaker %s, %s: %d files, expected %d", speaker, emotion, count, expected)
    total, expected_total = found.total(), sum(map(sum, EXPECTED.values()))
    if total != expected_total:
        logger.warning("the corpus is not whole: %d files of the four classes, expected %d", total, expected_total)


def split(
    recordings: Iterable[Recording],
    dev_speakers: Sequence[str],
    test_speakers: Sequence[str],
    test_texts: Sequence[str],
) -> dict[str, list[Recording]]:
    """Distribute ``recordings`` to train, dev, test and babble as ``prepare_emodb`` says; some belong to none."""
    sets: dict[str, list[Recording]] = {"train": [], "dev": [], "test": [], "babble": []}
    for recording in recordings:
        of_test = recording.text in test_texts
        if recording.emotion is None:
            if recording.speaker not in (*dev_speakers, *test_speakers):
                sets["babble"].append(recording)
        elif recording.speaker in dev_speakers:
            sets["dev"].append(recording)
        elif recording.speaker in test_speakers:
            if of_test or not test_texts:
                sets["test"].append(recording)
        elif not of_test:
            sets["train"].append(recording)
    return sets


def prepare_emodb(
    corpus: Path,
    output: Path,
    dev_speakers: str = "11",
    test_speakers: str = "09 10 15 16",
    test_texts: str = "a01 a04 a07 b03",
    copies: int = 4,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of EmoDB, which have no speaker in common.

    ``babble`` beside them holds what the training speakers say in boredom, disgust and fear: voices for the noise that
    are not at the same time utterances to learn from.

    Args:
        corpus: the folder that holds ``wav``, or that folder itself.
        output: folder of the data directories.
        dev_speakers: speakers of dev (space-separated), with all their sentences; training has who is neither here nor
            in the test.
        test_speakers: speakers of the test.
        test_texts: sentences (a01 to b10) of the test. Training has the other ones; the remaining combinations of
            speaker and sentence are not used. When empty, training and test have all sentences.
        copies: times that each training utterance stands in ``train``, under a name of its own each time, so that
            mixing gives it as many pieces of noise. The corpus is small.

    Raises:
        MeritError: when the corpus is not there, a speaker or sentence is not one of the corpus, a speaker is in two
            sets, or a set is empty.
    """
    dev, test, texts = dev_speakers.split(), test_speakers.split(), test_texts.split()
    if unknown := sorted({*dev, *test} - {*SPEAKERS} | {*texts} - {*TEXTS}):
        raise MeritError(f"{' '.join(unknown)}: not in EmoDB; speakers: {' '.join(SPEAKERS)}; texts: {' '.join(TEXTS)}")
    if both := sorted({*dev} & {*test}):
        raise MeritError(f"speaker {' '.join(both)} is in dev and in test; leave it in one of them")
    recordings = find_recordings(corpus)
    report_missing(recordings)
    for name, chosen in split(recordings, dev, test, texts).items():
        if name == "train":
            named = {f"{recording.utterance}-{n}": recording for recording in chosen for n in range(1, copies + 1)}
        else:
            named = {recording.utterance: recording for recording in chosen}
        seconds = {recording.path: audio_duration(str(recording.path), recording.utterance) for recording in chosen}
        emotions = {utterance: recording.emotion for utterance, recording in named.items() if recording.emotion}
        write_data_directory(
            output / name,
            wav={utterance: str(recording.path) for utterance, recording in named.items()},
            utt2spk={utterance: recording.speaker for utterance, recording in named.items()},
            utt2emo=emotions or None,
            utt2dur={utterance: f"{seconds[recording.path]:.4f}" for utterance, recording in named.items()},
        )
        counts = Counter(recording.emotion for recording in chosen)
        logger.info(
            "%s: %d utterances (%s), speakers %s, %.1f minutes",
            output / name,
            len(chosen),
            ", ".join(f"{counts[emotion]} {emotion}" for emotion in CLASSES.values() if counts[emotion])
            or "for babble",
            " ".join(sorted({recording.speaker for recording in chosen})),
            sum(seconds.values()) / 60,
        )


if __name__ == "__main__":
    run_command(prepare_emodb)
