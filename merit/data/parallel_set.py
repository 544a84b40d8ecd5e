"""Data directories of speech with texts in several languages: what the preparations of all translated corpora write."""

import logging
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from merit.data.audio import audio_duration
from merit.data.corpus import THREADS, refuse_incomplete
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpokenText:
    """An utterance with its text in each language.

    Attributes:
        utterance: name in the tables.
        audio: entry of ``wav.scp``.
        speaker: name in the tables.
        texts: language -> text; the language is the name of a file, ``text.<language>``.
    """

    utterance: str
    audio: str
    speaker: str
    texts: Mapping[str, str]


def one_line(text: str) -> str:
    """A text as it stands in a table: one line in Unicode normal form C, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_lines(path: Path, what_to_do: str) -> list[str]:
    """The lines of a text of a corpus, without their line ends and the spaces around them.

    Raises:
        MeritError: when it is missing or not UTF-8; ``what_to_do`` ends the message.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MeritError(f"{path}: the file is missing; {what_to_do}") from error
    except UnicodeDecodeError as error:
        raise MeritError(f"{path}: not UTF-8 text (byte {error.start}); {what_to_do}") from error
    return [line.strip() for line in text.removesuffix("\n").split("\n")]


def part_of(recording: Path, start: float, end: float, channel: int | None = None) -> str:
    """The entry of ``wav.scp`` that is a part of a recording, as far as the recording goes.

    Tables of corpora give the last segments ends that lie a little beyond the file. Whether it is there at all is
    looked at when the set is written.

    Args:
        recording: file.
        start, end: seconds.
        channel: counted from 0; None for all.
    """
    end = min(end, _seconds(recording))
    return f"{recording}[{start:.6f}:{end:.6f}{'' if channel is None else f':{channel}'}]"


@lru_cache(maxsize=1 << 16)
def _seconds(recording: Path) -> float:
    try:
        return audio_duration(str(recording), recording.stem)
    except MeritError:
        return float("inf")


def write_parallel_sets(
    corpus: Path,
    sets: Mapping[str, Sequence[SpokenText]],
    output: Path,
    bandwidth: str,
    allow_missing: bool,
) -> None:
    """Write a data directory for each set, ``output/<name>``, and log its counts.

    Utterances whose audio is missing or damaged are listed in ``missing_files.txt``; those that have no text in one of
    the languages are left out, and listed in ``empty_texts.txt``.

    Args:
        corpus: folder, for messages.
        sets: name -> utterances, all with the same languages.
        output: folder of the data directories and of the lists.
        bandwidth: of the corpus, ``wide`` or ``narrow``.
        allow_missing: warn of audio that is missing instead of stopping.

    Raises:
        MeritError: when audio is missing, unless that is allowed, two utterances have one name, or nothing is left of a
            set.
    """
    utterances = [utterance for group in sets.values() for utterance in group]
    if len({utterance.utterance for utterance in utterances}) < len(utterances):
        raise MeritError(f"{corpus}: two utterances have the same name; restore the corpus's tables")
    durations, problems = _durations(utterances)
    refuse_incomplete(
        f"{corpus}: the audio of {len(problems)} of {len(utterances)} utterances is missing or damaged",
        problems,
        output / "missing_files.txt",
        allow_missing,
    )
    _report_empty(utterances, output / "empty_texts.txt")
    for name, group in sets.items():
        _write_set(output / name, [one for one in group if one.utterance in durations], durations, bandwidth)


def _durations(utterances: Sequence[SpokenText]) -> tuple[dict[str, float], list[str]]:
    """Seconds of each utterance, as far as the headers tell, and what is wrong with the others."""

    def duration(utterance: SpokenText) -> float | MeritError:
        try:
            return audio_duration(utterance.audio, utterance.utterance)
        except MeritError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(duration, utterances))
    durations = {one.utterance: value for one, value in zip(utterances, found) if isinstance(value, float)}
    return durations, sorted(str(value) for value in found if isinstance(value, MeritError))


def _report_empty(utterances: Iterable[SpokenText], listing: Path) -> None:
    empty = [
        f"{utterance.utterance}: no text.{language}"
        for utterance in utterances
        for language, text in utterance.texts.items()
        if not text
    ]
    listing.unlink(missing_ok=True)
    if empty:
        write_text(listing, "".join(f"{line}\n" for line in empty))
        logger.warning("left out for an empty text, all listed in %s:\n%s", listing, first_of(empty, limit=5))


def _write_set(path: Path, group: Sequence[SpokenText], durations: Mapping[str, float], bandwidth: str) -> None:
    whole = [one for one in group if all(one.texts.values())]
    if not whole:
        raise MeritError(f"{path}: no utterance is left to write")
    seconds = {one.utterance: durations[one.utterance] for one in whole}
    write_data_directory(
        path,
        wav={one.utterance: one.audio for one in whole},
        utt2spk={one.utterance: one.speaker for one in whole},
        utt2dur={utterance: f"{duration:.4f}" for utterance, duration in seconds.items()},
        utt2bw={one.utterance: bandwidth for one in whole},
        **{f"text.{language}": {one.utterance: one.texts[language] for one in whole} for language in whole[0].texts},
    )
    speakers, hours = len({one.speaker for one in whole}), sum(seconds.values()) / 3600
    logger.info("%s: %d utterances, %d speakers, %.2f hours, %s band", path, len(whole), speakers, hours, bandwidth)
