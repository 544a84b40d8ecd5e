"""MUSAN (Snyder, Chen and Povey 2015): music, speech, and noise; every file is a recording."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, shortfall

NOISE_FILES = {"noise-free-sound": 843, "noise-sound-bible": 87}
OTHER_FILES = {"music": 660, "speech": 426}


def _pieces(_: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    for file in files:
        if name := re.fullmatch(r"(music|speech|noise)-[a-z-]+-\d{4}", PurePosixPath(file).stem):
            yield CorpusFile(file, f"musan:{name[0]}", name[1])


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    names = {PurePosixPath(piece.file).stem for piece in pieces}
    for source, expected in NOISE_FILES.items():
        absent = [name for number in range(expected) if (name := f"{source}-{number:04d}") not in names]
        yield from shortfall(source, expected - len(absent), expected, absent)
    for subset, found in Counter(piece.subset for piece in pieces if piece.subset in OTHER_FILES).items():
        yield from shortfall(subset, found, OTHER_FILES[subset])


LAYOUT = Layout(
    title="MUSAN",
    example="noise/free-sound/noise-free-sound-0000.wav",
    where="https://www.openslr.org/17",
    subsets=("noise", "music", "speech"),
    default=("noise",),
    pieces=_pieces,
    missing=_missing,
)
