"""Encoders side by side: size, speed, a linear probe for emotion, an enhancement head."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from merit.data.noise.mixed_names import parse_condition
from merit.errors import MeritError
from merit.files import write_text
from merit.report.environment import environment_section
from merit.report.table import Cell, Column, Table, markdown


@dataclass(frozen=True)
class Measured:
    """What was measured of one encoder.

    Attributes:
        encoder: where its weights are.
        parameters: their number.
        states, width: L and D.
        speed: seconds of audio whose states one core computes in a second, by precision.
        probe: F1-macro of the linear probe, by data directory.
    """

    encoder: str
    parameters: int
    states: int
    width: int
    speed: dict[str, float]
    probe: dict[str, float]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_text(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Measured":
        """Read what :meth:`save` wrote.

        Raises:
            MeritError: when the file is missing or holds something else.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise MeritError(f"{path}: not what probe_encoder wrote ({error}); run it first") from error


def best_loss(history: Path) -> float:
    """Lowest enhancement loss of the dev set in the ``history.csv`` of a head.

    Raises:
        MeritError: when the file is missing or has no such column.
    """
    try:
        with history.open(encoding="utf-8", newline="") as lines:
            return min(float(row["dev_enhancement"]) for row in csv.DictReader(lines))
    except (OSError, KeyError, ValueError) as error:
        raise MeritError(f"{history}: no enhancement losses of a dev set ({error!r}); train the head first") from error


def compare(measured: Mapping[str, Measured], losses: Mapping[str, float], probe_noise: str) -> Table:
    """One row an encoder, the teacher first; speeds are beside the teacher's.

    Args:
        measured: by name of the encoder, the teacher first.
        losses: enhancement loss of each one's head.
        probe_noise: name of the noise whose conditions are averaged.
    """
    teacher, *_ = measured
    conditions = [name for name in measured[teacher].probe if parse_condition(name).noise == probe_noise]
    columns = [
        Column("encoder", "Encoder"),
        Column("parameters", "Parameters (M)", digits=2),
        Column("states", "States"),
        *(Column(f"speed_{precision}", f"Speed, {precision}", digits=1) for precision in measured[teacher].speed),
        *(Column(name, _label(name)) for name in measured[teacher].probe),
        Column("mean", f"F1, mean of {probe_noise}"),
        Column("below_teacher", "below teacher"),
        Column("enhancement", "Enhancement loss", digits=4, lower_is_better=True),
    ]

    def mean(name: str) -> float:
        return sum(measured[name].probe[condition] for condition in conditions) / len(conditions)

    rows = [
        (
            Cell(name),
            Cell(one.parameters / 1e6),
            Cell(f"{one.states} x {one.width}"),
            *(Cell(one.speed[precision] / measured[teacher].speed[precision]) for precision in one.speed),
            *(Cell(value) for value in one.probe.values()),
            Cell(mean(name)),
            Cell(mean(teacher) - mean(name)),
            Cell(losses[name]),
        )
        for name, one in measured.items()
    ]
    return Table(
        name="encoders",
        title="Encoders, frozen",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(
            f"Speed: on one core, times that of {teacher}, which computes the states of "
            + ", ".join(f"{speed:.0f} s of audio a second in {name}" for name, speed in measured[teacher].speed.items())
            + ".",
            "F1-macro of a linear classifier of the mean states of an utterance.",
            "Enhancement loss: the lowest of a small head's dev set, masked L1 of log1p magnitudes.",
        ),
    )


def write_comparison(table: Table, output: Path, command: str) -> None:
    """Write the table as Markdown, with the environment and the command it came from."""
    sections = ["# Encoders", environment_section(), f"Command: `{command}`", markdown(table)]
    write_text(output, "\n\n".join(sections) + "\n")


def _label(name: str) -> str:
    condition = parse_condition(name)
    return "F1, clean" if condition.snr is None else f"F1, {condition.noise} {condition.snr:g} dB"


def named(pairs: Sequence[str]) -> dict[str, Path]:
    """Split ``name=path`` options.

    Raises:
        MeritError: when one is of another form.
    """
    if wrong := [pair for pair in pairs if not all(pair.partition("=")[::2])]:
        raise MeritError(f"{wrong[0]!r}: expected name=path")
    return {name: Path(path) for name, _, path in (pair.partition("=") for pair in pairs)}
