"""Tables over methods: scores, what changes against the base, significance, cost."""

from collections.abc import Mapping, Sequence

from merit.metrics.bootstrap import Difference
from merit.metrics.significance import SIGNIFICANCE_LEVEL
from merit.metrics.transcription import resampled_error_rates, word_errors
from merit.metrics.translation import paired_bootstrap
from merit.report.table import Cell, Column, Table, with_best_in_bold
from merit.systems.smoe.results.smoe_experiment import MethodRuns
from merit.systems.smoe.results.text_scores import LABELS, LOWER_IS_BETTER, TASK_MEASURES, TestSet

CONVENTION = (
    "WER and CER in percent, of lower-cased texts without punctuation (merit.metrics.transcription); BLEU and chrF of "
    "the texts as they are."
)


def measures_of(test: TestSet) -> list[str]:
    """The measures of the tasks that a set has references of."""
    return [measure for task in test.references for measure in TASK_MEASURES[task]]


def score_table(tests: Sequence[TestSet], methods: Sequence[MethodRuns], notes: Sequence[str] = ()) -> Table:
    """One row a method, one group of columns a set; the best in bold."""
    columns = [Column("method", "Method"), *_score_columns(tests)]
    rows = []
    for method in methods:
        scores = [method.mean_scores(test) for test in tests]
        cells = [Cell(found[name]) for test, found in zip(tests, scores) for name in measures_of(test)]
        rows.append((Cell(method.name, method.title), *cells))
    below = (CONVENTION, "Means over the seeds.", *notes)
    return with_best_in_bold(Table("scores", "Scores", tuple(columns), tuple(rows), 1, 0, "set", below))


def _score_columns(tests: Sequence[TestSet]) -> list[Column]:
    return [
        Column(name, LABELS[name], test.name, f"{test.name} ({test.bandwidth})", 1, True, name in LOWER_IS_BETTER)
        for test in tests
        for name in measures_of(test)
    ]


def relative_table(tests: Sequence[TestSet], methods: Sequence[MethodRuns], base: MethodRuns) -> Table | None:
    """Change of the scores against the base in percent of its own; None where there is no other method."""
    others = [method for method in methods if method is not base]
    if not others:
        return None
    columns = [Column("method", "Method"), *_score_columns(tests)]
    rows = []
    for method in others:
        cells = []
        for test in tests:
            mine, theirs = method.mean_scores(test), base.mean_scores(test)
            for name in measures_of(test):
                change = 100 * (mine[name] / theirs[name] - 1) if theirs[name] else None
                cells.append(Cell(change, "" if change is None else f"{change:+.2f} %"))
        rows.append((Cell(method.name, method.title), *cells))
    title = f"Relative change to {base.title}"
    note = "A lower WER and CER and a higher BLEU and chrF are better. The paper reports WER -8.06 % and BLEU +1.77 %"
    note += " for DecS-MoE, on data of its own."
    return Table("relative", title, tuple(columns), tuple(rows), group_key="set", notes=(note,))


def differences(test: TestSet, methods: Sequence[MethodRuns], base: MethodRuns) -> dict[str, dict[str, Difference]]:
    """Method -> by how much its WER and BLEU are better than those of the base, from resampled utterances."""
    found: dict[str, dict[str, Difference]] = {method.name: {} for method in methods if method is not base}
    if "transcribe" in test.references:
        references = test.references["transcribe"]
        counts = {
            method.name: [word_errors(references, texts) for texts in method.hypotheses(test, "transcribe")]
            for method in methods
        }
        rates = resampled_error_rates(counts)
        for name in found:
            found[name]["wer"] = rates[name].minus(rates[base.name])["error_rate"]
    if "translate" in test.references:
        texts = {method.name: method.hypotheses(test, "translate") for method in methods}
        scores = paired_bootstrap([test.references["translate"]], texts)
        for name in found:
            found[name]["bleu"] = scores[name].minus(scores[base.name])["bleu"]
    return found


def significance_table(tests: Sequence[TestSet], methods: Sequence[MethodRuns], base: MethodRuns) -> Table | None:
    """How far the differences to the base would move with other utterances; None where there is no other method."""
    if len(methods) < 2:
        return None
    columns = [Column("method", "Method"), Column("set", "Set"), Column("measure", "Measure")]
    columns += [Column("better_by", "Better by", digits=2), Column("interval", "95 % interval"), Column("p", "p")]
    rows = []
    for test in tests:
        titles = {method.name: method.title for method in methods}
        for name, found in differences(test, methods, base).items():
            for measure, difference in found.items():
                factor = 100 if measure == "wer" else 1
                low, high = factor * difference.low, factor * difference.high
                marker = "*" if difference.p <= SIGNIFICANCE_LEVEL else ""
                cells = [Cell(factor * difference.mean, markers=marker), Cell(f"{low:.2f} to {high:.2f}")]
                heading = (Cell(name, titles[name]), Cell(test.name), Cell(LABELS[measure]))
                rows.append((*heading, *cells, Cell(difference.p)))
    notes = (
        f"Better than {base.title}, seeds averaged, over 1,000 tests whose utterances are drawn with replacement, the "
        "same ones for both; p is one-sided. * p <= 0.05. That a training with another seed would differ is not in it.",
    )
    return Table("significance", "Significance", tuple(columns), tuple(rows), headings=3, notes=notes)


def cost_table(tests: Sequence[TestSet], methods: Sequence[MethodRuns], device: str) -> Table:
    """Parameters, and what decoding the first set takes."""
    costs = {method.name: method.mean_cost(tests[0]) for method in methods}
    labels = {"rtf_transcribe": "RTF ASR", "rtf_translate": "RTF ST", "peak_memory_gb": "Memory (GB)"}
    labels |= {"gpu_memory_gb": "GPU memory (GB)"}
    names = [name for name in labels if name in next(iter(costs.values()))]
    columns = [Column("method", "Method"), Column("total", "Parameters"), Column("active", "Active")]
    columns += [Column(name, labels[name]) for name in names]
    rows = []
    for method in methods:
        cells = [Cell(count, f"{count / 1e6:.2f} M") for count in method.parameters()]
        rows.append((Cell(method.name, method.title), *cells, *(Cell(costs[method.name][name]) for name in names)))
    notes = (
        "Active: what computes one utterance and task. Real-time factor of the beam search, from audio files to texts, "
        f"on {tests[0].name}; peak memory of the process that decodes. On {device}.",
    )
    return Table("cost", "Cost", tuple(columns), tuple(rows), notes=notes)


def run_table(test_scores: Mapping[str, Mapping[str, float]], bandwidths: Mapping[str, str]) -> Table:
    """The scores of one run, one row a set.

    Args:
        test_scores: set -> measures and cost.
        bandwidths: set -> its bandwidth.
    """
    labels = {**LABELS, "rtf_transcribe": "RTF ASR", "rtf_translate": "RTF ST", "peak_memory_gb": "Memory (GB)"}
    names = [name for name in labels if name in next(iter(test_scores.values()))]
    columns = [Column("set", "Set"), Column("bandwidth", "Bandwidth")]
    columns += [Column(name, labels[name], digits=1 if name in LABELS else 3) for name in names]
    rows = [
        (Cell(name), Cell(bandwidths[name]), *(Cell(scores[measure]) for measure in names))
        for name, scores in test_scores.items()
    ]
    return Table("scores", "Scores", tuple(columns), tuple(rows), headings=2, notes=(CONVENTION,))
