"""Turning a published corpus into a noise corpus: links to its noise in train, dev and test, and what was left out.

Beside what every prepared folder holds (``merit.data.noise.prepared_folder``), ``removed.tsv`` lists the audio files of
the published corpus that are not used, and why. The links have the names of the published files.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from merit.data.datadir import first_of
from merit.data.noise.corpora import LAYOUTS
from merit.data.noise.corpora.layout import CorpusFile, Layout
from merit.data.noise.overlap import copies, in_others
from merit.data.noise.prepared_folder import (
    check_audio,
    digest,
    is_complete,
    new_folder,
    progress_over,
    source_files,
    source_settings,
    write_manifest,
)
from merit.data.noise.recordings import (
    PREPARED_MANIFEST,
    NoiseFile,
    check_fractions,
    counts,
    describe,
    draw_parts,
    is_prepared,
    read_manifest,
)
from merit.errors import MeritError

logger = logging.getLogger(__name__)

DRAWN = (0.8, 0.1, 0.1)
"""Fractions of train, dev and test where a corpus brings no split."""


def prepare_noise(
    corpus: str,
    source: Path,
    output: Path,
    subsets: Sequence[str] = (),
    fractions: Sequence[float] | None = None,
    without: Sequence[Path] = (),
    seed: int = 0,
) -> None:
    """Prepare a published corpus, unless the folder is there, made with the same arguments from the same files.

    All pieces of a recording are in one part. Of files with the same content the first one is used.

    Args:
        corpus: its key in ``merit.data.noise.corpora.LAYOUTS``.
        source: folder of the published corpus.
        output: folder to make.
        subsets: those to use; none for the default ones of the corpus.
        fractions: of the recordings in train, dev and test, for a split drawn here. None keeps the split that the
            corpus brings or, when it brings none, draws ``DRAWN``.
        without: prepared folders. What they have, in whichever part, is left out: every piece of a recording that they
            have a piece of, and every file with the same samples.
        seed: of a split drawn here.

    Raises:
        MeritError: when the corpus is not there, files are damaged (all are listed), the split that the corpus brings
            has a recording in two parts, or ``output`` is something else. A corpus that is merely not whole is
            reported in the log.
    """
    layout = LAYOUTS[corpus]
    used = sorted(subsets or layout.default)
    if unknown := sorted(set(used) - set(layout.subsets)):
        raise MeritError(f"--subsets {' '.join(unknown)}: {layout.title} has {' '.join(layout.subsets)}")
    if fractions is not None:
        check_fractions(fractions)
    others = {folder: _manifest_of(folder) for folder in without}
    files = source_files(source, output, f"{layout.title} ({layout.where})")
    settings = {
        "corpus": corpus,
        "subsets": used,
        "fractions": None if fractions is None else list(fractions),
        "without": {str(folder): digest(map(str, rows)) for folder, rows in others.items()},
        "seed": seed,
        **source_settings(source, files),
    }
    if is_complete(output, settings):
        return

    pieces = list(layout.pieces(source, files))
    chosen = {piece.file: piece for piece in pieces if piece.subset in used}
    if not chosen:
        raise MeritError(
            f"{source}: no {layout.title} ({' '.join(used)}) among {len(files)} audio files; expected files such as "
            f"{layout.example}, from {layout.where}"
        )
    if missing := list(layout.missing(pieces)):
        logger.warning("%s: the corpus is not whole:\n%s", source, first_of(missing))
    durations = check_audio(source, chosen)
    described = {file: describe(source, file, "") for file in progress_over(chosen, "hashing")}
    removed = dict.fromkeys(files, f"not named as in {layout.title}")
    removed |= {piece.file: f"{piece.subset} is not among the subsets" for piece in pieces}
    removed |= dict.fromkeys(chosen, "")
    removed |= copies(described) | in_others(source, chosen, durations, others)
    kept = [piece for file, piece in chosen.items() if not removed[file]]
    if not kept:
        reasons = [f"{file}: {removed[file]}" for file in chosen]
        raise MeritError(f"{source}: nothing is left without {' '.join(map(str, without))}:\n{first_of(reasons)}")
    split = [
        replace(
            described[piece.file],
            part=part,
            file=f"{part}/{piece.file}",
            recordings=piece.recording or "",
            source=str(source.resolve() / piece.file),
        )
        for part, piece in _split(source, layout, kept, fractions, seed)
    ]
    with new_folder(output, settings) as folder:
        for file in split:
            link = folder / file.file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file.source)
        write_manifest(folder, split)
        left_out = [f"{file}\t{why}\n" for file, why in sorted(removed.items()) if why]
        if left_out:
            (folder / "removed.tsv").write_text("file\twhy\n" + "".join(left_out), encoding="utf-8")
    recordings = len({piece.recording or piece.file for piece in kept})
    logger.info("%s: %s files of %d recordings; %d left out", output, counts(split), recordings, len(left_out))


def _manifest_of(folder: Path) -> list[NoiseFile]:
    if not is_prepared(folder):
        raise MeritError(f"--without {folder}: not a prepared noise corpus; prepare it first (utils/prepare_noise.sh)")
    return read_manifest(folder / PREPARED_MANIFEST)


def _split(
    source: Path, layout: Layout, pieces: Sequence[CorpusFile], fractions: Sequence[float] | None, seed: int
) -> list[tuple[str, CorpusFile]]:
    """Give every piece its part: of the split that the corpus brings, or of one drawn by recording."""
    by_file = {piece.file: piece for piece in pieces}
    if fractions is None and any(piece.part for piece in pieces):
        _check_own_split(source, layout, pieces)
        return sorted(((piece.part, piece) for piece in pieces), key=lambda row: (row[0], row[1].file))
    groups: dict[str, list[str]] = {}
    for piece in pieces:
        if piece.recording is None:
            raise MeritError(f"{source}: no recording is known of {piece.file}, so that no split can be drawn")
        groups.setdefault(piece.recording, []).append(piece.file)
    drawn = draw_parts(list(groups.values()), fractions or DRAWN, seed, f"{source}: {len(groups)} recordings")
    return [(part, by_file[file]) for part, file in drawn]


def _check_own_split(source: Path, layout: Layout, pieces: Sequence[CorpusFile]) -> None:
    parts: Mapping[str, set[str]] = {piece.recording: set() for piece in pieces if piece.recording}
    for piece in pieces:
        if piece.recording:
            parts[piece.recording].add(piece.part)
    problems = [f"{piece.file}: not in it" for piece in pieces if piece.part is None]
    problems += [
        f"{recording}: in {' and '.join(sorted(found))}" for recording, found in parts.items() if len(found) > 1
    ]
    if problems:
        raise MeritError(
            f"{source}: {layout.title} brings a split that cannot be used; restore its tables and files, or draw a "
            "split by recording (--fractions '[0.8,0.1,0.1]'):\n" + first_of(problems)
        )
