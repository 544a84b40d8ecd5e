"""Test conditions: ``test_<noise>_<snr>dB``, the name of a mixed data directory."""

import re
from collections.abc import Iterable
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


def parse_condition(name: str) -> NoiseCondition:
    """Split the name of a data directory; one that is not of this form is a condition without noise."""
    match = _NAME.fullmatch(name)
    if match is None:
        return NoiseCondition(name, name, "", None)
    return NoiseCondition(name, match["subset"], match["noise"], float(match["snr"]))


def in_table_order(conditions: Iterable[NoiseCondition], seen: Iterable[str] = ()) -> list[NoiseCondition]:
    """Sort for a table: without noise first, then the ``seen`` noises, then the others, each with rising SNR."""
    seen = list(seen)

    def place(condition: NoiseCondition) -> tuple:
        rank = -1 if condition.snr is None else (0 if condition.noise in seen else 1)
        return rank, condition.noise, condition.subset, condition.snr or 0.0

    return sorted(conditions, key=place)
