"""Noise corpora: folders of audio whose files are split into disjoint train, dev and test parts.

The split is given by sub-folders named ``train``, ``dev`` and ``test``, or drawn once from a seed. Either way it is
written down in a manifest (``part file bytes content``, tab separated, files relative to the folder). A drawn split is
never drawn again: its manifest decides from then on, and may be edited before noise is mixed.

A folder made by ``merit.data.noise.preparation`` brings a manifest of its own, which also names the recordings that
each file was made of, and its source (``part file bytes content recordings source``). No recording is in two parts.
"""

import hashlib
import logging
import math
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from merit.data.datadir import first_of
from merit.data.noise.mixed_names import NOISE_NAME
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

PARTS = ("train", "dev", "test")
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
HEADER = "part\tfile\tbytes\tcontent"
PREPARED_HEADER = f"{HEADER}\trecordings\tsource"
PREPARED_MANIFEST = "manifest.tsv"
"""Name of the manifest inside a prepared corpus."""


@dataclass(frozen=True)
class NoiseFile:
    """A line of a manifest.

    Attributes:
        part: train, dev or test.
        file: relative to the corpus.
        bytes: its size.
        content: BLAKE2 hash of its content.
        recordings: in a prepared corpus, names of the recordings it was made of, separated by spaces.
        source: in a prepared corpus, the file of the published corpus.
    """

    part: str
    file: str
    bytes: int
    content: str
    recordings: str = ""
    source: str = ""


def named_corpus(option: str) -> tuple[str, Path]:
    """Split ``name=folder`` as given on the command line.

    Raises:
        MeritError: for another form, or a name of other than letters, digits, dots and hyphens (``_`` separates the
            fields of ``<set>_<noise>_<snr>dB``).
    """
    match = re.fullmatch(rf"({NOISE_NAME})=(.+)", option)
    if match is None:
        raise MeritError(f"noise {option!r}: expected name=folder, the name of letters, digits, . and -: babble=/path")
    return match[1], Path(match[2])


