"""The Emotional Speech Dataset, ESD (Zhou et al. 2021), as Kaldi data directories."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import write_data_directory
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

# Folder of an emotion -> class. In this order the emotions have a speaker's files 1 to 350, 351 to 700, and so on.
CLASSES = {"Neutral": "neutral", "Angry": "angry", "Happy": "happy", "Sad": "sad", "Surprise": "surprised"}
SENTENCES = 350

# As many women as men in every set: of each language and sex the last speaker is in the test, the one before in dev.
SPEAKERS = {
    "english": {
        "train": ("0015", "0016", "0017", "0011", "0012", "0013"),  # three women, three men
        "dev": ("0018", "0014"),  # a woman, a man
        "test": ("0019", "0020"),
    },
    "mandarin": {
        "train": ("0001", "0002", "0003", "0004", "0005", "0006"),
        "dev": ("0007", "0008"),
        "test": ("0009", "0010"),
    },
}

# The sentences of the corpus's own folders train, evaluation and test.
SENTENCES_OF = {"train": range(51, 351), "dev": range(1, 21), "test": range(21, 51)}


@dataclass(frozen=True)
class Recording:
    """A file that the corpus has: speaker, folder of the emotion, and number of the sentence from 1 to 350."""

    speaker: str
    folder: str
    sentence: int

    @property
    def utterance(self) -> str:
        """The name of the file without its suffix, which begins with the speaker."""
        return f"{self.speaker}_{list(CLASSES).index(self.folder) * SENTENCES + self.sentence:06d}"

    @property
    def emotion(self) -> str:
        """The class."""
        return CLASSES[self.folder]


def find_speakers(corpus: Path) -> Path:
    """Return the folder that holds the speakers: ``corpus`` or up to two folders below it.

    Raises:
        MeritError: when there is none.
    """
    speakers = [speaker for sets in SPEAKERS.values() for group in sets.values() for speaker in group]
    for pattern in ("*", "*/*", "*/*/*"):
        for path in sorted(corpus.glob(pattern)):
            if path.name in speakers and path.is_dir():
                return path.parent
    raise MeritError(
        f"{corpus}: no Emotional Speech Dataset here; give the folder that holds 0001 to 0020 (./run.sh --esd FOLDER). "
        "It is given for research: https://github.com/HLTSingapore/Emotional-Speech-Data"
    )


def find_files(root: Path, languages: Iterable[str]) -> dict[Recording, Path]:
    """Find the recordings of ``languages`` that are there, in the folder of an emotion or in folders within it."""
    files = {}
    for speaker in (speaker for language in languages for group in SPEAKERS[language].values() for speaker in group):
        for folder in CLASSES:
            present = {path.name: path for path in (root / speaker / folder).rglob("*.wav")}
            for recording in (Recording(speaker, folder, sentence) for sentence in range(1, SENTENCES + 1)):
                if path := present.get(f"{recording.utterance}.wav"):
                    files[recording] = path
    return files


def split(languages: Iterable[str], emotions: Sequence[str], disjoint_sentences: bool) -> dict[str, list[Recording]]:
    """Name the recordings of train, dev, test and babble as ``prepare_esd`` says."""
    sets: dict[str, list[Recording]] = {"train": [], "dev": [], "test": [], "babble": []}
    for language in languages:
        for name, speakers in SPEAKERS[language].items():
            sentences = SENTENCES_OF[name] if disjoint_sentences else range(1, SENTENCES + 1)
            for recording in (Recording(who, folder, n) for who in speakers for folder in CLASSES for n in sentences):
                if recording.emotion in emotions:
                    sets[name].append(recording)
                elif name == "train":
                    sets["babble"].append(recording)
    return sets


def prepare_esd(
    corpus: Path,
    output: Path,
    classes: str = "angry happy neutral sad",
    languages: str = "english",
    disjoint_sentences: bool = True,
    allow_missing: bool = False,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of ESD, which have no speaker in common.

    ``babble`` beside them holds what the training speakers say in the emotions that are not among the classes: voices
    for the noise that are not at the same time utterances to learn from. Where every emotion is a class, there are no
    such voices, and it holds the training utterances.

    Args:
        corpus: the folder that holds ``0001`` to ``0020``, or one around it.
        output: folder of the data directories.
        classes: emotions to recognise (space-separated); utterances in the others are left out of the three sets.
        languages: ``english``, ``mandarin`` or both (space-separated).
        disjoint_sentences: no sentence is in two sets, as in the corpus's own folders: dev has 1 to 20, the test 21 to
            50, training 51 to 350. Otherwise every set has all of them.
        allow_missing: go on without the audio files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there, a class or language is not one of the corpus, audio files are
            missing, or a set is empty.
    """
    emotions, spoken = classes.split(), languages.split()
    if not emotions or {*emotions} - {*CLASSES.values()}:
        raise MeritError(f"classes {classes!r}: expected some of the emotions of ESD: {' '.join(CLASSES.values())}")
    if not spoken or {*spoken} - {*SPEAKERS}:
        raise MeritError(f"languages {languages!r}: expected some of {' '.join(SPEAKERS)}")
    root = find_speakers(corpus.resolve())
    files = find_files(root, spoken)
    sets = split(spoken, emotions, disjoint_sentences)
    report_missing(root, sets, files, output / "missing_files.txt", allow_missing)
    sets = {name: [recording for recording in chosen if recording in files] for name, chosen in sets.items()}
    report_left_out(sets, files, emotions)
    if not sets["babble"]:
        logger.warning("the classes leave no utterance for the babble: its voices are the training utterances")
        sets["babble"] = sets["train"]
    for name, chosen in sets.items():
        write_set(output / name, {recording: files[recording] for recording in chosen})


