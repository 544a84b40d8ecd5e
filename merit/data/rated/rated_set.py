"""Data directories of rated clips: what the preparations of all MOS corpora write, and how their counts are said."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from merit.data.audio import audio_duration
from merit.data.corpus import THREADS, refuse_incomplete
from merit.data.datadir import write_data_directory
from merit.data.rated.ratings import RATINGS, RatedClip, Rating, clips_of, read_ratings, write_ratings
from merit.errors import MeritError

logger = logging.getLogger(__name__)


def refuse_missing_clips(corpus: Path, ratings: Sequence[Rating], output: Path, allow_missing: bool) -> list[Rating]:
    """Those of ``ratings`` whose files are there; the others are listed in ``missing_files.txt``.

    Args:
        corpus: folder, for the message.
        ratings: all lines.
        output: folder of the data directories and of the list.
        allow_missing: warn instead of stopping.

    Raises:
        MeritError: when files are missing, unless that is allowed.
    """
    files = {rating.wav_path for rating in ratings}
    missing = {file for file in files if not Path(file).is_file()}
    refuse_incomplete(
        f"{corpus}: {len(missing)} of {len(files)} files are missing",
        sorted(missing),
        output / "missing_files.txt",
        allow_missing,
    )
    return [rating for rating in ratings if rating.wav_path not in missing]


def write_rated_sets(corpus: Path, sets: Mapping[str, Sequence[Rating]], output: Path, allow_missing: bool) -> None:
    """Write a data directory for each set, ``output/<name>``, of those clips whose files are there.

    Of several ratings that a listener gave one clip all are kept: those after the first under names of their own.

    Raises:
        MeritError: as :func:`refuse_missing_clips` and :func:`write_rated_set`.
    """
    everything = [rating for ratings in sets.values() for rating in ratings]
    there = refuse_missing_clips(corpus, everything, output, allow_missing)
    found = {rating.wav_path for rating in there}
    for name, ratings in sets.items():
        write_rated_set(output / name, told_apart([rating for rating in ratings if rating.wav_path in found]))


def told_apart(ratings: Sequence[Rating]) -> list[Rating]:
    """The same ratings; the second that a listener gave a clip is of ``<listener>~2``, and so on."""
    times: Counter[tuple[str, str]] = Counter()
    found = []
    for rating in ratings:
        key = (rating.utterance, rating.listener_id)
        times[key] += 1
        repeated = rating.listener_id and times[key] > 1
        found.append(replace(rating, listener_id=f"{rating.listener_id}~{times[key]}") if repeated else rating)
    return found


def score_in(path: Path, line: int, text: str) -> float:
    """A score in a corpus's own table.

    Raises:
        MeritError: when it is no number; names the line.
    """
    try:
        return float(text)
    except ValueError as error:
        raise MeritError(f"{path}:{line}: {text!r} where a score is expected; restore the file") from error


def write_rated_set(path: Path, ratings: Sequence[Rating]) -> None:
    """Write a data directory of rated clips, and log its counts.

    ``ratings.csv`` beside Kaldi's tables, in which a system takes the place of a speaker. Audio of any rate stays as it
    is; what reads it resamples it.

    Raises:
        MeritError: when there is no clip, the header of one cannot be read, or the ratings contradict one another.
    """
    path.mkdir(parents=True, exist_ok=True)
    write_ratings(path / RATINGS, sorted(ratings, key=lambda rating: (rating.utterance, rating.listener_id)))
    clips = clips_of(read_ratings(path / RATINGS))
    with ThreadPoolExecutor(THREADS) as pool:
        seconds = list(pool.map(audio_duration, (clip.wav_path for clip in clips.values()), clips))
    write_data_directory(
        path,
        wav={name: clip.wav_path for name, clip in clips.items()},
        utt2spk={name: clip.system_id for name, clip in clips.items()},
        utt2dur={name: f"{duration:.4f}" for name, duration in zip(clips, seconds)},
    )
    logger.info("%s: %s, %.1f minutes", path, counts(list(clips.values())), sum(seconds) / 60)


def compare_clip_counts(sets: Mapping[str, Sequence[Rating]], expected: Mapping[str, int], whole: str) -> None:
    """Log the clips of each set beside those ``expected`` in ``whole``; warn of other counts."""
    found = {name: len({rating.utterance for rating in ratings}) for name, ratings in sets.items()}
    for name, count in expected.items():
        logger.info("%-5s found %6d clips, expected in %s %6d", name, found.get(name, 0), whole, count)
    if any(found.get(name) != count for name, count in expected.items()):
        logger.warning("other clips than %s has; scores will not compare with those published on it", whole)


def unrated_clips(folder: Path) -> list[Rating]:
    """Audio of further generating systems that nobody rated: ``folder/<system>/...``, WAV or FLAC, for a training set.

    Raises:
        MeritError: when there is no such file.
    """
    files = sorted(file for suffix in ("wav", "flac") for file in folder.glob(f"*/**/*.{suffix}"))
    if not files:
        raise MeritError(f"{folder}: no audio; expected a folder for each system with WAV or FLAC files in it")
    found = []
    for file in files:
        system, *place = file.relative_to(folder).with_suffix("").parts
        found.append(Rating(str(file.resolve()), clean_name(system), clean_name("_".join(place))))
    return found


def clean_name(name: str) -> str:
    """A name that can be a key of a table: spaces and slashes become underscores."""
    return "_".join(name.replace("/", " ").split())


def counts(clips: Sequence[RatedClip]) -> str:
    """Describe clips as ``20 clips of 5 systems, 18 rated, 144 ratings of 8 listeners``."""
    systems = {clip.system_id for clip in clips}
    rated = sum(bool(clip.scores) for clip in clips)
    ratings = sum(len(clip.scores) for clip in clips)
    listeners = {listener for clip in clips for listener in clip.listeners if listener}
    by = f" of {len(listeners)} listeners" if listeners else ", means over listeners"
    return f"{len(clips)} clips of {len(systems)} systems, {rated} rated, {ratings} ratings{by if ratings else ''}"
