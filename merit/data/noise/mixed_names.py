"""Names of mixed data directories, ``<set>_<noise>_<snr>dB``: how they are made and how they are read."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<subset>[^_]+)_(?P<noise>.+)_(?P<snr>-?\d+(?:\.\d+)?)dB")


@dataclass(frozen=True)
class NoiseCondition:
    """One test condition.

    Attributes:
        name: of the data directory, as ``test_babble_-5dB``.
        subset: ``test``.
        noise: ``babble``; empty for a directory that was not mixed.
        snr: in dB; None for a directory that was not mixed.
    """

    name: str
    subset: str
    noise: str
    snr: float | None


def condition_name(subset: str, noise: str, snr: float) -> str:
    """The name of what a set becomes when it is mixed with a noise at an SNR in dB."""
    return f"{subset}_{noise}_{snr + 0.0:g}dB"  # -0.0 is the same SNR as 0.0


def parse_condition(name: str) -> NoiseCondition:
    """Split the name of a data directory; one that is not of this form is a condition without noise."""
    match = _NAME.fullmatch(name)
    if match is None:
        return NoiseCondition(name, name, "", None)
    return NoiseCondition(name, match["subset"], match["noise"], float(match["snr"]))
