"""How the scores of all methods hold up as the noise grows: F1-macro and gain in segmental SNR over the SNR."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from merit.metrics.enhancement.score_sheet import read_enhancement_table
from merit.metrics.undefined import mean_of_defined
from merit.report.figure_style import line_style
from merit.systems.sparse_merit.methods.method import title_of
from merit.systems.sparse_merit.results.emotion_comparison import EmotionComparison
from merit.systems.sparse_merit.results.experiment import Experiment
from merit.systems.sparse_merit.results.run_files import ENHANCEMENT_TABLE
from merit.systems.sparse_merit.results.score_tables import runs_with

Curves = Mapping[str, Mapping[str, Mapping[float, Sequence[float]]]]
"""Noise -> method -> SNR in dB -> scores whose mean and standard deviation are drawn."""


def emotion_curves(comparisons: Iterable[EmotionComparison]) -> Curves:
    """F1-macro of every method with an emotion head: the scores of Table I, one a seed and subset of the test.

    Args:
        comparisons: one for each condition; those of clean speech are left out.
    """
    curves: dict[str, dict[str, dict[float, Sequence[float]]]] = {}
    for comparison in comparisons:
        if comparison.condition.snr is not None:
            for method, scores in comparison.subsets.items():
                lines = curves.setdefault(comparison.condition.noise, {})
                lines.setdefault(title_of(method), {})[comparison.condition.snr] = scores["f1_macro"]
    return curves


def enhancement_curves(experiment: Experiment) -> Curves:
    """Gain in SSNR of every method with an enhancement head, in dB, one for each seed."""
    curves: dict[str, dict[str, dict[float, Sequence[float]]]] = {}
    for condition in experiment.mixed_conditions:
        for method, runs in runs_with(experiment.runs, condition, ENHANCEMENT_TABLE).items():
            before = read_enhancement_table(experiment.noisy / condition.name / ENHANCEMENT_TABLE)
            tables = [read_enhancement_table(run.score(condition) / ENHANCEMENT_TABLE) for run in runs]
            lines = curves.setdefault(condition.noise, {})
            lines.setdefault(title_of(method), {})[condition.snr] = [mean_gain(before, after) for after in tables]
    return curves


def mean_gain(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]], measure: str = "SSNR"
) -> float:
    """Mean difference of a measure over the utterances where both tables have it; NaN where none has."""
    return mean_of_defined(after[utt][measure] - before[utt][measure] for utt in after.keys() & before.keys())


def robustness_figure(curves: Curves, methods: Sequence[str], ylabel: str, noise_label: Callable[[str], str]) -> Figure:
    """One panel a noise with one line a method: means, with bars of one standard deviation where there are several.

    Args:
        curves: scores of at least one noise.
        methods: names of all methods of the experiment, so that one looks the same in every figure.
        ylabel: the score, with its unit.
        noise_label: what a noise is called in the title of its panel.
    """
    styles = {method: line_style(place) for place, method in enumerate(methods)}
    methods = [method for method in methods if any(method in lines for lines in curves.values())]
    snrs = sorted({snr for lines in curves.values() for points in lines.values() for snr in points})
    legend_rows = math.ceil(len(methods) / 3)
    figure = Figure(figsize=(max(1.2 + 3.4 * len(curves), 7), 3.4 + 0.25 * legend_rows), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    # Side by side, so that the bars of standard deviations can be told apart.
    step = min(0.05, 0.25 / len(methods)) * (min(np.diff(snrs)) if len(snrs) > 1 else 1)
    for axis, (noise, lines) in zip(axes, curves.items()):
        for place, method in enumerate(methods):
            if method in lines:
                _draw_line(axis, lines[method], (place - (len(methods) - 1) / 2) * step, method, styles[method])
        axis.set_title(noise_label(noise), fontsize=11)
        axis.set_xlabel("SNR of the noisy speech (dB)", fontsize=11)
        axis.set_xticks(snrs)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel(ylabel, fontsize=11)
    handles = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    ordered = [handles[method] for method in methods]
    figure.legend(ordered, methods, loc="outside lower center", ncols=min(3, len(methods)), frameon=False, fontsize=10)
    return figure


def _draw_line(axis: Axes, points: Mapping[float, Sequence[float]], shift: float, label: str, style: dict) -> None:
    snrs = sorted(points)
    means = [np.mean(points[snr]) for snr in snrs]
    spread = [np.std(points[snr], ddof=1) if len(points[snr]) > 1 else 0.0 for snr in snrs]
    places = np.array(snrs) + shift
    axis.plot(places, means, label=label, lw=1.5, ms=6, **style)
    if any(spread):
        axis.errorbar(places, means, yerr=spread, fmt="none", ecolor=style["color"], elinewidth=1, capsize=2, alpha=0.4)
