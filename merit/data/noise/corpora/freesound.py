"""Freesound: downloads (100032__user__name.wav), or FSD50K (Fonseca et al. 2022), which brings a split by uploader."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, columns, shortfall, word

logger = logging.getLogger(__name__)

DOWNLOAD = re.compile(r"(\d+)(?:__.*|_\d+(?:-[hl]q)?)?")
"""A download, ``<number>__<user>__<name>``; a preview, ``<number>_<user number>-hq``; or the number alone."""
FSD50K = re.compile(r"(?:^|/)FSD50K\.(dev|eval)_audio[^/]*/(\d+)\.\w+")
FSD50K_FILES = {"dev": 40966, "eval": 10231}


def _pieces(source: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    tables = sorted(source.rglob("FSD50K.ground_truth/dev.csv"))
    splits = dict(columns(tables[0], "fname", "split")) if tables else {}
    parts = {clip: {"train": "train", "val": "dev"}.get(name) for clip, name in splits.items()}
    nameless = 0
    for file in files:
        stem = PurePosixPath(file).stem
        if clip := FSD50K.search(file):
            part = "test" if clip[1] == "eval" else parts.get(clip[2])
            yield CorpusFile(file, f"freesound:{clip[2]}", "freesound", part)
        elif number := DOWNLOAD.fullmatch(stem):
            yield CorpusFile(file, f"freesound:{number[1]}", "freesound")
        else:
            nameless += 1
            yield CorpusFile(file, f"freesound:{word(stem)}", "freesound")
    if nameless:
        logger.warning(
            "%s: %d files have no Freesound number in their names; each counts as a recording, and what other corpora "
            "have of it is found by its samples alone",
            source,
            nameless,
        )


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    found = Counter(clip[1] for piece in pieces if (clip := FSD50K.search(piece.file)))
    if found:
        for name, expected in FSD50K_FILES.items():
            yield from shortfall(f"FSD50K.{name}_audio", found[name], expected)


LAYOUT = Layout(
    title="Freesound",
    example="100032__user__name.wav or FSD50K.dev_audio/100032.wav",
    where="https://freesound.org or https://zenodo.org/records/4060432",
    subsets=("freesound",),
    default=("freesound",),
    pieces=_pieces,
    missing=_missing,
)
