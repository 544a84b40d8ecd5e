"""Scores of recognition with one label an utterance, through scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassificationScores:
    """Scores of a set of utterances.

    Attributes:
        f1_macro: F1 averaged over the classes that occur in reference or hypothesis.
        f1_micro: F1 over all decisions; with one label an utterance it equals the accuracy.
        uar: unweighted average recall, over the classes that occur in the reference (balanced accuracy).
        accuracy: fraction of correct utterances.
        classes: names of the C classes.
        confusion: counts (C, C), rows are the reference.
        utterances: n.
    """

    f1_macro: float
    f1_micro: float
    uar: float
    accuracy: float
    classes: tuple[str, ...]
    confusion: np.ndarray
    utterances: int


def f1_macro(confusion: np.ndarray) -> float:
    """Mean of ``2 TP / (2 TP + FP + FN)`` over the classes that occur; counts (C, C) have the reference as rows."""
    occurrences = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float((2 * confusion.diagonal()[occurrences > 0] / occurrences[occurrences > 0]).mean())


def classification_scores(
    reference: Sequence[str], hypothesis: Sequence[str], classes: Sequence[str] | None = None
) -> ClassificationScores:
    """Compare labels utterance by utterance.

    Args:
        reference, hypothesis: labels of the same utterances in the same order, at least one.
        classes: rows of the confusion matrix in this order, all that occur; by default those that occur, sorted.
    """
    # Imported here, since every scoring process would load it without using it.
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

    occurring = sorted({*reference, *hypothesis})
    classes = tuple(classes or occurring)
    return ClassificationScores(
        f1_macro=float(f1_score(reference, hypothesis, labels=occurring, average="macro", zero_division=0)),
        f1_micro=float(f1_score(reference, hypothesis, labels=occurring, average="micro", zero_division=0)),
        uar=float(recall_score(reference, hypothesis, labels=sorted(set(reference)), average="macro", zero_division=0)),
        accuracy=float(accuracy_score(reference, hypothesis)),
        classes=classes,
        confusion=confusion_matrix(reference, hypothesis, labels=classes),
        utterances=len(reference),
    )
