"""What all methods recognised in one test condition, and how far they can be told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from merit.data.noise.mixed_names import NoiseCondition
from merit.errors import MeritError
from merit.metrics.bootstrap import Resampled
from merit.metrics.label_table import LabelTable, read_label_table
from merit.metrics.significance import (
    MEASURES,
    SIGNIFICANCE_LEVEL,
    disjoint_subsets,
    paired_bootstrap,
    subset_scores,
    welch_p,
)
from merit.systems.sparse_merit.results.experiment import Experiment, FinishedRun
from merit.systems.sparse_merit.results.run_files import EMOTION_TABLE
from merit.systems.sparse_merit.results.score_tables import runs_with

OTHER_LABEL = np.iinfo(np.int64).max
"""A hypothesis that is none of the classes of the test."""


@dataclass(frozen=True)
class EmotionComparison:
    """Scores of all methods with an emotion head in one condition.

    Attributes:
        condition: where.
        utterances: n.
        subset_sizes: utterances of each of the disjoint subsets.
        subsets: method -> measure -> one score for each seed and subset.
        resampled: method -> scores of the whole test set and of the paired bootstrap, means over the seeds.
    """

    condition: NoiseCondition
    utterances: int
    subset_sizes: tuple[int, ...]
    subsets: dict[str, dict[str, list[float]]]
    resampled: dict[str, Resampled]

    def mean(self, method: str, measure: str) -> float:
        """The score of Table I: mean over seeds and subsets."""
        return fmean(self.subsets[method][measure])

    def whole(self, method: str, measure: str) -> float:
        """The score of the whole test set, mean over the seeds."""
        return float(self.resampled[method].observed[MEASURES.index(measure)])

    def p(self, method: str, other: str, measure: str) -> float:
        """One-tailed Welch test that ``method`` is better than ``other``; NaN where it is undefined."""
        return welch_p(self.subsets[method][measure], self.subsets[other][measure])

    def beats(self, method: str, other: str, measure: str) -> bool:
        """Whether it is, at the level of the paper."""
        return self.p(method, other, measure) <= SIGNIFICANCE_LEVEL


def compare_emotions(experiment: Experiment, resamples: int = 1000) -> list[EmotionComparison]:
    """Compare all methods with emotion scores, test by test; conditions without any are left out.

    Raises:
        MeritError: when the runs were scored on different utterances or labels.
    """
    found = []
    for condition in experiment.conditions:
        if methods := runs_with(experiment.runs, condition, EMOTION_TABLE):
            tables = {
                method: [read_label_table(run.score(condition) / EMOTION_TABLE) for run in seeds]
                for method, seeds in methods.items()
            }
            _check_references(condition, methods, tables)
            found.append(_compare(condition, tables, resamples))
    return found


def _check_references(
    condition: NoiseCondition,
    methods: Mapping[str, Sequence[FinishedRun]],
    tables: Mapping[str, Sequence[LabelTable]],
) -> None:
    pairs = [pair for method in methods for pair in zip(methods[method], tables[method])]
    first, expected = pairs[0][0], pairs[0][1].reference
    for run, table in pairs[1:]:
        differing = sorted(utt for utt, _ in expected.items() ^ table.reference.items())
        if differing:
            raise MeritError(
                f"{run.score(condition) / EMOTION_TABLE}: utterances or reference labels are not those of "
                f"{first.score(condition)}, as of {differing[0]}; only runs on the same test set can be compared"
            )


def _compare(
    condition: NoiseCondition, tables: Mapping[str, Sequence[LabelTable]], resamples: int
) -> EmotionComparison:
    labels = next(iter(tables.values()))[0].reference
    utterances = sorted(labels)
    if not utterances:
        raise MeritError(f"{condition.name}: the emotion scores are empty; score the condition again (stage 6)")
    # F1-macro is over the classes of the test set, so that it is the same measure for every method.
    numbers = {name: number for number, name in enumerate(sorted(set(labels.values())))}
    reference = np.array([numbers[labels[utt]] for utt in utterances])
    hypotheses = {
        method: np.array([[numbers.get(table.hypothesis[utt], OTHER_LABEL) for utt in utterances] for table in runs])
        for method, runs in tables.items()
    }
    subset_of = disjoint_subsets(labels)
    subsets = np.array([subset_of[utt] for utt in utterances])
    return EmotionComparison(
        condition=condition,
        utterances=len(utterances),
        subset_sizes=tuple(np.unique(subsets, return_counts=True)[1].tolist()),
        subsets={method: subset_scores(reference, runs, subsets, len(numbers)) for method, runs in hypotheses.items()},
        resampled=paired_bootstrap(reference, hypotheses, len(numbers), resamples),
    )
