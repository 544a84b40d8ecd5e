"""Scores of a model whose gates were overruled, as they lie in ``routing_probe.csv`` of its directory."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from merit.errors import MeritError
from merit.files import csv_text, write_text

OWN, OTHER = "own", "other"
"""Rules: a task goes where its own gate, or the gate of the other task would have it."""
SCORES = ("f1_macro", "f1_micro", "ssnr")


@dataclass(frozen=True)
class ProbeRow:
    """Scores of one condition under one rule; NaN for a task that the model has no head for.

    Attributes:
        condition: name of the data directory.
        gate: ``own``, ``other`` or ``expert_<n>``, for both tasks.
        f1_macro, f1_micro: of the emotions.
        ssnr: mean segmental SNR of the enhanced speech in dB, over the utterances where it is defined.
        utterances: n.
    """

    condition: str
    gate: str
    f1_macro: float
    f1_micro: float
    ssnr: float
    utterances: int


def write_probe(path: Path, rows: Sequence[ProbeRow]) -> None:
    """Write one line a row, numbers in full."""
    write_text(path, csv_text([field.name for field in fields(ProbeRow)], map(astuple, rows)))


def read_probe(path: Path) -> list[ProbeRow]:
    """Read what :func:`write_probe` wrote.

    Raises:
        MeritError: when the file is missing or has other columns.
    """
    if not path.is_file():
        raise MeritError(f"{path}: not there; probe the routing first (merit.bin.sparse_merit.probe_routing)")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != [field.name for field in fields(ProbeRow)]:
            raise MeritError(f"{path}: other columns than those of a probe; probe the routing again")
        return [
            ProbeRow(row["condition"], row["gate"], *(float(row[name]) for name in SCORES), int(row["utterances"]))
            for row in reader
        ]
