"""Simulated listeners: what they hear is the true quality, what they say has a bias and a spread of their own."""

from dataclasses import dataclass

import numpy as np

PANEL = 10
"""Listeners of one panel."""

BIAS, SPREAD = 0.3, 0.6
"""Standard deviation of the listeners' biases, and mean of their spreads, on the scale from 1 to 5."""

SHIFT = -0.3
"""How much lower the second panel hears everything: another room, another day."""


@dataclass(frozen=True)
class Rater:
    """A listener: name, bias and standard deviation of what is said about one clip."""

    name: str
    bias: float
    spread: float

    def rate(self, quality: float, generator: np.random.Generator) -> int:
        """A whole number from 1 to 5 for a clip of this quality."""
        return int(np.clip(np.rint(quality + generator.normal(self.bias, self.spread)), 1, 5))


def panels(seed: int) -> tuple[list[Rater], list[Rater]]:
    """Two panels without a listener in common: of training and dev, and of the test, which is shifted."""
    generator = np.random.default_rng([seed, 1])
    raters = [
        Rater(f"L{number:02d}", generator.normal(SHIFT * (number >= PANEL), BIAS), generator.uniform(0.5, 1.5) * SPREAD)
        for number in range(2 * PANEL)
    ]
    return raters[:PANEL], raters[PANEL:]
