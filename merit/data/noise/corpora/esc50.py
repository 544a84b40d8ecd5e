"""ESC-50 (Piczak 2015): fold, Freesound clip, take and class make a name; all pieces of a clip are in one fold."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, shortfall

GROUPS = ("animals", "nature", "human", "interior", "urban")
"""Of ten classes each, in the order of their numbers."""
FOLDS = {"1": "train", "2": "train", "3": "train", "4": "dev", "5": "test"}
FILES_IN_FOLD = 400


def _pieces(_: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    for file in files:
        if name := re.fullmatch(r"([1-5])-(\d+)-[A-Z]-([1-4]?\d)", PurePosixPath(file).stem):
            yield CorpusFile(file, f"freesound:{name[2]}", GROUPS[int(name[3]) // 10], FOLDS[name[1]])


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    found = Counter(PurePosixPath(piece.file).name[0] for piece in pieces)
    for fold in FOLDS:
        yield from shortfall(f"fold {fold}", found[fold], FILES_IN_FOLD)


LAYOUT = Layout(
    title="ESC-50",
    example="audio/1-100032-A-0.wav",
    where="https://github.com/karolpiczak/ESC-50",
    subsets=GROUPS,
    default=GROUPS,
    pieces=_pieces,
    missing=_missing,
)
