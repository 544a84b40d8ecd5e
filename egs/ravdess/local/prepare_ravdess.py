"""The speech of RAVDESS, the Ryerson database of emotional speech and song (Livingstone and Russo 2018), as Kaldi data
directories.

The seven fields of a file name are modality (03: audio only), vocal channel (01: speech), emotion, intensity (01
normal, 02 strong), statement, repetition and actor. All recordings have all combinations, but neutral is never strong.
"""

import logging
import re
from collections.abc import Mapping
from itertools import product
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
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
ACTORS = tuple(f"Actor_{number:02}" for number in range(1, 25))  # odd numbers are men, even ones women
# Drawn once, from the seed 0: two women and two men for dev, three and three for the test. Training has the others.
DEV_ACTORS = ("Actor_11", "Actor_14", "Actor_20", "Actor_23")
TEST_ACTORS = ("Actor_02", "Actor_03", "Actor_04", "Actor_05", "Actor_07", "Actor_18")
# Songs, and sound that was taken from the videos: the same fields with other modalities and channels.
NO_AUDIO_ONLY_SPEECH = re.compile(r"Actor_(\d\d)/(?!03-01-)0[1-3]-0[12]-0[1-8]-0[12]-0[12]-0[12]-\1\.wav")


def corpus_files(corpus: Path) -> dict[Path, Recording]:
    """The 1,440 speech files that the whole corpus has, by path, as ``Actor_12/03-01-06-01-02-01-12.wav``.

    Names of utterances begin with the speaker, so that both sort alike (Kaldi's rule).
    """
    files = {}
    two = ("01", "02")
    for actor, emotion, intensity, statement, repetition in product(ACTORS, EMOTIONS, two, two, two):
        if (EMOTIONS[emotion], intensity) != ("neutral", "02"):
            name = f"03-01-{emotion}-{intensity}-{statement}-{repetition}-{actor[-2:]}"
            path = corpus / actor / f"{name}.wav"
            files[path] = Recording(path, f"{actor}-{name}", actor, EMOTIONS[emotion])
    return files


def find_recordings(corpus: Path, known: Mapping[Path, Recording]) -> list[Recording]:
    """Find the speech files; songs and sound tracks of videos beside them are left out.

    Raises:
        MeritError: when there are no WAV files in actors' folders, or one is not a file of the corpus.
    """
    recordings, problems, others = [], [], 0
    for path in sorted(path for path in corpus.glob("Actor_*/*.wav") if not path.name.startswith(".")):
        if path in known:
            recordings.append(known[path])
        elif NO_AUDIO_ONLY_SPEECH.fullmatch(path.relative_to(corpus).as_posix()):
            others += 1
        else:
            problems.append(f"{path}: not a file of RAVDESS (as Actor_12/03-01-06-01-02-01-12.wav)")
    if problems:
        raise MeritError(first_of(problems))
    if not recordings:
        raise MeritError(
            f"{corpus}: no speech of RAVDESS here; give the folder that holds Actor_01 to Actor_24 with "
            "03-01-06-01-02-01-12.wav and others (./run.sh --ravdess FOLDER). The corpus is free: "
            "Audio_Speech_Actors_01-24.zip from https://zenodo.org/records/1188976"
        )
    if others:
        logger.info("%s: %d other files (songs, sound of videos) are left out", corpus, others)
    return recordings


def prepare_ravdess(
    corpus: Path, output: Path, classes: str = "angry happy neutral sad", allow_missing: bool = False
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of RAVDESS, which have no actor in common.

    ``babble`` beside them holds what the training actors say in the emotions that are not among the classes: voices for
    the noise that are not at the same time utterances to learn from. Where every emotion is a class, there are no such
    voices, and it holds the training utterances.

    Args:
        corpus: the folder that holds ``Actor_01`` to ``Actor_24``.
        output: folder of the data directories.
        classes: emotions to keep (space-separated), of neutral, calm, happy, sad, angry, fearful, disgusted and
            surprised; utterances of the others are left out.
        allow_missing: go on without the files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or not whole, a class is none of its emotions, or a set is empty.
    """
    emotions = choose_classes(classes, "RAVDESS", EMOTIONS.values())
    corpus = corpus.resolve()
    known = corpus_files(corpus)
    recordings = find_recordings(corpus, known)
    refuse_missing(corpus, known.values(), recordings, output, allow_missing)
    report_left_out(recordings, emotions)
    train_actors = [actor for actor in ACTORS if actor not in (*DEV_ACTORS, *TEST_ACTORS)]
    used = [recording for recording in recordings if recording.emotion in emotions]
    sets = {
        name: [recording for recording in used if recording.speaker in actors]
        for name, actors in (("train", train_actors), ("dev", DEV_ACTORS), ("test", TEST_ACTORS))
    }
    for name, set_recordings in sets.items():
        write_emotion_set(output / name, set_recordings)
    others = [one for one in recordings if one.emotion not in emotions and one.speaker in train_actors]
    write_babble(output / "babble", others, sets["train"])


if __name__ == "__main__":
    run_command(prepare_ravdess)
