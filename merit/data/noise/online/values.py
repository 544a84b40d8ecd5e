"""Numbers to draw from, as a person writes them: ``-5:15`` for a range, ``-5 0 5`` for a list, ``5`` for one."""

import math
import random
from dataclasses import dataclass

from merit.errors import MeritError

LIMIT = 90
"""Largest number of dB, up or down."""


@dataclass(frozen=True)
class Values:
    """A range, of which every number is as likely, or a list, of which every one is.

    Attributes:
        numbers: the two ends of a range, or those of the list.
        is_range: which of the two it is.
    """

    numbers: tuple[float, ...]
    is_range: bool

    @classmethod
    def parse(cls, text: str, option: str) -> "Values":
        """Read ``LOW:HIGH`` or numbers with spaces between, in dB; ``option`` is where they stand, for messages.

        Raises:
            MeritError: when it is neither, a number is beyond :data:`LIMIT`, or the range ends below its beginning.
        """
        is_range = ":" in text
        try:
            numbers = tuple(float(word) for word in (text.split(":") if is_range else text.split()))
        except ValueError:
            numbers = ()
        if not numbers or not all(map(math.isfinite, numbers)) or (is_range and len(numbers) != 2):
            raise MeritError(f"{option}: '{text}' is no range in dB, as -5:15, and no list, as -5 0 5")
        if is_range and numbers[0] > numbers[1]:
            raise MeritError(f"{option}: '{text}' ends below its beginning; write {numbers[1]:g}:{numbers[0]:g}")
        if beyond := [number for number in numbers if abs(number) > LIMIT]:
            raise MeritError(f"{option}: {beyond[0]:g} dB is beyond the {LIMIT} dB that 16 bits can hold")
        return cls(numbers, is_range)

    @property
    def text(self) -> str:
        """As a person writes them; :meth:`parse` gives the same values back."""
        return (":" if self.is_range else " ").join(f"{number:.15g}" for number in self.numbers)

    def draw(self, generator: random.Random) -> float:
        """One of them; takes one number from the generator whatever they are."""
        place = generator.random()
        if self.is_range:
            low, high = self.numbers
            return low + place * (high - low)
        return self.numbers[int(place * len(self.numbers))]
