"""Noise corpora: folders of audio whose files are split into disjoint train, dev and test parts.

The split is given by sub-folders named ``train``, ``dev`` and ``test``, or drawn once from a seed. Either way it is
written down in a manifest (``part file bytes content``, tab separated, files relative to the folder). A drawn split is
never drawn again: its manifest decides from then on, and may be edited before noise is mixed.
"""

import hashlib
import logging
import math
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from merit.data.datadir import first_of
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

PARTS = ("train", "dev", "test")
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
HEADER = "part\tfile\tbytes\tcontent"


@dataclass(frozen=True)
class NoiseFile:
    """A line of a manifest: part, file relative to the corpus, its size and the BLAKE2 hash of its content."""

    part: str
    file: str
    bytes: int
    content: str


def named_corpus(option: str) -> tuple[str, Path]:
    """Split ``name=folder`` as given on the command line.

    Raises:
        MeritError: for another form, or a name of other than letters, digits, dots and hyphens (``_`` separates the
            fields of ``<set>_<noise>_<snr>dB``).
    """
    match = re.fullmatch(r"([A-Za-z0-9.-]+)=(.+)", option)
    if match is None:
        raise MeritError(f"noise {option!r}: expected name=folder, the name of letters, digits, . and -: babble=/path")
    return match[1], Path(match[2])


