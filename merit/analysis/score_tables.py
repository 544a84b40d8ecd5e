"""Score folders (``<folder>/<condition>/{emotion,enhancement}.csv``) as rows of tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from merit.analysis.conditions import Condition, in_table_order, parse_condition
from merit.metrics.emotion_table import read_emotion_table
from merit.metrics.f1 import EmotionScores
from merit.metrics.score_sheet import mean_scores, read_enhancement_table, read_records

EMOTION_TABLE = "emotion.csv"
ENHANCEMENT_TABLE = "enhancement.csv"


@dataclass(frozen=True)
class EmotionRow:
    """Emotion scores of one condition."""

    condition: Condition
    scores: EmotionScores


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

    condition: Condition
    means: dict[str, float]
    failures: dict[str, int]
    utterances: int
    composite: str | None


def _conditions_with(folder: Path | str, table: str, seen: Iterable[str]) -> list[Condition]:
    return in_table_order((parse_condition(path.parent.name) for path in Path(folder).glob(f"*/{table}")), seen)


def emotion_rows(folder: Path | str, seen: Iterable[str] = ()) -> list[EmotionRow]:
    """Rows of all conditions of ``folder`` that have emotion scores, in the order of the tables."""
    return [
        EmotionRow(condition, read_emotion_table(Path(folder) / condition.name / EMOTION_TABLE).scores())
        for condition in _conditions_with(folder, EMOTION_TABLE, seen)
    ]


def enhancement_rows(folder: Path | str, seen: Iterable[str] = ()) -> list[EnhancementRow]:
    """Rows of all conditions of ``folder`` that have enhancement scores, in the order of the tables."""
    rows = []
    for condition in _conditions_with(folder, ENHANCEMENT_TABLE, seen):
        path = Path(folder) / condition.name / ENHANCEMENT_TABLE
        table = read_enhancement_table(path)
        means, failures = mean_scores(table)
        variants = {record.composite for record in read_records(path)[1].values()}
        composite = variants.pop() if len(variants) == 1 else None
        rows.append(EnhancementRow(condition, means, failures, len(table), composite))
    return rows
