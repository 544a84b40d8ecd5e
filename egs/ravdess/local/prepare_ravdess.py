"""The speech of RAVDESS, the Ryerson database of emotional speech and song (Livingstone and Russo 2018), as Kaldi data
directories.

The seven fields of a file name are modality (03: audio only), vocal channel (01: speech), emotion, intensity (01
normal, 02 strong), statement, repetition and actor. All recordings have all combinations, but neutral is never strong.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.files import write_text

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


@dataclass(frozen=True)
class Recording:
    """One utterance, as its file name describes it."""

    path: Path
    actor: str
    emotion: str

    @property
    def utterance(self) -> str:
        """The speaker comes first, so that utterances and speakers sort alike (Kaldi's rule)."""
        return f"{self.actor}-{self.path.stem}"


def corpus_files() -> dict[str, tuple[str, str]]:
    """Actor and emotion of the 1,440 speech files of the corpus, by path, as ``Actor_12/03-01-06-01-02-01-12.wav``."""
    files = {}
    two = ("01", "02")
    for actor, emotion, intensity, statement, repetition in product(ACTORS, EMOTIONS, two, two, two):
        if (EMOTIONS[emotion], intensity) != ("neutral", "02"):
            name = f"03-01-{emotion}-{intensity}-{statement}-{repetition}-{actor[-2:]}.wav"
            files[f"{actor}/{name}"] = (actor, EMOTIONS[emotion])
    return files


def find_recordings(corpus: Path) -> list[Recording]:
    """Find the speech files; songs and sound tracks of videos beside them are left out.

    Raises:
        MeritError: when there are no WAV files in actors' folders, or one is not a file of the corpus.
    """
    known = corpus_files()
    recordings, problems, others = [], [], 0
    for path in sorted(path for path in corpus.glob("Actor_*/*.wav") if not path.name.startswith(".")):
        name = path.relative_to(corpus).as_posix()
        if name in known:
            recordings.append(Recording(path.resolve(), *known[name]))
        elif NO_AUDIO_ONLY_SPEECH.fullmatch(name):
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


def report_missing(corpus: Path, recordings: Sequence[Recording], listing: Path, allow_missing: bool) -> None:
    """List in ``listing`` the files that the whole corpus has and ``recordings`` lack, and count them by actor.

    Raises:
        MeritError: when files are missing, unless that is allowed.
    """
    listing.unlink(missing_ok=True)
    known = corpus_files()
    missing = sorted(known.keys() - {f"{recording.actor}/{recording.path.name}" for recording in recordings})
    if not missing:
        return
    write_text(listing, "".join(f"{corpus / name}\n" for name in missing))
    expected = Counter(actor for actor, _ in known.values())
    found = Counter(recording.actor for recording in recordings)
    counts = [
        f"{actor}: {found[actor]} files of {expected[actor]}" for actor in ACTORS if found[actor] < expected[actor]
    ]
    logger.warning("the corpus is not whole:\n%s", first_of(counts, limit=len(ACTORS)))
    message = f"{corpus}: {len(missing)} of {len(known)} files are missing, listed in {listing}"
    if not allow_missing:
        raise MeritError(f"{message}; restore them, or go on without them: ./run.sh --allow-missing true")
    logger.warning("%s; going on without them", message)


def counts_by_emotion(recordings: Iterable[Recording]) -> str:
    """Describe ``recordings`` as ``80 angry, 80 happy, ...``."""
    counts = Counter(recording.emotion for recording in recordings)
    return ", ".join(f"{counts[emotion]} {emotion}" for emotion in EMOTIONS.values() if counts[emotion])


def prepare_ravdess(
    corpus: Path, output: Path, classes: str = "angry happy neutral sad", allow_missing: bool = False
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of RAVDESS, which have no actor in common.

    Args:
        corpus: the folder that holds ``Actor_01`` to ``Actor_24``.
        output: folder of the data directories.
        classes: emotions to keep (space-separated), of neutral, calm, happy, sad, angry, fearful, disgusted and
            surprised; utterances of the others are left out.
        allow_missing: go on without the files that are missing, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or not whole, a class is none of its emotions, or a set is empty.
    """
    emotions = classes.split()
    if not emotions or {*emotions} - {*EMOTIONS.values()}:
        raise MeritError(
            f"classes {classes!r}: expected some of the emotions of RAVDESS: {' '.join(EMOTIONS.values())}"
        )
    recordings = find_recordings(corpus)
    report_missing(corpus, recordings, output / "missing_files.txt", allow_missing)
    if others := [recording for recording in recordings if recording.emotion not in emotions]:
        logger.info("in none of the classes: %d utterances (%s)", len(others), counts_by_emotion(others))
    train_actors = [actor for actor in ACTORS if actor not in (*DEV_ACTORS, *TEST_ACTORS)]
    for name, actors in (("train", train_actors), ("dev", DEV_ACTORS), ("test", TEST_ACTORS)):
        of_set = [recording for recording in recordings if recording.actor in actors and recording.emotion in emotions]
        write_set(output / name, of_set)


def write_set(path: Path, recordings: Sequence[Recording]) -> None:
    """Write one data directory with absolute paths and durations, and log its counts."""
    wav = {recording.utterance: str(recording.path) for recording in recordings}
    seconds = {utterance: audio_duration(file, utterance) for utterance, file in wav.items()}
    write_data_directory(
        path,
        wav=wav,
        utt2spk={recording.utterance: recording.actor for recording in recordings},
        utt2emo={recording.utterance: recording.emotion for recording in recordings},
        utt2dur={utterance: f"{duration:.4f}" for utterance, duration in seconds.items()},
    )
    logger.info(
        "%s: %d utterances (%s), %d actors, %.1f minutes",
        path,
        len(recordings),
        counts_by_emotion(recordings),
        len({recording.actor for recording in recordings}),
        sum(seconds.values()) / 60,
    )


if __name__ == "__main__":
    run_command(prepare_ravdess)
