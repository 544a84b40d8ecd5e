"""Names of mixed data directories, ``<set>_<noise>_<snr>dB``: how they are made and how they are read.

Where mixtures are drawn, noise and SNR differ from utterance to utterance: ``<set>_online`` is mixed while it is read,
anew in every epoch, and ``<set>_drawn`` was mixed once.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<subset>[^_]+)_(?P<noise>.+)_(?P<snr>-?\d+(?:\.\d+)?)dB")
_DRAWN = re.compile(r"(?P<subset>[^_]+)_drawn")

DRAWN = "drawn"
"""Noise and SNR of a set in which both differ from utterance to utterance."""
NOISE_NAME = "[A-Za-z0-9.-]+"
"""Pattern of a noise's name; ``_`` separates the fields."""


@dataclass(frozen=True)
class NoiseCondition:
    """One test condition.

    Attributes:
        name: of the data directory, as ``test_babble_-5dB``.
        subset: ``test``.
        noise: ``babble``; empty for a directory that was not mixed, :data:`DRAWN` for one of drawn mixtures.
        snr: in dB; None for a directory that was not mixed, or not at one SNR.
    """

    name: str
    subset: str
    noise: str
    snr: float | None


def condition_name(subset: str, noise: str, snr: float) -> str:
    """The name of what a set becomes when it is mixed with a noise at an SNR in dB."""
    return f"{subset}_{noise}_{snr + 0.0:g}dB"  # -0.0 is the same SNR as 0.0


def online_name(subset: str) -> str:
    """The name of what a set becomes when it is mixed while it is read."""
    return f"{subset}_online"


def drawn_name(subset: str) -> str:
    """The name of what a set becomes when the mixture of each utterance is drawn once."""
    return f"{subset}_{DRAWN}"


def parse_condition(name: str) -> NoiseCondition:
    """Split the name of a data directory; one that is of no such form is a condition without noise."""
    if match := _NAME.fullmatch(name):
        return NoiseCondition(name, match["subset"], match["noise"], float(match["snr"]))
    if match := _DRAWN.fullmatch(name):
        return NoiseCondition(name, match["subset"], DRAWN, None)
    return NoiseCondition(name, name, "", None)
