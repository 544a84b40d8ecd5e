"""Where the noise of a mixture drawn anew comes from: recordings of a corpus, or talkers overlaid on the spot."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from merit.data.audio import read_audio
from merit.data.noise.mixing import SILENCE, power
from merit.data.noise.online.piece import read_piece
from merit.errors import MeritError


@dataclass(frozen=True)
class Recordings:
    """Files of a noise corpus.

    Attributes:
        name: of the noise.
        weight: how often it is drawn, beside the weights of the others.
        files: their paths.
    """

    name: str
    weight: float
    files: Sequence[str]

    def piece(self, generator: random.Random, length: int, speaker: str) -> np.ndarray:
        """``(length,)`` samples at 16 kHz of a file that is drawn, from a place that is drawn.

        Raises:
            MeritError: when the file cannot be read.
        """
        file = self.files[int(generator.random() * len(self.files))]
        return read_piece(file, generator.random(), length)


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

    def piece(self, generator: random.Random, length: int, speaker: str) -> np.ndarray:
        """``(length,)`` samples at 16 kHz of talkers who are drawn, none of them ``speaker``.

        A talker says utterances that are drawn, one after the other, and begins within the first. Speakers talk twice
        where there are fewer of them than talkers.

        Raises:
            MeritError: when an utterance cannot be read.
        """
        others = sorted(name for name in self.speech if name != speaker)
        generator.shuffle(others)
        return sum(
            self._voice(generator, length, self.speech[others[talker % len(others)]]) for talker in range(self.talkers)
        )

    def _voice(self, generator: random.Random, length: int, entries: Sequence[str]) -> np.ndarray:
        """Speak until ``length`` samples are full, at a power of 1; silent utterances are left as they are."""
        pieces, missing = [], length
        while missing > 0:
            entry = entries[int(generator.random() * len(entries))]
            samples = read_audio(entry, "babble")
            if not pieces:
                samples = samples[int(generator.random() * len(samples)) :]  # talkers do not begin all at once
            pieces.append(samples[:missing])
            missing -= len(pieces[-1])
        voice = np.concatenate(pieces)
        return voice / np.sqrt(max(power(voice), SILENCE))
