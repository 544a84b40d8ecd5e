"""CREMA-D, the crowd-sourced emotional multimodal actors dataset (Cao et al. 2014), as Kaldi data directories.

The fields of a file name are actor, sentence, emotion and its level (LO, MD, HI; XX: none was asked for). The label of
an utterance is this emotion, which the actor was asked to show; the votes of the raters are not used.
"""

import csv
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from merit.data.datadir import first_of
from merit.errors import MeritError

logger = logging.getLogger(__name__)

EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
ACTORS = tuple(str(number) for number in range(1001, 1092))
# Drawn once, from the seed 0: seven women and seven men for each. Training has the others.
DEV_ACTORS = tuple("1004 1007 1009 1018 1024 1030 1032 1034 1047 1050 1051 1065 1069 1070".split())
TEST_ACTORS = tuple("1012 1019 1026 1027 1054 1055 1056 1058 1063 1066 1079 1080 1086 1087".split())
# Sentences and emotions of which the corpus has no recording.
NOT_RECORDED = (
    "1002_TIE_NEU_XX",
    *(f"{take}_{emotion}_XX" for take in ("1008_WSI", "1009_MTI", "1019_ITH") for emotion in EMOTIONS),
    "1076_ITS_NEU_XX",
)
SILENT = "1076_MTI_SAD_XX"  # no sound, as the corpus's README says
MISNAMED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}  # in copies of before October 2022


def corpus_files(folder: Path) -> dict[str, Recording]:
    """The 7,442 recordings that the whole corpus has in ``folder``, by name, as ``1001_DFA_ANG_XX``."""
    names = [
        f"{actor}_{sentence}_{emotion}_{level}"
        for actor in ACTORS
        for sentence in SENTENCES
        for emotion in EMOTIONS
        # One sentence was said at three levels, except in the neutral voice.
        for level in (("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",))
    ]
    return {
        name: Recording(folder / f"{name}.wav", name, speaker=name[:4], emotion=EMOTIONS[name[9:12]])
        for name in names
        if name not in NOT_RECORDED
    }


def audio_folder(corpus: Path) -> Path:
    """Return the folder of the WAV files: ``corpus/AudioWAV``, or ``corpus`` itself."""
    return corpus / "AudioWAV" if (corpus / "AudioWAV").is_dir() else corpus


def find_recordings(folder: Path, known: Mapping[str, Recording]) -> list[Recording]:
    """Find the utterances in ``folder``, the silent one included.

    Raises:
        MeritError: when there are no WAV files, files are Git LFS's placeholders, or one is not a file of the corpus.
    """
    files = sorted(path for path in folder.glob("*.wav") if not path.name.startswith("."))
    if not files:
        raise MeritError(
            f"{folder}: no CREMA-D here; give the folder that holds AudioWAV/1001_DFA_ANG_XX.wav "
            "(./run.sh --crema-d FOLDER). The corpus is free: "
            "git lfs clone https://github.com/CheyneyComputerScience/CREMA-D.git"
        )
    paths = {MISNAMED.get(path.stem, path.stem): path for path in files}
    if problems := [path for name, path in paths.items() if name not in known]:
        form = "not a file of CREMA-D (as 1001_DFA_ANG_XX.wav: actor, sentence, emotion, level)"
        raise MeritError(first_of([f"{path}: {form}" for path in problems]))
    if placeholders := sum(map(is_placeholder, paths.values())):
        raise MeritError(
            f"{folder}: {placeholders} of {len(files)} files hold no audio but the addresses that Git LFS gets it "
            "from; install git-lfs and run 'git lfs pull' in the clone of the corpus (a ZIP from GitHub has no audio)"
        )
    return [replace(known[name], path=path) for name, path in paths.items()]


def is_placeholder(path: Path) -> bool:
    """Whether a file is what Git leaves in place of a large one that was not fetched."""
    with path.open("rb") as stream:
        return stream.read(11) == b"version htt"


def read_sexes(path: Path) -> dict[str, str]:
    """Read the sex of each actor from ``VideoDemographics.csv``; nothing when the file is not there.

    Raises:
        MeritError: when the file has other columns.
    """
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        if not {"ActorID", "Sex"} <= set(rows.fieldnames or ()):
            raise MeritError(f"{path}:1: no columns ActorID and Sex; restore the file from the corpus, or remove it")
        return {row["ActorID"]: row["Sex"].lower() for row in rows}


def report_sexes(name: str, recordings: Iterable[Recording], sexes: Mapping[str, str]) -> None:
    """Log how many actors of each sex a set has."""
    actors = {recording.speaker for recording in recordings}
    counts = Counter(sexes.get(actor, "of unknown sex") for actor in actors)
    described = ", ".join(f"{count} {sex}" for sex, count in sorted(counts.items()))
    logger.info("%s: %d actors (%s)", name, len(actors), described)


def prepare_crema_d(
    corpus: Path, output: Path, classes: str = "angry happy neutral sad", allow_missing: bool = False
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of CREMA-D, which have no actor in common.

    ``babble`` beside them holds what the training actors say in the emotions that are not among the classes: voices for
    the noise that are not at the same time utterances to learn from. Where every emotion is a class, there are no such
    voices, and it holds the training utterances.

    Args:
        corpus: the folder that holds ``AudioWAV``, or that folder itself.
        output: folder of the data directories.
        classes: emotions to keep (space-separated), of angry, disgusted, fearful, happy, neutral and sad; utterances of
            the others are left out.
        allow_missing: go on without the files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or not whole, a class is none of its emotions, or a set is empty.
    """
    emotions = choose_classes(classes, "CREMA-D", EMOTIONS.values())
    folder = audio_folder(corpus.resolve())
    known = corpus_files(folder)
    recordings = find_recordings(folder, known)
    refuse_missing(folder, known.values(), recordings, output, allow_missing)
    sexes = read_sexes(folder.parent / "VideoDemographics.csv")
    report_left_out(recordings, emotions)
    logger.info("left out as well: %s, which is silent", SILENT)
    train_actors = [actor for actor in ACTORS if actor not in (*DEV_ACTORS, *TEST_ACTORS)]
    audible = [recording for recording in recordings if recording.utterance != SILENT]
    used = [recording for recording in audible if recording.emotion in emotions]
    sets = {
        name: [recording for recording in used if recording.speaker in actors]
        for name, actors in (("train", train_actors), ("dev", DEV_ACTORS), ("test", TEST_ACTORS))
    }
    for name, set_recordings in sets.items():
        report_sexes(name, set_recordings, sexes)
        write_emotion_set(output / name, set_recordings)
    others = [one for one in audible if one.emotion not in emotions and one.speaker in train_actors]
    write_babble(output / "babble", others, sets["train"])


if __name__ == "__main__":
    run_command(prepare_crema_d)
