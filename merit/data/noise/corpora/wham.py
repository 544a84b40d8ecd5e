"""WHAM! (Wichern et al. 2019): noise of cafes and bars in tr, cv and tt; tables in metadata/ tell the recordings."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, columns, shortfall, word

logger = logging.getLogger(__name__)

FOLDERS = {"tr": "train", "cv": "dev", "tt": "test"}
FILES = {"tr": 20000, "cv": 5000, "tt": 3000}


def _pieces(source: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    recordings = {
        (folder, name.removesuffix(".wav")): f"wham:{word(number)}"
        for folder in FOLDERS
        for table in sorted(source.rglob(f"noise_meta_{folder}.csv"))[:1]
        for name, number in columns(table, "utterance_id", "File ID")
    }
    unknown = 0
    for file in files:
        path = PurePosixPath(file)
        if path.parent.name in FOLDERS:
            recording = recordings.get((path.parent.name, path.stem))
            unknown += recording is None
            yield CorpusFile(file, recording, "noise", FOLDERS[path.parent.name])
    if unknown:
        logger.warning(
            "%s: %d files are not in metadata/noise_meta_{tr,cv,tt}.csv; that no recording is in two of tr, cv and tt "
            "is taken on trust for them",
            source,
            unknown,
        )


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    found = Counter(PurePosixPath(piece.file).parent.name for piece in pieces)
    for folder, expected in FILES.items():
        yield from shortfall(folder, found[folder], expected)


LAYOUT = Layout(
    title="WHAM! noise",
    example="wham_noise/tr/NAME.wav",
    where="http://wham.whisper.ai",
    subsets=("noise",),
    default=("noise",),
    pieces=_pieces,
    missing=_missing,
)
