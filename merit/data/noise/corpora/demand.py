"""DEMAND (Thiemann, Ito and Vincent 2013): one recording an environment, with 16 microphones at once."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, shortfall
from merit.errors import MeritError

ENVIRONMENTS = (
    *("DKITCHEN", "DLIVING", "DWASHING", "NFIELD", "NPARK", "NRIVER", "OHALLWAY", "OMEETING", "OOFFICE"),
    *("PCAFETER", "PRESTO", "PSTATION", "SCAFE", "SPSQUARE", "STRAFFIC", "TBUS", "TCAR", "TMETRO"),
)
CHANNELS = tuple(f"ch{number:02d}" for number in range(1, 17))


def environment_pieces(source: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    """Find channels of environments, in folders such as ``DKITCHEN`` or ``DKITCHEN_16k``.

    Raises:
        MeritError: when a channel is there twice, as from the archives of both sample rates.
    """
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        path = PurePosixPath(file)
        environment = re.sub(r"_(16|48)k$", "", path.parent.name)
        if environment in ENVIRONMENTS and path.stem in CHANNELS:
            first = seen.setdefault((environment, path.stem), file)
            if first != file:
                raise MeritError(
                    f"{source}: {first} and {file} are one channel of one recording; give the folder of one sample rate"
                )
            yield CorpusFile(file, f"demand:{environment}", path.stem)


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    found = {(piece.recording, piece.subset) for piece in pieces}
    for environment in ENVIRONMENTS:
        absent = [channel for channel in CHANNELS if (f"demand:{environment}", channel) not in found]
        what = f"{environment} (published at 48 kHz alone)" if environment == "SCAFE" else environment
        yield from shortfall(what, len(CHANNELS) - len(absent), len(CHANNELS), absent)


LAYOUT = Layout(
    title="DEMAND",
    example="DKITCHEN/ch01.wav",
    where="https://zenodo.org/records/1227121",
    subsets=CHANNELS,
    default=("ch01",),
    pieces=environment_pieces,
    missing=_missing,
)
