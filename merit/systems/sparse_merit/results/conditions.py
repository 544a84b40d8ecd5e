"""Test conditions in the order of the tables."""

from collections.abc import Iterable

from merit.data.noise.mixed_names import NoiseCondition


def in_table_order(conditions: Iterable[NoiseCondition], seen: Iterable[str] = ()) -> list[NoiseCondition]:
    """Sort for a table: without noise first, then the ``seen`` noises, then the others, each with rising SNR."""
    seen = list(seen)

    def place(condition: NoiseCondition) -> tuple:
        rank = -1 if condition.snr is None else (0 if condition.noise in seen else 1)
        return rank, condition.noise, condition.subset, condition.snr or 0.0

    return sorted(conditions, key=place)
