"""Score folders (``<folder>/<condition>/{emotion,enhancement}.csv``) as rows of tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from merit.data.noise.mixed_names import NoiseCondition, parse_condition
from merit.errors import MeritError
from merit.metrics.classification import ClassificationScores
from merit.metrics.enhancement.score_sheet import mean_scores, read_enhancement_table, read_records
from merit.metrics.label_table import read_label_table
from merit.systems.sparse_merit.results.conditions import in_table_order
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.run_files import EMOTION_TABLE, ENHANCEMENT_TABLE

COMPOSITE_NOTES = {
    "matlab": "CSIG, CBAK and COVL are equal to the authors' MATLAB files (variant `matlab`).",
    "cmgan": "CSIG, CBAK and COVL have the WSS of CMGAN's Python port (variant `cmgan`, as in the paper's Table II); "
    "they are higher than those of the MATLAB files.",
    None: "The variant of CSIG, CBAK and COVL is not recorded beside these scores.",
}
"""What is said of the variant of the composite measures."""


@dataclass(frozen=True)
class EmotionRow:
    """Emotion scores of one condition."""

    condition: NoiseCondition
    scores: ClassificationScores


@dataclass(frozen=True)
class EnhancementRow:
    """Enhancement scores of one condition.

    Attributes:
        condition: what was scored.
        means: measure -> mean over the utterances where it is defined.
        failures: measure -> number of utterances where it is not.
        utterances: n.
        composite: variant of the composite measures; None when the folder holds no record of it.
    """

    condition: NoiseCondition
    means: dict[str, float]
    failures: dict[str, int]
    utterances: int
    composite: str | None


def _conditions_with(folder: Path | str, table: str, seen: Iterable[str]) -> list[NoiseCondition]:
    """Those of the test; the dev set is scored as well, for choices like that of the number of experts."""
    conditions = (parse_condition(path.parent.name) for path in Path(folder).glob(f"*/{table}"))
    return in_table_order((condition for condition in conditions if condition.subset != "dev"), seen)


def emotion_rows(folder: Path | str, seen: Iterable[str] = ()) -> list[EmotionRow]:
    """Rows of all test conditions of ``folder`` that have emotion scores, in the order of the tables."""
    return [
        EmotionRow(condition, read_label_table(Path(folder) / condition.name / EMOTION_TABLE).scores())
        for condition in _conditions_with(folder, EMOTION_TABLE, seen)
    ]


def enhancement_rows(folder: Path | str, seen: Iterable[str] = ()) -> list[EnhancementRow]:
    """Rows of all test conditions of ``folder`` that have enhancement scores, in the order of the tables."""
    return [enhancement_row(folder, condition) for condition in _conditions_with(folder, ENHANCEMENT_TABLE, seen)]


def enhancement_row(folder: Path | str, condition: NoiseCondition) -> EnhancementRow:
    """Means and failures of one condition of a score folder.

    Raises:
        MeritError: when it has no enhancement scores.
    """
    path = Path(folder) / condition.name / ENHANCEMENT_TABLE
    table = read_enhancement_table(path)
    means, failures = mean_scores(table)
    variants = {record.composite for record in read_records(path)[1].values()}
    composite = variants.pop() if len(variants) == 1 else None
    return EnhancementRow(condition, means, failures, len(table), composite)


def runs_with(runs: Iterable[FinishedRun], condition: NoiseCondition, table: str) -> dict[str, list[FinishedRun]]:
    """Method -> its runs, of the methods that have this table of scores in this condition.

    Raises:
        MeritError: when only some of the seeds of a method have it, or all have it in other conditions alone; names
            those that lack it.
    """
    methods: dict[str, list[FinishedRun]] = {}
    for run in runs:
        methods.setdefault(run.method, []).append(run)
    found = {}
    for method, seeds in methods.items():
        missing = [str(run.score(condition)) for run in seeds if not (run.score(condition) / table).exists()]
        if missing and len(missing) < len(seeds):
            raise MeritError(
                f"no {table} in {' '.join(missing)}, but in that of other seeds; run stage 6 for all seeds"
            )
        if missing and any(any(run.scores.glob(f"*/{table}")) for run in seeds):
            raise MeritError(f"no {table} in {' '.join(missing)}, but in other conditions; run stage 6 for {method}")
        if not missing:
            found[method] = seeds
    return found
