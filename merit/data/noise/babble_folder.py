"""Babble of a speech corpus such as CRSS-4ENGLISH-14: talkers overlaid, none of them in two of train, dev and test.

The prepared folder (``merit.data.noise.prepared_folder``) holds audio, not links. The recordings in its manifest are
the talkers; ``talkers.tsv`` lists what each of them says in each file.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from merit.data.datadir import speakers_of
from merit.data.noise.babble import check_amounts, overlay
from merit.data.noise.corpora.layout import word
from merit.data.noise.prepared_folder import (
    check_audio,
    is_complete,
    new_folder,
    source_files,
    source_settings,
    write_manifest,
)
from merit.data.noise.recordings import PARTS, describe, draw_parts
from merit.errors import MeritError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BabbleOptions:
    """How babble is made of a speech corpus.

    Attributes:
        talkers: voices at once.
        seconds: length of a file.
        files: number of files in train, dev and test; the talkers are shared out in the same proportions.
        speaker: regular expression that finds a file's talker in its path below the corpus, as its first group. Files
            without a match are not used. Without an expression the talker is the folder that a file lies in.
    """

    talkers: int = 4
    seconds: float = 10.0
    files: tuple[int, int, int] = (400, 50, 50)
    speaker: str | None = None


def prepare_babble(name: str, source: Path, output: Path, options: BabbleOptions, seed: int = 0) -> None:
    """Overlay the talkers of a speech corpus, unless the folder is there, made with the same from the same files.

    Args:
        name: of the speech corpus, as the first part of its talkers' names.
        source: folder of the speech corpus.
        output: folder to make.
        options: how.
        seed: of all choices.

    Raises:
        MeritError: when the corpus is not there, a file is damaged or silent, a part has fewer talkers than talk at
            once, or ``output`` is something else.
    """
    check_amounts(options.files, options.talkers, options.seconds)
    files = source_files(source, output, "the speech corpus")
    settings = {"corpus": name, "babble": asdict(options), "seed": seed, **source_settings(source, files)}
    if is_complete(output, settings):
        return

    talker_of = _talkers(source, files, options.speaker)
    parts = _split_talkers(source, talker_of, options, seed)
    check_audio(source, talker_of)
    wav = {file: str(source / file) for file in talker_of}
    with new_folder(output, settings) as folder:
        voices = overlay(folder, parts, wav, talker_of, options.files, options.talkers, options.seconds, seed)
        said, heard = ["file\ttalker\tutterance\n"], {}
        for voice in voices:
            talker = talker_of[voice.utterances[0]]
            heard.setdefault(voice.file, []).append(f"{name}:{word(talker)}")
            said += [f"{voice.file}\t{talker}\t{file}\n" for file in voice.utterances]
        (folder / "talkers.tsv").write_text("".join(said), encoding="utf-8")
        if left_out := [f"{file}\tno talker in its path\n" for file in files if file not in talker_of]:
            (folder / "removed.tsv").write_text("file\twhy\n" + "".join(left_out), encoding="utf-8")
        described = (describe(folder, file, PurePosixPath(file).parts[0]) for file in heard)
        write_manifest(folder, [replace(row, recordings=" ".join(heard[row.file])) for row in described])
    logger.info(
        "%s: %d files of %g s with %d of %d talkers at once; %d source files left out",
        output,
        len(heard),
        options.seconds,
        options.talkers,
        len(set(talker_of.values())),
        len(left_out),
    )


def _talkers(source: Path, files: Sequence[str], expression: str | None) -> dict[str, str]:
    """Find who talks in each file; files of nobody are left out."""
    if expression is None:
        return {file: PurePosixPath(file).parent.name or source.resolve().name for file in files}
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise MeritError(f"--babble.speaker {expression!r}: no regular expression ({error})") from error
    if pattern.groups < 1:
        raise MeritError(f"--babble.speaker {expression!r}: needs a group for the talker, as '(F[0-9]+)_close'")
    matches = {file: match for file in files if (match := pattern.search(file)) and match[1]}
    if not matches:
        raise MeritError(f"--babble.speaker {expression!r}: found in none of {len(files)} files such as {files[0]}")
    return {file: match[1] for file, match in matches.items()}


def _split_talkers(source: Path, talker_of: dict[str, str], options: BabbleOptions, seed: int) -> list[list[str]]:
    """Share out the talkers, and return the files of each part."""
    fractions = [count / sum(options.files) for count in options.files]
    groups = list(speakers_of(talker_of).values())
    talkers = sorted(set(talker_of.values()))
    what = f"{source}: {len(talkers)} talkers ({' '.join(talkers[:5])} ...)"
    drawn = draw_parts(groups, fractions, seed, what)
    parts = [[file for part, file in drawn if part == name] for name in PARTS]
    for name, utterances, count in zip(PARTS, parts, options.files):
        found = len({talker_of[file] for file in utterances})
        if count and found < options.talkers:
            raise MeritError(
                f"{what}: {found} of them in {name}, fewer than the {options.talkers} that talk at once; find more "
                "(--babble.speaker), let fewer talk (--babble.talkers) or change the proportions (--babble.files)"
            )
    return parts
