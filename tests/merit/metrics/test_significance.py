import math
from collections import Counter

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import accuracy_score, f1_score

from merit.metrics.significance import (
    SIGNIFICANCE_LEVEL,
    disjoint_subsets,
    paired_bootstrap,
    subset_scores,
    weighted_f1,
    welch_p,
)


def decisions(count=60, accuracy=0.6, seeds=2, classes=4, seed=0):
    """Reference (U,) and hypotheses (S, U)."""
    generator = np.random.default_rng(seed)
    reference = np.random.default_rng(99).integers(classes, size=count)
    right = generator.random((seeds, count)) < accuracy
    return reference, np.where(right, reference, generator.integers(classes, size=(seeds, count)))


def reference_f1(reference, hypothesis, classes=4):
    macro = f1_score(reference, hypothesis, labels=range(classes), average="macro", zero_division=0)
    return macro, accuracy_score(reference, hypothesis)


def test_subsets_are_a_stratified_partition_that_follows_from_the_names():
    labels = {f"u{n}": "abcd"[n % 4 if n < 40 else 0] for n in range(58)}
    subsets = disjoint_subsets(labels)
    assert subsets.keys() == labels.keys() and set(subsets.values()) == set(range(5))
    for members in (subsets, *({u for u in labels if labels[u] == name} for name in "abcd")):
        sizes = Counter(subsets[utt] for utt in members).values()
        assert max(sizes) - min(sizes) <= 1
    assert disjoint_subsets(dict(reversed(labels.items()))) == subsets


def test_subsets_are_no_matter_of_the_order_of_names():
    labels = {f"u{n:03d}": "a" for n in range(100)}
    subsets = disjoint_subsets(labels)
    neighbours = sum(subsets[f"u{n:03d}"] == (subsets[f"u{n - 1:03d}"] + 1) % 5 for n in range(1, 100))
    assert neighbours < 50  # a deal by name would have 99


@pytest.mark.parametrize("absent", [None, 2], ids=["all classes", "one class nowhere"])
def test_weighted_f1_is_that_of_the_repeated_utterances(absent):
    reference, (hypothesis, _) = decisions()
    weights = np.random.default_rng(1).integers(4, size=(7, len(reference)))
    if absent is not None:
        weights[:, (reference == absent) | (hypothesis == absent)] = 0
    expected = [reference_f1(np.repeat(reference, row), np.repeat(hypothesis, row)) for row in weights]
    assert weighted_f1(reference, hypothesis, weights, 4) == pytest.approx(np.array(expected))


def test_a_label_outside_of_the_classes_is_wrong():
    reference, hypothesis = np.array([0, 0, 1, 1]), np.array([0, 9, 1, 0])
    (scores,) = weighted_f1(reference, hypothesis, np.ones((1, 4)), 2)
    assert scores == pytest.approx(reference_f1(reference, hypothesis, classes=2))
    assert scores == pytest.approx([(2 / 4 + 2 / 3) / 2, 1 / 2])


def test_subset_scores_are_those_of_every_seed_on_every_subset():
    reference, hypotheses = decisions()
    subsets = np.random.default_rng(2).permutation(np.arange(60) % 5)
    scores = subset_scores(reference, hypotheses, subsets, 4)
    expected = [reference_f1(reference[subsets == n], run[subsets == n]) for run in hypotheses for n in range(5)]
    assert len(expected) == 10
    assert scores["f1_macro"] == pytest.approx([macro for macro, _ in expected])
    assert scores["f1_micro"] == pytest.approx([micro for _, micro in expected])


def test_welch_follows_the_formula():
    better, other = [0.58, 0.6, 0.61, 0.57, 0.63], [0.52, 0.59, 0.55, 0.6]
    means, parts = zip(*((np.mean(x), np.var(x, ddof=1) / len(x)) for x in (better, other)))
    t = (means[0] - means[1]) / math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(part**2 / (len(x) - 1) for part, x in zip(parts, (better, other)))
    assert welch_p(better, other) == pytest.approx(special.stdtr(freedom, -t))
    assert welch_p(other, better) == pytest.approx(special.stdtr(freedom, t))
    assert welch_p(better, other) < 0.1 < welch_p(other, better)


@pytest.mark.parametrize("better, other", [([0.5] * 5, [0.5] * 5), ([0.5], [0.4, 0.3]), ([0.5, 0.4], [0.3])])
def test_welch_is_undefined_without_variation_or_a_second_score(better, other):
    p = welch_p(better, other)
    assert math.isnan(p) and not p <= SIGNIFICANCE_LEVEL


def test_welch_of_equal_scores_that_vary_finds_nothing():
    assert welch_p([0.5, 0.6, 0.7], [0.5, 0.6, 0.7]) == pytest.approx(0.5)


@pytest.mark.parametrize("seeds", [1, 2])
def test_bootstrap_equals_a_plain_loop(seeds):
    reference, weak = decisions(accuracy=0.5, seeds=seeds, seed=1)
    _, strong = decisions(accuracy=0.5, seeds=seeds, seed=12)
    scores = paired_bootstrap(reference, {"weak": weak, "strong": strong}, 4, resamples=8, seed=5)
    found = scores["strong"].minus(scores["weak"])

    def difference(drawn):
        """Of F1-macro and F1-micro, on these utterances."""
        better, worse = (
            np.mean([reference_f1(reference[drawn], run[drawn]) for run in runs], axis=0) for runs in (strong, weak)
        )
        return better - worse

    observed = difference(np.arange(60))
    resampled = np.array([difference(drawn) for drawn in np.random.default_rng(5).integers(60, size=(8, 60))])
    for place, measure in enumerate(("f1_macro", "f1_micro")):
        ends = np.percentile(resampled[:, place], [2.5, 97.5])
        assert found[measure].mean == pytest.approx(observed[place])
        assert [found[measure].low, found[measure].high] == pytest.approx(ends)
        assert found[measure].p == pytest.approx((1 + (resampled[:, place] < 1e-12).sum()) / 9)
        assert 1 / 9 < found[measure].p < 1  # neither trivial value


def test_bootstrap_interval_of_accuracy_is_that_of_paired_normal_theory():
    reference, runs = decisions(count=2000, accuracy=0.5, seeds=1)
    _, others = decisions(count=2000, accuracy=0.55, seeds=1, seed=3)
    scores = paired_bootstrap(reference, {"a": others, "b": runs}, 4, resamples=1000)
    found = scores["a"].minus(scores["b"])["f1_micro"]
    each = (others[0] == reference).astype(float) - (runs[0] == reference)
    error = each.std() / math.sqrt(2000)
    assert found.mean == pytest.approx(each.mean())
    assert [found.low, found.high] == pytest.approx([each.mean() - 1.96 * error, each.mean() + 1.96 * error], abs=0.004)


def test_bootstrap_p_of_no_and_of_every_difference():
    reference, runs = decisions()
    scores = paired_bootstrap(reference, {"a": runs, "b": runs.copy(), "right": reference[None]}, 4, resamples=99)
    for difference in scores["a"].minus(scores["b"]).values():
        assert (difference.mean, difference.low, difference.high, difference.p) == (0, 0, 0, 1)
    for difference in scores["right"].minus(scores["a"]).values():
        assert difference.low > 0 and difference.p == pytest.approx(0.01)
    for difference in scores["a"].minus(scores["right"]).values():
        assert difference.high < 0 and difference.p == 1
