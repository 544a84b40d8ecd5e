"""OpenSLR 28 (Ko et al. 2017): impulse responses. The recording is the room. Its noises, of MUSAN, are left out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.layout import CorpusFile, Layout, shortfall

SIMULATED = re.compile(r"(?:^|/)((?:small|medium|large)room)/(Room\d+)/[^/]+$")
LIST_LINE = re.compile(r"--room-id (\S+).*?(\S+)\s*$", re.MULTILINE)
FILES = {"simulated": 60000, "real": 325}


def _pieces(source: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    # The measured responses lie in one folder with noises; a list there tells them and their rooms.
    lists = [path for path in sorted(source.rglob("rir_list")) if path.resolve().parent.name.startswith("real_rirs")]
    rooms = {
        PurePosixPath(file).name: room
        for path in lists
        for room, file in LIST_LINE.findall(path.read_text(encoding="utf-8"))
    }
    for file in files:
        name = PurePosixPath(file).name
        if room := SIMULATED.search(file):
            yield CorpusFile(file, f"rirs:{room[1]}-{room[2]}", "simulated")
        elif name in rooms:
            yield CorpusFile(file, f"rirs:{rooms[name]}", "real")


def _missing(pieces: Sequence[CorpusFile]) -> Iterator[str]:
    found = Counter(piece.subset for piece in pieces)
    yield from shortfall("simulated_rirs", found["simulated"], FILES["simulated"])
    yield from shortfall("real_rirs_isotropic_noises, in its rir_list", found["real"], FILES["real"])


LAYOUT = Layout(
    title="OpenSLR 28",
    example="simulated_rirs/smallroom/Room001/Room001-00001.wav",
    where="https://www.openslr.org/28",
    subsets=("simulated", "real"),
    default=("simulated", "real"),
    pieces=_pieces,
    missing=_missing,
)
