"""Tables of emotion recognition: Table I, its paired bootstrap, and Table VI."""

import string
from collections.abc import Iterable, Sequence
from statistics import stdev

from merit.metrics.significance import MEASURES
from merit.report.table import Cell, Column, Table, with_best_in_bold
from merit.systems.sparse_merit.results.emotion_comparison import EmotionComparison
from merit.systems.sparse_merit.tables.noise_table import count_of, method_cell, noise_table

LABELS = {"f1_macro": "F1-macro", "f1_micro": "F1-micro"}
BALANCING = ("sparse_merit", "sparse_merit_balance")
"""The methods of Tables VI and VII."""
DEPENDENCE_NOTE = (
    "These scores are not independent, as Welch's test takes them to be: those of one subset share their utterances, "
    "those of one seed their model. The paired bootstrap is the sounder test."
)


def table_1(comparisons: Sequence[EmotionComparison]) -> Table:
    """F1-macro and F1-micro of every method, with a letter for every method that it significantly outperforms.

    Args:
        comparisons: one for each condition, at least one.
    """
    methods = _methods(comparisons)
    letters = dict(zip(methods, string.ascii_lowercase + string.ascii_uppercase))
    cells = {}
    for comparison in comparisons:
        for method, scores in comparison.subsets.items():
            shown = cells[comparison.condition, method] = []
            for measure in MEASURES:
                worse = [other for other in comparison.subsets if comparison.beats(method, other, measure)]
                markers = "".join(sorted((letters[other] for other in worse), key=string.ascii_letters.index))
                spread = stdev(scores[measure]) if len(scores[measure]) > 1 else None
                shown += [Cell(comparison.mean(method, measure), markers=markers), Cell(spread)]
    columns = []
    for measure, label in LABELS.items():
        columns += [Column(measure, label), Column(f"{measure}_std", f"{label}, std", shown=False)]
    scores = count_of((len(found[MEASURES[0]]) for c in comparisons for found in c.subsets.values()), "scores")
    subsets = count_of((size for c in comparisons for size in c.subset_sizes), "utterances")
    count = max(len(c.subset_sizes) for c in comparisons)
    notes = (
        f"Means of {scores}: every seed on each of {count} disjoint subsets of the test set, which has "
        f"{_utterances(comparisons)}. A subset has {subsets}; subsets are stratified by class and the same for all.",
        "Bold: best of its SNR. Letters: the method is better than the one of that letter by a one-tailed Welch test "
        "at p ≤ 0.05, not corrected for the number of tests (`tables/significance.csv` has all p-values).",
        DEPENDENCE_NOTE,
    )
    headings = [method_cell(method, f"({letters[method]})") for method in methods]
    title = "Emotion recognition of all methods (Table I)"
    return with_best_in_bold(noise_table("table_1", title, headings, columns, cells, notes))


def table_1_bootstrap(comparisons: Sequence[EmotionComparison], reference: str) -> Table:
    """Differences of every method to ``reference`` with 95 % intervals, in the conditions that it was scored in."""
    comparisons = [comparison for comparison in comparisons if reference in comparison.resampled]
    cells = {}
    for comparison in comparisons:
        for method, scores in comparison.resampled.items():
            if method == reference:
                continue
            shown = cells[comparison.condition, method] = []
            for difference in scores.minus(comparison.resampled[reference]).values():
                interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
                certain = "*" if difference.low > 0 or difference.high < 0 else ""
                shown.append(Cell(difference.mean, f"{difference.mean:+.3f} {interval}", markers=certain))
                shown += [Cell(difference.low), Cell(difference.high), Cell(difference.p)]
    columns = []
    for measure, label in LABELS.items():
        columns.append(Column(f"{measure}_difference", label))
        columns += [Column(f"{measure}_{end}", f"{label}, {end}", shown=False) for end in ("low", "high", "p")]
    name = method_cell(reference).text
    resamples = len(comparisons[0].resampled[reference].resampled)
    notes = (
        f"Score of the method minus that of {name} on the whole test set ({_utterances(comparisons)}), means over the "
        f"seeds; in brackets 95 % intervals of {resamples} resamples of the utterances, the same for both methods. "
        "*: the interval leaves out 0. The training is not resampled: the intervals hold for these trained models. "
        "`tables/bootstrap.csv` has all pairs of methods with one-sided p-values.",
    )
    headings = [method_cell(method) for method in _methods(comparisons) if method != reference]
    title = f"Emotion recognition, differences to {name} by paired bootstrap"
    return noise_table("table_1_bootstrap", title, headings, columns, cells, notes)


def table_6(comparisons: Sequence[EmotionComparison]) -> Table:
    """F1-macro and F1-micro of Sparse MERIT without and with the balancing loss, of those scored."""
    cells = {
        (comparison.condition, method): [Cell(comparison.whole(method, measure)) for measure in MEASURES]
        for comparison in comparisons
        for method in BALANCING
        if method in comparison.resampled
    }
    columns = [Column(measure, label) for measure, label in LABELS.items()]
    notes = (
        f"Scores of the whole test set ({_utterances(comparisons)}), means over the seeds. Bold: best of its SNR.",
    )
    title = "Emotion recognition without and with the balancing loss (Table VI)"
    headings = [method_cell(method) for method in BALANCING]
    return with_best_in_bold(noise_table("table_6", title, headings, columns, cells, notes))


def _methods(comparisons: Iterable[EmotionComparison]) -> list[str]:
    return list(dict.fromkeys(method for comparison in comparisons for method in comparison.subsets))


def _utterances(comparisons: Iterable[EmotionComparison]) -> str:
    return count_of((comparison.utterances for comparison in comparisons), "utterances")
