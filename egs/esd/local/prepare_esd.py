"""The Emotional Speech Dataset, ESD (Zhou et al. 2021), as Kaldi data directories."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from merit.command import run_command
from merit.data.corpus import (
    Recording,
    choose_classes,
    refuse_missing,
    report_left_out,
    write_babble,
    write_emotion_set,
)
from merit.errors import MeritError

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
class Sentence(Recording):
    """A recording and the number of the sentence that is said, from 1 to 350."""

    sentence: int


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


def corpus_files(root: Path, languages: Iterable[str]) -> list[Sentence]:
    """Name the recordings of ``languages`` in the whole corpus, each in the folder of its speaker and emotion."""
    files = []
    for speaker in (speaker for language in languages for group in SPEAKERS[language].values() for speaker in group):
        for index, (folder, emotion) in enumerate(CLASSES.items()):
            for sentence in range(1, SENTENCES + 1):
                name = f"{speaker}_{index * SENTENCES + sentence:06d}"
                files.append(Sentence(root / speaker / folder / f"{name}.wav", name, speaker, emotion, sentence))
    return files


def find_recordings(known: Collection[Sentence]) -> list[Sentence]:
    """Find those of ``known`` that are there, in the folder of their emotion or in folders within it."""
    folders = {recording.path.parent for recording in known}
    paths = {folder / path.name: path for folder in folders for path in folder.rglob("*.wav")}
    return [replace(recording, path=paths[recording.path]) for recording in known if recording.path in paths]


def split(
    recordings: Iterable[Sentence], emotions: Sequence[str], disjoint_sentences: bool
) -> dict[str, list[Sentence]]:
    """Distribute ``recordings`` to train, dev, test and babble as ``prepare_esd`` says; some belong to none."""
    sets: dict[str, list[Sentence]] = {"train": [], "dev": [], "test": [], "babble": []}
    set_of = {who: name for groups in SPEAKERS.values() for name, group in groups.items() for who in group}
    for recording in recordings:
        name = set_of[recording.speaker]
        if disjoint_sentences and recording.sentence not in SENTENCES_OF[name]:
            continue
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
    emotions = choose_classes(classes, "ESD", CLASSES.values())
    spoken = languages.split()
    if not spoken or {*spoken} - {*SPEAKERS}:
        raise MeritError(f"languages {languages!r}: expected some of {' '.join(SPEAKERS)}")
    root = find_speakers(corpus.resolve())
    known = corpus_files(root, spoken)
    recordings = find_recordings(known)
    wanted = [recording for chosen in split(known, emotions, disjoint_sentences).values() for recording in chosen]
    refuse_missing(root, wanted, recordings, output, allow_missing)
    report_left_out(recordings, emotions)
    sets = split(recordings, emotions, disjoint_sentences)
    in_classes = sum(recording.emotion in emotions for recording in recordings)
    if others := in_classes - sum(len(sets[name]) for name in ("train", "dev", "test")):
        logger.info("of sentences that belong to another set: %d utterances", others)
    for name in ("train", "dev", "test"):
        write_emotion_set(output / name, sets[name])
    write_babble(output / "babble", sets["babble"], sets["train"])


if __name__ == "__main__":
    run_command(prepare_esd)
