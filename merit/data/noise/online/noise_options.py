"""Noises of training as a person names them: ``esc=/folder``, ``esc@2=/folder`` with a weight, or ``babble``.

Read for the plan of a recipe too, which waits for no library.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.data.noise.mixed_names import NOISE_NAME
from merit.errors import MeritError

BABBLE = "babble"
"""The noise that needs no folder."""

_OPTION = re.compile(rf"(?P<name>{NOISE_NAME})(?:@(?P<weight>[^=]*))?(?:=(?P<folder>.+))?")


@dataclass(frozen=True)
class NoiseOption:
    """A noise, how often it is drawn beside the others, and the folder of its files; None for talkers on the spot."""

    name: str
    weight: float
    folder: Path | None


def parse_noises(words: Sequence[str], option: str) -> list[NoiseOption]:
    """Read what follows an option such as ``--noise-train``.

    Raises:
        MeritError: when there is none, one is of another form, a weight is not positive and finite, or two noises have
            one name.
    """
    found: dict[str, NoiseOption] = {}
    for word in words:
        match = _OPTION.fullmatch(word)
        if match is None or (match["folder"] is None and match["name"] != BABBLE):
            raise MeritError(
                f"{option}: '{word}' is not name=folder, name@weight=folder or babble, the name of letters, digits, . "
                "and -"
            )
        if match["name"] in found:
            raise MeritError(f"{option}: two noises are called {match['name']}")
        folder = None if match["folder"] is None else Path(match["folder"])
        found[match["name"]] = NoiseOption(match["name"], _weight(match["weight"], word, option), folder)
    if not found:
        raise MeritError(f"{option} names no noise")
    return list(found.values())


def parse_share(text: str, option: str) -> float:
    """Read a share from 0 to 1, or raise ``MeritError``."""
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise MeritError(f"{option} is a share from 0 to 1, not '{text}'")
    return share


def _weight(text: str | None, word: str, option: str) -> float:
    try:
        weight = 1.0 if text is None else float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise MeritError(f"{option}: '{word}': the weight '{text}' is no number above 0, as esc@2=/folder has it")
    return weight
