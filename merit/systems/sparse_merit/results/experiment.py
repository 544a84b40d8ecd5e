"""The trained models under ``exp/`` and what the paper calls their methods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.errors import MeritError
from merit.systems.sparse_merit.results.conditions import Condition, in_table_order, parse_condition

METHOD_NAMES = {
    "original": "Original",
    "ft_m": "FT-M",
    "se_p": "SE-P",
    "se_only": "Fine-tuned",
    "ft_mtl": "FT-MTL",
    "ft_mtl_uncertainty": "FT-MTL w/ Uncertainty",
    "ft_mtl_pcgrad": "FT-MTL w/ PCGrad",
    "ft_mtl_gradnorm": "FT-MTL w/ GradNorm",
    "dense_merit": "Dense MERIT",
    "sparse_merit": "Sparse MERIT",
    "sparse_merit_balance": "Sparse MERIT w/ balancing",
    "sparse_merit_hard": "Sparse MERIT, fixed gates",
    "sparse_merit_shared": "Sparse MERIT, one gate",
    "sparse_merit_top2": "Sparse MERIT, top 2",
    "sparse_merit_shared_expert": "Sparse MERIT w/ shared expert",
    "sparse_merit_n1": "Sparse MERIT, N = 1",
    "sparse_merit_n5": "Sparse MERIT, N = 5",
    "sparse_merit_n7": "Sparse MERIT, N = 7",
    "sparse_merit_n9": "Sparse MERIT, N = 9",
}
"""Method -> name in the tables; the paper's names where it has one. Other methods keep their own."""


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
        return METHOD_NAMES.get(self.method, self.method)

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