def find_audio(folder: Path) -> list[str]:
    """List the WAV, FLAC, OGG and MP3 files anywhere under ``folder``, relative to it, sorted, hidden ones left out."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    return sorted(file.as_posix() for file in files if not any(name.startswith(".") for name in file.parts))


def noise_files(
    folder: Path | str, manifest: Path | str, part: str, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> list[NoiseFile]:
    """Return the files of one part of a noise corpus, splitting the corpus and writing ``manifest`` where needed.

    Args:
        folder: the noise corpus.
        manifest: where the split is written down. The other manifests in its folder are those of the recipe's other
            noise corpora, and are included in the search for leaks.
        part: ``train``, ``dev`` or ``test``.
        fractions: shares of the three parts in a split drawn here; ``(0, 0, 1)`` for a corpus unseen in training.
            Files with the same content stay together.
        seed: of the split.

    Raises:
        MeritError: when the corpus or the part is empty, the corpus is no longer what the manifest says, or a file is
            in two parts, by its name or by its content.
    """
    folder, manifest = Path(folder), Path(manifest)
    files = find_audio(folder)
    if not files:
        raise MeritError(f"{folder}: a noise corpus needs audio files ({' '.join(AUDIO_SUFFIXES)}), and none was found")
    in_folders = any((folder / name).is_dir() for name in PARTS)
    if in_folders:
        split = [_describe(folder, file, Path(file).parts[0]) for file in files if Path(file).parts[0] in PARTS]
        if left_out := len(files) - len(split):
            logger.warning("%s: %d files are outside train, dev and test and are not used", folder, left_out)
    elif manifest.is_file():
        split = read_manifest(manifest)
        _check_unchanged(folder, files, manifest, split)
    else:
        split = _drawn_split(folder, files, fractions, seed)
    _check_leaks(manifest, split)
    text = "".join("\t".join(map(str, row)) + "\n" for row in [(HEADER,), *map(astuple, split)])
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != text:
        write_text(manifest, text)
        logger.info("%s: split of %s: %s", manifest, folder, _counts(split))
    chosen = [file for file in split if file.part == part]
    if not chosen:
        raise MeritError(
            f"{folder}: no noise for the {part} part ({_counts(split)}); add a sub-folder {part}/, or "
            f"remove {manifest} and choose other fractions"
        )
    return chosen


def read_manifest(path: Path) -> list[NoiseFile]:
    """Read a manifest.

    Raises:
        MeritError: naming the line that is not ``part file bytes content``.
    """
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:] if lines[:1] == [HEADER] else lines, start=2):
        fields = line.split("\t")
        if len(fields) != 4 or fields[0] not in PARTS or not fields[2].isdigit():
            raise MeritError(f"{path}:{number}: expected a line of {HEADER!r}, found {line!r}; mend or remove it")
        rows.append(NoiseFile(fields[0], fields[1], int(fields[2]), fields[3]))
    return rows


def _describe(folder: Path, file: str, part: str) -> NoiseFile:
    with (folder / file).open("rb") as stream:
        content = hashlib.blake2b(digest_size=16)
        while block := stream.read(1 << 20):
            content.update(block)
        return NoiseFile(part, file, stream.tell(), content.hexdigest())


def _drawn_split(folder: Path, files: list[str], fractions: Sequence[float], seed: int) -> list[NoiseFile]:
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1):
        raise MeritError(f"fractions {list(fractions)}: expected three shares for train, dev and test that add up to 1")
    copies: dict[str, list[str]] = {}
    described = {file: _describe(folder, file, "") for file in files}
    for file in files:
        copies.setdefault(described[file].content, []).append(file)
    generator = random.Random(f"{seed}/noise split")
    groups = sorted(copies.values(), key=lambda _: generator.random())
    wanted = [index for index, fraction in enumerate(fractions) if fraction > 0]
    if len(groups) < len(wanted):
        raise MeritError(f"{folder}: {len(groups)} different files cannot be split into {len(wanted)} parts; add noise")
    # Every part that is asked for gets one file first, so that a small corpus leaves none empty.
    sizes = [1 if index in wanted else 0 for index in range(3)]
    for _ in range(len(groups) - len(wanted)):
        sizes[max(wanted, key=lambda index: fractions[index] * len(groups) - sizes[index])] += 1
    parts = [part for part, size in zip(PARTS, sizes) for _ in range(size)]
    split = [(part, file) for part, group in zip(parts, groups) for file in group]
    return [NoiseFile(part, file, described[file].bytes, described[file].content) for part, file in sorted(split)]


def _check_unchanged(folder: Path, files: Iterable[str], manifest: Path, split: Sequence[NoiseFile]) -> None:
    present = set(files)
    problems = [f"{folder / file.file}: missing" for file in split if file.file not in present]
    problems += [
        f"{folder / file.file}: the size changed"
        for file in split
        if file.file in present and (folder / file.file).stat().st_size != file.bytes
    ]
    if problems:
        raise MeritError(
            f"{manifest}: made for another content of {folder}; restore the files, or remove the manifest to split "
            "anew:\n" + first_of(problems)
        )
    if added := len(present - {file.file for file in split}):
        logger.warning("%s: %d files are not in %s and are not used", folder, added, manifest)


def _check_leaks(manifest: Path, split: Sequence[NoiseFile]) -> None:
    """Refuse a file that is in two parts, of this corpus or of another one in the recipe."""
    others = {path: read_manifest(path) for path in sorted(manifest.parent.glob("*.tsv")) if path != manifest}
    places: dict[str, list[tuple[str, str]]] = {}
    for path, rows in {manifest: split, **others}.items():
        for row in rows:
            places.setdefault(row.content, []).append((row.part, f"{path.stem}: {row.file} ({row.part})"))
            places.setdefault(f"{path}/{row.file}", []).append((row.part, f"{path.stem}: {row.file} ({row.part})"))
    leaks = [
        " = ".join(dict.fromkeys(place for _, place in found))
        for found in places.values()
        if len({part for part, _ in found}) > 1
    ]
    if leaks:
        raise MeritError(
            f"{manifest}: noise leaks between parts; remove the files from one part (manifests of corpora that are no "
            f"longer used can be removed from {manifest.parent}):\n" + first_of(list(dict.fromkeys(leaks)))
        )


def _counts(split: Sequence[NoiseFile]) -> str:
    return ", ".join(f"{part} {sum(file.part == part for file in split)}" for part in PARTS)
