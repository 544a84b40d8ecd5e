"""The trained models under ``exp/``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.errors import MeritError
from merit.systems.sparse_merit.method import title_of
from merit.systems.sparse_merit.results.conditions import Condition, in_table_order, parse_condition


@dataclass(frozen=True)
class Run:
    """One trained model, scored by stage 6.

    Attributes:
        method: ``sparse_merit``.
        seed: of its training.
        directory: ``exp/sparse_merit-7``, with ``config.json``, ``history.csv``, ``decode/`` and ``score/``.
    """

    method: str
    seed: int
    directory: Path

    @property
    def name(self) -> str:
        """The method as tables call it."""
        return title_of(self.method)

    def score(self, condition: Condition) -> Path:
        """Folder with ``emotion.csv`` and ``enhancement.csv`` (models without one of the heads lack one) of a test."""
        return self.directory / "score" / condition.name

    def decoded(self, condition: Condition) -> Path:
        """Folder with ``routing.npz`` (models that route), ``utt2emo`` and enhanced audio of a test."""
        return self.directory / "decode" / condition.name


def find_runs(exp: Path, methods: Iterable[str], seeds: Sequence[int], tag: str = "") -> list[Run]:
    """The runs of all methods and seeds, method by method, in the order given.

    Raises:
        MeritError: when one of them was not scored; lists all of those.
    """
    suffix = f"_{tag}" if tag else ""
    runs = [Run(method, seed, exp / f"{method}{suffix}-{seed}") for method in methods for seed in seeds]
    if missing := [str(run.directory) for run in runs if not any(run.directory.glob("score/*/*.csv"))]:
        raise MeritError(f"not scored yet: {' '.join(missing)}; run stages 4 to 6 for these methods and seeds first")
    return runs


def conditions_of(runs: Iterable[Run], seen: Sequence[str] = (), subset: str = "test") -> list[Condition]:
    """The conditions of ``subset`` (test or dev) that any of the runs was scored on, in the order of the tables."""
    names = {path.name for run in runs for path in run.directory.glob("score/*")}
    found = [condition for condition in map(parse_condition, names) if condition.subset == subset]
    return in_table_order(found, seen)
