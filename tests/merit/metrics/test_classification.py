import numpy as np
import pytest

from merit.metrics.classification import classification_scores, f1_macro

REFERENCE = ["anger"] * 4 + ["joy"] * 2 + ["neutral"] * 3
HYPOTHESIS = ["anger", "anger", "joy", "neutral", "joy", "anger", "neutral", "neutral", "anger"]


def test_scores_equal_their_definitions():
    scores = classification_scores(REFERENCE, HYPOTHESIS)
    f1, recalls = [], []
    for name in ("anger", "joy", "neutral"):
        hits = sum(r == h == name for r, h in zip(REFERENCE, HYPOTHESIS, strict=True))
        f1.append(2 * hits / (REFERENCE.count(name) + HYPOTHESIS.count(name)))
        recalls.append(hits / REFERENCE.count(name))
    assert scores.f1_macro == pytest.approx(np.mean(f1))
    assert scores.uar == pytest.approx(np.mean(recalls))
    assert scores.f1_micro == scores.accuracy == pytest.approx(5 / 9)
    assert scores.utterances == 9
    assert scores.classes == ("anger", "joy", "neutral")
    assert scores.confusion.tolist() == [[2, 1, 1], [1, 1, 0], [1, 0, 2]]


def test_classes_order_the_matrix_and_absent_ones_do_not_change_the_means():
    scores = classification_scores(REFERENCE, HYPOTHESIS, ("neutral", "sadness", "joy", "anger"))
    plain = classification_scores(REFERENCE, HYPOTHESIS)
    assert (scores.f1_macro, scores.uar) == (plain.f1_macro, plain.uar)
    assert f1_macro(scores.confusion) == pytest.approx(plain.f1_macro)
    assert scores.confusion.tolist() == [[2, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1], [1, 0, 1, 2]]


def test_a_class_only_in_the_hypothesis_counts_for_f1_and_not_for_recall():
    scores = classification_scores(["a", "a"], ["a", "b"])
    assert scores.f1_macro == f1_macro(scores.confusion) == pytest.approx((2 / 3 + 0) / 2)
    assert scores.uar == pytest.approx(1 / 2)
