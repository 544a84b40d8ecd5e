"""What the preparations of corpora share: choosing classes, reporting what is missing, writing data directories.

How a corpus names its files, labels and divides them stands in ``egs/<corpus>/local`` alone.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from merit.data.audio import audio_duration
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

THREADS = 16  # that read lengths from file headers, thousands of them and perhaps over a network


@dataclass(frozen=True)
class Recording:
    """An audio file (absolute path), its name in the tables, who speaks and in which emotion."""

    path: Path
    utterance: str
    speaker: str
    emotion: str


def choose_classes(classes: str, corpus: str, emotions: Collection[str]) -> list[str]:
    """Split the option ``classes`` at its spaces.

    Raises:
        MeritError: when it is empty or names something that is not among the ``emotions`` of ``corpus``.
    """
    chosen = classes.split()
    if not chosen or {*chosen} - {*emotions}:
        raise MeritError(f"classes {classes!r}: expected some of the emotions of {corpus}: {' '.join(emotions)}")
    return chosen


def counts_by_emotion(recordings: Iterable[Recording]) -> str:
    """Describe ``recordings`` as ``44 angry, 24 happy, ...``, in alphabetical order."""
    counts = Counter(recording.emotion for recording in recordings)
    return ", ".join(f"{counts[emotion]} {emotion}" for emotion in sorted(counts))


def report_left_out(recordings: Iterable[Recording], classes: Collection[str]) -> None:
    """Log how many of ``recordings`` are in none of the classes."""
    if others := [recording for recording in recordings if recording.emotion not in classes]:
        logger.info("in none of the classes: %d utterances (%s)", len(others), counts_by_emotion(others))


def compare_counts(
    recordings: Iterable[Recording], classes: Sequence[str], expected: Mapping[str, int], whole: str
) -> None:
    """Log the recordings of each class beside those ``expected`` in ``whole``, where known; warn of other counts."""
    found = Counter(recording.emotion for recording in recordings)
    known = [emotion for emotion in classes if emotion in expected]
    for emotion in classes:
        beside = f", expected in {whole} {expected[emotion]:6d}" if emotion in known else ""
        logger.info("%-10s found %6d%s", emotion, found[emotion], beside)
    if any(found[emotion] != expected[emotion] for emotion in known):
        totals = [sum(counts[emotion] for emotion in known) for counts in (found, expected)]
        message = "%d utterances of the classes, expected %d in %s; scores will not compare with those published on it"
        logger.warning(message, *totals, whole)


def refuse_missing(
    corpus: Path, expected: Collection[Recording], found: Iterable[Recording], output: Path, allow_missing: bool
) -> None:
    """Compare by utterance: count those ``expected`` and not ``found`` by speaker, list them in missing_files.txt.

    Args:
        corpus: folder, for the message.
        expected: recordings, under the paths that the list shall show.
        found: recordings; others than those expected make no difference.
        output: folder of the data directories and of the list.
        allow_missing: warn instead of stopping.

    Raises:
        MeritError: when recordings are missing, unless that is allowed.
    """
    there = {recording.utterance for recording in found}
    missing = [recording for recording in expected if recording.utterance not in there]
    totals, absent = (Counter(recording.speaker for recording in group) for group in (expected, missing))
    if missing:
        counts = [f"{who}: {totals[who] - absent[who]} files of {totals[who]}" for who in sorted(absent)]
        logger.warning("the corpus is not whole:\n%s", first_of(counts, limit=30))
    refuse_incomplete(
        f"{corpus}: {len(missing)} of {len(expected)} files are missing",
        sorted(str(recording.path) for recording in missing),
        output / "missing_files.txt",
        allow_missing,
    )


def refuse_incomplete(message: str, problems: Sequence[str], listing: Path, allow_missing: bool) -> None:
    """Write ``problems``, a line each, to ``listing``; where there are none, only remove the list of an earlier run.

    Raises:
        MeritError: with ``message``, when there are problems, unless they are allowed.
    """
    listing.unlink(missing_ok=True)
    if not problems:
        return
    write_text(listing, "".join(f"{problem}\n" for problem in problems))
    message = f"{message}, listed in {listing}"
    if not allow_missing:
        raise MeritError(f"{message}; restore these files, or go on without them: ./run.sh --allow-missing true")
    logger.warning("%s; going on without these files", message)


def write_emotion_set(path: Path, recordings: Sequence[Recording]) -> None:
    """Write a data directory with emotions and durations (seconds), and log its counts.

    Raises:
        MeritError: when there is no recording, or the header of one cannot be read.
    """
    _write_set(path, recordings, {recording.utterance: recording.emotion for recording in recordings})


def write_babble(path: Path, recordings: Sequence[Recording], training: Sequence[Recording]) -> None:
    """Write the voices for the noise, without emotions: ``recordings`` or, where there are none, those of training.

    Raises:
        MeritError: as :func:`write_emotion_set`.
    """
    if not recordings:
        logger.warning("the classes leave no utterance for the babble: its voices are the training utterances")
    _write_set(path, recordings or training, utt2emo=None)


def _write_set(path: Path, recordings: Sequence[Recording], utt2emo: Mapping[str, str] | None) -> None:
    files = {recording.path: recording.utterance for recording in recordings}  # a file may stand there several times
    with ThreadPoolExecutor(THREADS) as pool:
        seconds = dict(zip(files, pool.map(audio_duration, map(str, files), files.values())))
    durations = {recording.utterance: seconds[recording.path] for recording in recordings}
    write_data_directory(
        path,
        wav={recording.utterance: str(recording.path) for recording in recordings},
        utt2spk={recording.utterance: recording.speaker for recording in recordings},
        utt2emo=utt2emo,
        utt2dur={utterance: f"{duration:.4f}" for utterance, duration in durations.items()},
    )
    speakers = len({recording.speaker for recording in recordings})
    minutes = sum(durations.values()) / 60
    counts = counts_by_emotion(recordings)
    logger.info("%s: %d utterances (%s), %d speakers, %.1f minutes", path, len(recordings), counts, speakers, minutes)