def report_missing(
    root: Path,
    sets: Mapping[str, Sequence[Recording]],
    files: Mapping[Recording, Path],
    missing_list: Path,
    allow_missing: bool,
) -> None:
    """Log for each speaker and emotion, and list, the recordings of ``sets`` that have no file.

    Raises:
        MeritError: when there are such and that is not allowed.
    """
    wanted = [recording for chosen in sets.values() for recording in chosen]
    missing = [recording for recording in wanted if recording not in files]
    missing_list.unlink(missing_ok=True)
    if not missing:
        return
    expected = Counter((recording.speaker, recording.emotion) for recording in wanted)
    for key, count in Counter((recording.speaker, recording.emotion) for recording in missing).items():
        logger.warning("speaker %s, %s: %d files, expected %d", *key, expected[key] - count, expected[key])
    names = sorted(f"{root / recording.speaker / recording.folder / recording.utterance}.wav" for recording in missing)
    write_text(missing_list, "".join(f"{name}\n" for name in names))
    message = f"{root}: {len(missing)} of {len(wanted)} files are missing, listed in {missing_list}"
    if not allow_missing:
        raise MeritError(f"{message}; restore them, or go on without them: ./run.sh --allow-missing true")
    logger.warning("%s; going on without them", message)


def report_left_out(
    sets: Mapping[str, Sequence[Recording]], files: Iterable[Recording], emotions: Sequence[str]
) -> None:
    """Log how many recordings are there and in none of train, dev and test."""
    used = {recording for name in ("train", "dev", "test") for recording in sets[name]}
    unused = [recording for recording in files if recording not in used]
    if others := [recording for recording in unused if recording.emotion not in emotions]:
        logger.info("in none of the classes: %d utterances (%s)", len(others), counts_by_emotion(others))
    if len(unused) > len(others):
        logger.info("of sentences that belong to another set: %d utterances", len(unused) - len(others))


def counts_by_emotion(recordings: Iterable[Recording]) -> str:
    """Describe ``recordings`` as ``44 angry, 24 happy, ...``."""
    counts = Counter(recording.emotion for recording in recordings)
    return ", ".join(f"{counts[emotion]} {emotion}" for emotion in CLASSES.values() if counts[emotion])


def write_set(path: Path, files: Mapping[Recording, Path]) -> None:
    """Write one data directory with absolute paths and durations, and log its counts; babble has no labels."""
    seconds = {recording.utterance: audio_duration(str(file), recording.utterance) for recording, file in files.items()}
    write_data_directory(
        path,
        wav={recording.utterance: str(file) for recording, file in files.items()},
        utt2spk={recording.utterance: recording.speaker for recording in files},
        utt2emo=None if path.name == "babble" else {recording.utterance: recording.emotion for recording in files},
        utt2dur={utterance: f"{duration:.4f}" for utterance, duration in seconds.items()},
    )
    logger.info(
        "%s: %d utterances (%s), speakers %s, %.2f hours",
        path,
        len(files),
        counts_by_emotion(files),
        " ".join(sorted({recording.speaker for recording in files})),
        sum(seconds.values()) / 3600,
    )


if __name__ == "__main__":
    run_command(prepare_esd)
