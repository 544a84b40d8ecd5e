"""Is one method's F1 better than another's: disjoint test subsets with Welch's test, and the paired bootstrap.

The paper's protocol (section V-A) scores every trained model on five disjoint subsets of the test set and compares the
scores of all seeds by a one-tailed Welch test. These scores are not independent: seeds share test utterances, subsets
share models. The paired bootstrap (Efron and Tibshirani 1993, Koehn 2004) draws utterances with replacement, the same
ones for both methods, and so keeps to what was sampled: the test set, for the models as they were trained.

Labels are numbers 0..C-1; a hypothesis C or above is a label outside of the C classes, and always wrong.
"""

import hashlib
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from merit.metrics.bootstrap import Resampled, resampling_weights

MEASURES = ("f1_macro", "f1_micro")
SIGNIFICANCE_LEVEL = 0.05


def disjoint_subsets(labels: Mapping[str, str], count: int = 5) -> dict[str, int]:
    """Utterance -> number of its subset, 0 to ``count - 1``.

    Every class is spread evenly: subsets differ by at most one utterance in each class and in all. The order within a
    class follows from a digest of the names alone, so every method and every condition has the same subsets.

    Args:
        labels: utterance -> class.
        count: number of subsets.
    """

    def order(utterance: str) -> tuple[str, bytes]:
        return labels[utterance], hashlib.blake2b(utterance.encode(), digest_size=16).digest()

    return {utterance: place % count for place, utterance in enumerate(sorted(labels, key=order))}


def weighted_f1(reference: np.ndarray, hypothesis: np.ndarray, weights: np.ndarray, num_classes: int) -> np.ndarray:
    """F1-macro and F1-micro of utterances counted with weights.

    Macro is the mean over all classes, where one that occurs neither in reference nor hypothesis counts as 0
    (scikit-learn's ``zero_division=0`` with these labels). Micro is the fraction of correct utterances.

    Args:
        reference, hypothesis: labels (U,).
        weights: how often each utterance counts, (R, U), whole numbers.
        num_classes: C.

    Returns:
        (R, 2), in the order of ``MEASURES``.
    """
    classes = np.arange(num_classes)
    in_reference, in_hypothesis = (labels[:, None] == classes for labels in (reference, hypothesis))
    # float32 counts are exact up to 2^24 utterances, and BLAS multiplies them.
    columns = np.concatenate([in_reference & in_hypothesis, in_reference, in_hypothesis], axis=1).astype(np.float32)
    correct, expected, found = np.split((weights.astype(np.float32) @ columns).astype(float), 3, axis=1)
    occurrences = expected + found
    f1 = np.divide(2 * correct, occurrences, out=np.zeros_like(correct), where=occurrences > 0)
    return np.stack([f1.mean(axis=1), correct.sum(axis=1) / weights.sum(axis=1)], axis=1)


def subset_scores(
    reference: np.ndarray, hypotheses: np.ndarray, subsets: np.ndarray, num_classes: int
) -> dict[str, list[float]]:
    """The scores of one method that Table I averages: measure -> one for each seed and subset.

    Args:
        reference: labels (U,).
        hypotheses: labels (S, U) of the models of S seeds.
        subsets: number of the subset of each utterance (U,); numbers without an utterance are left out.
        num_classes: C.
    """
    weights = subsets == np.unique(subsets)[:, None]
    scores = np.concatenate([weighted_f1(reference, labels, weights, num_classes) for labels in hypotheses])
    return {measure: column.tolist() for measure, column in zip(MEASURES, scores.T)}


def welch_p(better: Sequence[float], other: Sequence[float]) -> float:
    """P-value of Welch's one-tailed test that the mean of ``better`` is greater than that of ``other``.

    NaN where the test is undefined: fewer than two scores on a side, or no score differs from any other. A comparison
    ``p <= 0.05`` is then false.
    """
    if min(len(better), len(other)) < 2 or len({*better, *other}) == 1:
        return float("nan")
    with warnings.catch_warnings():
        # Scores that hardly vary: scipy warns that the variance has lost digits.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.ttest_ind(better, other, equal_var=False, alternative="greater").pvalue)


def paired_bootstrap(
    reference: np.ndarray,
    hypotheses: Mapping[str, np.ndarray],
    num_classes: int,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Resampled]:
    """Score all methods on the same resamples of the test utterances.

    Args:
        reference: labels (U,).
        hypotheses: method -> labels (S, U) of the models of its S seeds.
        num_classes: C.
        resamples: R, each of U utterances drawn with replacement.
        seed: of the draws.

    Returns:
        Method -> scores; ``scores[a].minus(scores[b])`` compares two of them.
    """

    def scores(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {
            method: np.mean([weighted_f1(reference, run, weights, num_classes) for run in runs], axis=0)
            for method, runs in hypotheses.items()
        }

    observed = scores(np.ones((1, len(reference)), dtype=np.float32))
    blocks = [scores(weights) for weights in resampling_weights(len(reference), resamples, seed)]
    return {
        method: Resampled(MEASURES, observed[method][0], np.concatenate([block[method] for block in blocks]))
        for method in hypotheses
    }