def find_audio(folder: Path) -> list[str]:
    """List the WAV, FLAC, OGG and MP3 files anywhere under ``folder``, relative to it, sorted, hidden ones left out."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    return sorted(file.as_posix() for file in files if not any(name.startswith(".") for name in file.parts))


def noise_files(
    folder: Path, manifest: Path, part: str, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> list[NoiseFile]:
    """Return the files of one part of a noise corpus, splitting the corpus and writing ``manifest`` where needed.

    Args:
        folder: the noise corpus.
        manifest: where the split is written down. The other manifests in its folder are those of the recipe's other
            noise corpora, and are included in the search for leaks.
        part: ``train``, ``dev`` or ``test``.
        fractions: of the files in the three parts, in a split drawn here; ``(0, 0, 1)`` for one of the test alone.
            Files with the same content stay together.
        seed: of the split.

    Raises:
        MeritError: when the corpus or the part is empty, the corpus is no longer what the manifest says, or a file is
            in two parts, by its name, by its content or, where they are known, by its recordings.
    """
    files = find_audio(folder)
    if not files:
        raise MeritError(f"{folder}: a noise corpus needs audio files ({' '.join(AUDIO_SUFFIXES)}), and none was found")
    if is_prepared(folder):
        split = read_manifest(folder / PREPARED_MANIFEST)
        _check_unchanged(folder, files, folder / PREPARED_MANIFEST, split, "prepare the corpus again")
    elif any((folder / name).is_dir() for name in PARTS):
        split = [describe(folder, file, Path(file).parts[0]) for file in files if Path(file).parts[0] in PARTS]
        if left_out := len(files) - len(split):
            logger.warning("%s: %d files are outside train, dev and test and are not used", folder, left_out)
    elif manifest.is_file():
        split = read_manifest(manifest)
        _check_unchanged(folder, files, manifest, split, "remove the manifest to split anew")
    else:
        split = _drawn_split(folder, files, fractions, seed)
    _check_leaks(manifest, split)
    text = manifest_text(split)
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != text:
        write_text(manifest, text)
        logger.info("%s: split of %s: %s", manifest, folder, counts(split))
    chosen = [file for file in split if file.part == part]
    if not chosen:
        raise MeritError(
            f"{folder}: no noise for the {part} part ({counts(split)}); add a sub-folder {part}/, or "
            f"remove {manifest} and choose other fractions"
        )
    return chosen


def is_prepared(folder: Path) -> bool:
    """Whether a folder was made by ``merit.data.noise.preparation``, as its manifest shows."""
    path = folder / PREPARED_MANIFEST
    if not path.is_file():
        return False
    with path.open(encoding="utf-8") as lines:
        return lines.readline().rstrip("\n") == PREPARED_HEADER


def read_manifest(path: Path) -> list[NoiseFile]:
    """Read a manifest.

    Raises:
        MeritError: naming the line that is not ``part file bytes content``, in the manifest of a prepared corpus
            ``part file bytes content recordings source``.
    """
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines()
    header = PREPARED_HEADER if lines[:1] == [PREPARED_HEADER] else HEADER
    for number, line in enumerate(lines[1:] if lines[:1] == [header] else lines, start=2):
        fields = line.split("\t")
        if len(fields) != len(header.split("\t")) or fields[0] not in PARTS or not fields[2].isdigit():
            raise MeritError(f"{path}:{number}: expected a line of {header!r}, found {line!r}; mend or remove it")
        rows.append(NoiseFile(fields[0], fields[1], int(fields[2]), *fields[3:]))
    return rows


def manifest_text(split: Sequence[NoiseFile]) -> str:
    """Lay out a manifest, with the recordings and sources where a file has any."""
    header = PREPARED_HEADER if any(file.recordings or file.source for file in split) else HEADER
    rows = [astuple(file)[: len(header.split("\t"))] for file in split]
    return "".join("\t".join(map(str, row)) + "\n" for row in [(header,), *rows])


def describe(folder: Path, file: str, part: str) -> NoiseFile:
    """Measure and hash a file of a corpus."""
    with (folder / file).open("rb") as stream:
        content = hashlib.blake2b(digest_size=16)
        while block := stream.read(1 << 20):
            content.update(block)
        return NoiseFile(part, file, stream.tell(), content.hexdigest())


def check_fractions(fractions: Sequence[float]) -> None:
    """Refuse fractions of train, dev and test that are not three or do not add up to 1, with a ``MeritError``."""
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1):
        raise MeritError(
            f"fractions {list(fractions)}: expected three fractions for train, dev and test that add up to 1"
        )


def draw_parts(
    groups: Sequence[Sequence[str]], fractions: Sequence[float], seed: int, what: str
) -> list[tuple[str, str]]:
    """Share out groups of files over train, dev and test, and return the files as sorted (part, file).

    Args:
        groups: files that stay together.
        fractions: of the groups in the three parts.
        seed: of the choice.
        what: the groups in words, for the message when they are too few.

    Raises:
        MeritError: when there are fewer groups than parts that are asked for.
    """
    generator = random.Random(f"{seed}/noise split")
    groups = sorted(groups, key=lambda _: generator.random())
    wanted = [index for index, fraction in enumerate(fractions) if fraction > 0]
    if len(groups) < len(wanted):
        raise MeritError(f"{what} cannot be split into {len(wanted)} parts; add noise")
    # Every part that is asked for gets one group first, so that a small corpus leaves none empty.
    sizes = [1 if index in wanted else 0 for index in range(3)]
    for _ in range(len(groups) - len(wanted)):
        sizes[max(wanted, key=lambda index: fractions[index] * len(groups) - sizes[index])] += 1
    parts = [part for part, size in zip(PARTS, sizes) for _ in range(size)]
    return sorted((part, file) for part, group in zip(parts, groups) for file in group)


def counts(split: Sequence[NoiseFile]) -> str:
    """Count the files of each part, as ``train 8, dev 1, test 1``."""
    return ", ".join(f"{part} {sum(file.part == part for file in split)}" for part in PARTS)


def _drawn_split(folder: Path, files: list[str], fractions: Sequence[float], seed: int) -> list[NoiseFile]:
    check_fractions(fractions)
    copies: dict[str, list[str]] = {}
    described = {file: describe(folder, file, "") for file in files}
    for file in files:
        copies.setdefault(described[file].content, []).append(file)
    drawn = draw_parts(list(copies.values()), fractions, seed, f"{folder}: {len(copies)} different files")
    return [replace(described[file], part=part) for part, file in drawn]


def _check_unchanged(
    folder: Path, files: Iterable[str], manifest: Path, split: Sequence[NoiseFile], remedy: str
) -> None:
    present = {file for file in files if (folder / file).is_file()}  # a link may lead nowhere
    problems = [f"{folder / file.file}: missing" for file in split if file.file not in present]
    problems += [
        f"{folder / file.file}: the size changed"
        for file in split
        if file.file in present and (folder / file.file).stat().st_size != file.bytes
    ]
    if problems:
        raise MeritError(
            f"{manifest}: made for another content of {folder}; restore the files, or {remedy}:\n" + first_of(problems)
        )
    if added := len(present - {file.file for file in split}):
        logger.warning("%s: %d files are not in %s and are not used", folder, added, manifest)


def _check_leaks(manifest: Path, split: Sequence[NoiseFile]) -> None:
    """Refuse a file or a recording that is in two parts, of this corpus or of another one in the recipe."""
    others = {path: read_manifest(path) for path in sorted(manifest.parent.glob("*.tsv")) if path != manifest}
    places: dict[tuple[str, str], dict[str, str]] = {}  # what is the same -> one file of each part
    for path, rows in {manifest: split, **others}.items():
        for row in rows:
            same = [("", row.content), ("", f"{path}/{row.file}")]
            same += [(f"recording {recording}: ", recording) for recording in row.recordings.split()]
            for key in same:
                places.setdefault(key, {}).setdefault(row.part, f"{path.stem}: {row.file} ({row.part})")
    leaks = [name + " = ".join(found.values()) for (name, _), found in places.items() if len(found) > 1]
    if leaks:
        raise MeritError(
            f"{manifest}: noise leaks between parts; remove the files from one part, prepare one of the corpora "
            "--without the other (manifests of corpora that are no longer used can be removed from "
            f"{manifest.parent}):\n" + first_of(list(dict.fromkeys(leaks)))
        )
