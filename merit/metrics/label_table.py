"""Recognised labels against the reference: one row an utterance, with labels, correctness and posteriors."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.metrics.classification import ClassificationScores, classification_scores

COLUMNS = ("utt", "reference", "hypothesis", "correct")


@dataclass(frozen=True)
class LabelTable:
    """Labels of a set of utterances.

    Attributes:
        reference, hypothesis: utterance -> label, over the same utterances.
        classes: the labels that may occur.
        posteriors: utterance -> probabilities in the order of ``classes``, or empty.
    """

    reference: dict[str, str]
    hypothesis: dict[str, str]
    classes: tuple[str, ...]
    posteriors: dict[str, list[float]] = field(default_factory=dict)

    def scores(self) -> ClassificationScores:
        """F1, UAR and confusion matrix over all utterances."""
        utts = list(self.reference)
        return classification_scores(
            [self.reference[u] for u in utts], [self.hypothesis[u] for u in utts], self.classes
        )

    def write(self, path: Path) -> None:
        """Write the rows, sorted by utterance."""
        rows = []
        for utt in sorted(self.reference):
            correct = int(self.reference[utt] == self.hypothesis[utt])
            posteriors = (f"{value:.6f}" for value in self.posteriors.get(utt, ()))
            rows.append((utt, self.reference[utt], self.hypothesis[utt], correct, *posteriors))
        write_text(path, csv_text((*COLUMNS, *(self.classes if self.posteriors else ())), rows, line_end="\r\n"))


def compare_labels(
    reference: Mapping[str, str],
    hypothesis: Mapping[str, str],
    where: str,
    classes: Sequence[str] | None = None,
    posteriors: Mapping[str, list[float]] | None = None,
) -> LabelTable:
    """Bring reference and hypothesis together.

    Args:
        reference, hypothesis: utterance -> label, as of ``utt2emo``.
        where: the file of the hypothesis, for messages.
        classes: labels that may occur; by default those of the reference.
        posteriors: utterance -> probabilities in the order of ``classes``.

    Raises:
        MeritError: when the utterances differ or a label is not among the classes.
    """
    if missing := sorted(reference.keys() - hypothesis.keys()):
        raise MeritError(f"{where}: {len(missing)} utterances of the reference are missing, as {' '.join(missing[:5])}")
    if unknown := sorted(hypothesis.keys() - reference.keys()):
        raise MeritError(f"{where}: {len(unknown)} utterances have no reference label, as {' '.join(unknown[:5])}")
    classes = tuple(classes or sorted(set(reference.values())))
    for table, kind in ((reference, "reference"), (hypothesis, "hypothesis")):
        for utt, label in table.items():
            if label not in classes:
                raise MeritError(f"{where}: {utt}: unknown {kind} label {label!r}; known are {' '.join(classes)}")
    return LabelTable(dict(reference), dict(hypothesis), classes, dict(posteriors or {}))


def read_label_table(path: Path) -> LabelTable:
    """Read what :meth:`LabelTable.write` wrote, as ``emotion.csv``.

    Raises:
        MeritError: when the file is missing or has other columns.
    """
    if not path.is_file():
        raise MeritError(f"{path}: not there; score the condition first (stage 6)")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0][:4]) != COLUMNS:
        raise MeritError(f"{path}: expected the columns {','.join(COLUMNS)}")
    reference, hypothesis = ({row[0]: row[column] for row in rows[1:]} for column in (1, 2))
    posteriors = {row[0]: [float(value) for value in row[4:]] for row in rows[1:] if row[4:]}
    classes = tuple(rows[0][4:]) or tuple(sorted({*reference.values(), *hypothesis.values()}))
    return LabelTable(reference, hypothesis, classes, posteriors)
