"""Where the noise of a mixture drawn anew comes from: recordings of a corpus, or talkers overlaid on the spot."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from merit.data.noise.mixing import SILENCE, power
from merit.data.noise.online.kept_audio import KEPT
from merit.data.noise.online.piece import read_piece
from merit.errors import MeritError


class Piece(NamedTuple):
    """Noise for one utterance: samples ``(S,)`` at 16 kHz; their file and offset, or who talks."""

    samples: np.ndarray
    source: str
    offset: int


@dataclass(frozen=True)
class Recordings:
    """Files of a noise corpus.

    Attributes:
        name: of the noise.
        weight: how often it is drawn, beside the weights of the others.
        files: their paths.
        talking: of babble, the utterances that talk in a file and are never mixed with it.
    """

    name: str
    weight: float
    files: Sequence[str]
    talking: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def entries(self) -> Sequence[str]:
        """All that is read."""
        return self.files

    def allowed(self, utterance: str) -> Sequence[str]:
        """The files that an utterance may be mixed with."""
        if not self.talking:
            return self.files
        return [file for file in self.files if utterance not in self.talking.get(file, ())]

    def piece(self, generator: random.Random, length: int, utterance: str, speaker: str) -> Piece:
        """``length`` samples of a file that is drawn, from a place that is drawn.

        Raises:
            MeritError: when the file cannot be read.
        """
        files = self.allowed(utterance)
        file = files[int(generator.random() * len(files))]
        samples, offset = read_piece(file, generator.random(), length)
        return Piece(samples, file, offset)


@dataclass(frozen=True)
class Babble:
    """Talkers, each another speaker than the one who is listened to, at the same power.

    Attributes:
        name: of the noise.
        weight: how often it is drawn, beside the weights of the others.
        talkers: voices at once.
        speech: entries of ``wav.scp`` of each speaker.
    """

    name: str
    weight: float
    talkers: int
    speech: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        if self.talkers < 1 or len(self.speech) < 2:
            raise MeritError(
                f"{self.name}: {self.talkers} talkers of {len(self.speech)} speakers; expected at least one talker and "
                "two speakers, since nobody talks into their own speech"
            )

    @property
    def entries(self) -> Sequence[str]:
        """All that is read."""
        return [entry for said in self.speech.values() for entry in said]

    def piece(self, generator: random.Random, length: int, utterance: str, speaker: str) -> Piece:
        """``length`` samples of talkers who are drawn, none of them ``speaker``.

        A talker says utterances that are drawn, one after the other, and begins within the first. Speakers talk twice
        where there are fewer of them than talkers.

        Raises:
            MeritError: when an utterance cannot be read.
        """
        others = sorted(name for name in self.speech if name != speaker)
        # Not shuffle: of Python's generators, random() alone promises the same numbers in every version.
        others.sort(key=lambda _: generator.random())
        talking = [others[talker % len(others)] for talker in range(self.talkers)]
        voices = [self._voice(generator, length, self.speech[name]) for name in talking]
        return Piece(sum(voices), "+".join(talking), 0)

    def _voice(self, generator: random.Random, length: int, entries: Sequence[str]) -> np.ndarray:
        """Speak until ``length`` samples are full, at a power of 1; silent utterances are left as they are."""
        pieces, missing = [], length
        while missing > 0:
            entry = entries[int(generator.random() * len(entries))]
            samples = KEPT.read(entry, self.name)
            if not pieces:
                samples = samples[int(generator.random() * len(samples)) :]  # talkers do not begin all at once
            pieces.append(samples[:missing])
            missing -= len(pieces[-1])
        voice = np.concatenate(pieces)
        return voice / np.sqrt(max(power(voice), SILENCE))
