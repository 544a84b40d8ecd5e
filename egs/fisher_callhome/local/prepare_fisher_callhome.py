"""Fisher and CALLHOME Spanish, telephone speech at 8 kHz, with English translations (Post et al. 2013).

The folder holds LDC's releases under their catalogue numbers and a clone of the translations:

``LDC2010S01``, ``LDC2010T04``   Fisher: audio (``<call>.sph``) and transcripts (``<call>.tdf``)
``LDC96S35``, ``LDC96T17``       CALLHOME: audio and transcripts (``transcrp/*/<call>.txt``); may be absent
``fisher-callhome-corpus``       ``mapping/<set>`` and ``corpus/ldc/<set>.en`` or, with four translations, ``.en.0``

A line of ``mapping`` names a call and the lines of its transcript that the same line of the translation is of.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from transcripts import Turn, read_callhome, read_fisher

from merit.command import run_command
from merit.data.parallel_set import SpokenText, one_line, part_of, read_lines, write_parallel_sets
from merit.errors import MeritError

logger = logging.getLogger(__name__)

CLONE = "git clone https://github.com/joshua-decoder/fisher-callhome-corpus"
SETS = {"train": "fisher_train", "dev": "fisher_dev", "fisher_dev2": "fisher_dev2", "test": "fisher_test"}
CALLHOME_SETS = {name: name for name in ("callhome_train", "callhome_devtest", "callhome_evltest")}


def files_by_call(folder: Path, suffix: str) -> dict[str, Path]:
    """Call -> its file, wherever below the folder.

    Raises:
        MeritError: when there is none.
    """
    files = {path.stem: path for path in sorted(folder.resolve().rglob("*")) if path.suffix.lower() == suffix}
    if not files:
        raise MeritError(f"{folder}: no {suffix} files here; expected LDC's release of this number")
    return files


def read_translation(clone: Path, name: str) -> list[str]:
    """The translations of a set; of four, the first.

    Raises:
        MeritError: when there is none.
    """
    folder = clone / "corpus" / "ldc"
    path = folder / f"{name}.en"
    return read_lines(path if path.is_file() else folder / f"{name}.en.0", f"restore it; {CLONE}")


def read_set(
    clone: Path,
    name: str,
    audio: Mapping[str, Path],
    transcripts: Mapping[str, Path],
    read: Callable[[Path], list[Turn | None]],
) -> list[SpokenText]:
    """The utterances of a set, each of one or several turns of a call.

    Raises:
        MeritError: naming the line of ``mapping``, when its call or turns are not there, or the translation has not as
            many lines.
    """
    path = clone / "mapping" / name
    lines = read_lines(path, f"restore it; {CLONE}")
    translations = read_translation(clone, name)
    if len(translations) != len(lines):
        raise MeritError(f"{path}: {len(lines)} lines for {len(translations)} translations; restore both: {CLONE}")
    calls: dict[str, list[Turn | None]] = {}
    found = []
    for number, (line, translation) in enumerate(zip(lines, translations), start=1):
        call, _, places = line.partition(" ")
        if call not in transcripts:
            raise MeritError(f"{path}:{number}: there is no transcript of the call {call}; restore LDC's release")
        if call not in calls:
            calls[call] = read(transcripts[call])
        turns = [turn_at(calls[call], place) for place in places.split("_")]
        if any(turn is None for turn in turns):
            raise MeritError(
                f"{path}:{number}: {transcripts[call]} has no turn in line {places}; restore LDC's release"
            )
        found.append(spoken_text(call, turns, audio.get(call, Path(f"{call}.sph")), translation, f"{number:06d}"))
    logger.info("%s: %d utterances of %d calls", name, len(found), len(calls))
    return found


def turn_at(turns: list[Turn | None], place: str) -> Turn | None:
    """The turn of a line, counted from 1; None where there is none."""
    return turns[int(place) - 1] if place.isdigit() and 0 < int(place) <= len(turns) else None


def spoken_text(call: str, turns: list[Turn], sound: Path, translation: str, number: str) -> SpokenText:
    """The utterance from the first of its turns to the last, on the channel of the first."""
    side = "AB"[turns[0].channel]
    start, end = min(turn.start for turn in turns), max(turn.end for turn in turns)
    texts = {"es": one_line(" ".join(turn.text for turn in turns)), "en": one_line(translation)}
    entry = part_of(sound, start, end, turns[0].channel)
    return SpokenText(f"{call}-{side}-{number}", entry, f"{call}-{side}", texts)


def prepare_fisher_callhome(corpus: Path, output: Path, allow_missing: bool = False) -> None:
    """Write the sets of Fisher (train, dev, fisher_dev2, test) and, where its folders are, those of CALLHOME.

    Args:
        corpus: the folder with LDC's releases and the clone.
        output: folder of the data directories.
        allow_missing: go on without the calls whose audio is missing or cannot be decoded.

    Raises:
        MeritError: when transcripts or translations are missing or do not fit together, or audio is missing and that
            is not allowed.
    """
    clone = corpus / "fisher-callhome-corpus"
    parts = [(SETS, "LDC2010S01", "LDC2010T04", ".tdf", read_fisher)]
    if (corpus / "LDC96T17").is_dir():
        parts.append((CALLHOME_SETS, "LDC96S35", "LDC96T17", ".txt", read_callhome))
    sets = {}
    for names, speech, text, suffix, read in parts:
        audio, transcripts = files_by_call(corpus / speech, ".sph"), files_by_call(corpus / text, suffix)
        for output_name, name in names.items():
            sets[output_name] = read_set(clone, name, audio, transcripts, read)
    write_parallel_sets(corpus, sets, output, "narrow", allow_missing)


if __name__ == "__main__":
    run_command(prepare_fisher_callhome)
