"""Prepared noise corpora on disk: looking at what was published, and writing a folder that appears whole.

A prepared folder holds ``{train,dev,test}/`` with the audio, ``manifest.tsv`` with the part, size, hash, recordings and
source of each file (``merit.data.noise.recordings``), and ``settings.json``, with what it was made from. It is made
under another name, and renamed.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from merit.data.audio import audio_duration
from merit.data.datadir import first_of
from merit.data.noise.recordings import (
    PREPARED_MANIFEST,
    NoiseFile,
    find_audio,
    is_prepared,
    manifest_text,
    read_manifest,
)
from merit.errors import MeritError
from merit.progress import progress

logger = logging.getLogger(__name__)

SETTINGS = "settings.json"


def source_files(source: Path, output: Path, title: str) -> list[str]:
    """List the audio of a published corpus.

    Raises:
        MeritError: when there is none, or one of the folders lies in the other.
    """
    inner, outer = output.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise MeritError(f"{output} and {source}: one is inside the other; give an output folder of its own")
    files = find_audio(source)
    if not files:
        raise MeritError(f"{source}: no audio files; give the folder that {title} was unpacked to")
    return files


def source_settings(source: Path, files: Sequence[str]) -> dict[str, str]:
    """Identify a published corpus by the names and sizes of its audio files."""
    sizes = ((source / file).stat().st_size if (source / file).is_file() else 0 for file in files)
    listing = digest(f"{file} {size}" for file, size in zip(files, sizes))
    return {"source": str(source.resolve()), "files": listing}


def check_audio(source: Path, files: Iterable[str]) -> dict[str, float]:
    """Look at the headers of audio files and return their durations in seconds.

    Raises:
        MeritError: listing the files that are empty, truncated or no audio.
    """
    durations, problems = {}, []
    for file in progress_over(files, "checking"):
        try:
            seconds = audio_duration(str(source / file), "noise")
            if seconds == 0:
                raise MeritError(f"noise: {source / file}: holds no samples")
            durations[file] = seconds
        except MeritError as error:
            problems.append(str(error))
    if problems:
        total = len(problems) + len(durations)
        raise MeritError(
            f"{source}: {len(problems)} of {total} files are damaged; copy the corpus again, or remove these:\n"
            + first_of(problems)
        )
    return durations


def is_complete(output: Path, settings: Mapping[str, object]) -> bool:
    """Whether ``output`` was made with these very settings and is whole.

    Raises:
        MeritError: when there is something else in its place.
    """
    made_with = output / SETTINGS
    if made_with.is_file() and is_prepared(output):
        files = ((output / row.file, row.bytes) for row in read_manifest(output / PREPARED_MANIFEST))
        whole = all(path.is_file() and path.stat().st_size == size for path, size in files)
        if whole and made_with.read_text(encoding="utf-8") == _text(settings):
            logger.info("%s: complete", output)
            return True
        logger.info("%s: was made with other settings, or files changed; preparing it again", output)
    elif output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise MeritError(f"{output}: there, and no prepared noise corpus; remove it, or give another output folder")
    return False


@contextmanager
def new_folder(output: Path, settings: Mapping[str, object]) -> Iterator[Path]:
    """Yield a folder to fill; it takes the place of ``output`` when the block ends well, and is removed otherwise."""
    for left_behind in output.parent.glob(f".{output.name}.*.tmp"):  # by a process that was killed
        shutil.rmtree(left_behind)
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        (temporary / SETTINGS).write_text(_text(settings), encoding="utf-8")
        if output.exists():
            shutil.rmtree(output)
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_manifest(folder: Path, split: Sequence[NoiseFile]) -> None:
    """Write the manifest of a prepared folder."""
    (folder / PREPARED_MANIFEST).write_text(manifest_text(split), encoding="utf-8")


def progress_over(files: Iterable[str], what: str) -> Iterator[str]:
    """Go through files with a progress bar."""
    files = list(files)
    with progress(len(files), what, "file") as bar:
        for file in files:
            yield file
            bar.update()


def digest(lines: Iterable[str]) -> str:
    """Hash lines of text."""
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def _text(settings: Mapping[str, object]) -> str:
    return json.dumps(settings, indent=1) + "\n"
