"""Noise of the DNS challenge at ICASSP 2023 (Dubey et al. 2024): pieces of AudioSet and Freesound, earlier of DEMAND.

``door_Freesound_validated_349356_0.wav`` is piece 0 of Freesound's 349356; some have a title instead of the number
(``munching_Freesound_validated_B32_Chips_ebrahim_10.wav``). Pieces of AudioSet have the name of the YouTube video
(``x8fp6MYE41s.wav``; microsoft/DNS-Challenge#52).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from merit.data.noise.corpora.demand import environment_pieces
from merit.data.noise.corpora.layout import CorpusFile, Layout, word

FREESOUND_NUMBER = re.compile(r"(?:^|_)Freesound_(?:validated_)?(\d+)(?:_\d+)?$")
FREESOUND_TITLE = re.compile(r"(?:^|_)Freesound_(?:validated_)?(.+?)(?:_\d+)?$")
YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")


def _pieces(source: Path, files: Sequence[str]) -> Iterator[CorpusFile]:
    demand = {piece.file: piece.recording for piece in environment_pieces(source, files)}
    for file in files:
        stem = PurePosixPath(file).stem
        if file in demand:
            yield CorpusFile(file, demand[file], "demand")
        elif clip := FREESOUND_NUMBER.search(stem) or FREESOUND_TITLE.search(stem):
            yield CorpusFile(file, f"freesound:{word(clip[1])}", "freesound")
        elif YOUTUBE.fullmatch(stem):
            yield CorpusFile(file, f"youtube:{stem}", "audioset")
        else:
            yield CorpusFile(file, f"dns:{word(stem)}", "other")


LAYOUT = Layout(
    title="DNS challenge noise",
    example="noise_fullband/door_Freesound_validated_349356_0.wav",
    where="https://github.com/microsoft/DNS-Challenge",
    subsets=("audioset", "freesound", "demand", "other"),
    default=("audioset", "freesound", "demand", "other"),
    pieces=_pieces,
    missing=lambda _: (),  # no number of files is published
)
