"""How the scores of all methods hold up as the noise grows: F1-macro and gain in segmental SNR over the SNR."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from merit.metrics.enhancement.score_sheet import read_enhancement_table
from merit.report.figure_style import line_style
from merit.systems.sparse_merit.method import title_of
from merit.systems.sparse_merit.results.conditions import Condition
from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions, runs_with
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.results.score_tables import ENHANCEMENT_TABLE
from merit.systems.sparse_merit.results.tables import noise_label

Curves = Mapping[str, Mapping[str, Mapping[float, Sequence[float]]]]
"""Noise -> method -> SNR in dB -> scores whose mean and standard deviation are drawn."""


def emotion_curves(runs: Sequence[Run], conditions: Iterable[Condition]) -> Curves:
    """F1-macro of every method with an emotion head: the scores of Table I, one a seed and subset of the test."""
    curves: dict[str, dict[str, dict[float, Sequence[float]]]] = {}
    # One resample, since the bootstrap is not drawn.
    for comparison in compare_emotions(runs, _mixed(conditions), resamples=1):
        for method, scores in comparison.subsets.items():
            of_noise = curves.setdefault(comparison.condition.noise, {})
            of_noise.setdefault(title_of(method), {})[comparison.condition.snr] = scores["f1_macro"]
    return curves


def enhancement_curves(runs: Sequence[Run], conditions: Iterable[Condition], noisy: Path) -> Curves:
    """Gain in SSNR of every method with an enhancement head, in dB, one for each seed.

    Args:
        runs, conditions: what was scored.
        noisy: folder of the scores of the noisy input.
    """
    curves: dict[str, dict[str, dict[float, Sequence[float]]]] = {}
    for condition in _mixed(conditions):
        for method, of_method in runs_with(runs, condition, ENHANCEMENT_TABLE).items():
            before = read_enhancement_table(noisy / condition.name / ENHANCEMENT_TABLE)
            tables = [read_enhancement_table(run.score(condition) / ENHANCEMENT_TABLE) for run in of_method]
            of_noise = curves.setdefault(condition.noise, {})
            of_noise.setdefault(title_of(method), {})[condition.snr] = [mean_gain(before, after) for after in tables]
    return curves


def mean_gain(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]], measure: str = "SSNR"
) -> float:
    """Mean difference of a measure over the utterances where both tables have it; NaN where none has."""
    gains = [after[utt][measure] - before[utt][measure] for utt in after.keys() & before.keys()]
    defined = [gain for gain in gains if not math.isnan(gain)]
    return math.fsum(defined) / len(defined) if defined else math.nan


def _mixed(conditions: Iterable[Condition]) -> list[Condition]:
    return [condition for condition in conditions if condition.snr is not None]


def robustness_figure(curves: Curves, methods: Sequence[str], ylabel: str, seen: Sequence[str] = ()) -> Figure:
    """One panel a noise with one line a method: means, with bars of one standard deviation where there are several.

    Args:
        curves: scores of at least one noise.
        methods: names of all methods of the experiment, so that one looks the same in every figure.
        ylabel: the score, with its unit.
        seen: noises of the training data, named so in the titles.
    """
    styles = {method: line_style(place) for place, method in enumerate(methods)}
    methods = [method for method in methods if any(method in of_noise for of_noise in curves.values())]
    snrs = sorted({snr for of_noise in curves.values() for of in of_noise.values() for snr in of})
    legend_rows = math.ceil(len(methods) / 3)
    figure = Figure(figsize=(max(1.2 + 3.4 * len(curves), 7), 3.4 + 0.25 * legend_rows), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    # Side by side, so that the bars of standard deviations can be told apart.
    step = min(0.05, 0.25 / len(methods)) * (min(np.diff(snrs)) if len(snrs) > 1 else 1)
    for axis, (noise, of_noise) in zip(axes, curves.items()):
        for place, method in enumerate(methods):
            if method in of_noise:
                _draw_line(axis, of_noise[method], (place - (len(methods) - 1) / 2) * step, method, styles[method])
        axis.set_title(noise_label(noise, seen), fontsize=11)
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


def _draw_line(axis: Axes, of_method: Mapping[float, Sequence[float]], shift: float, label: str, style: dict) -> None:
    snrs = sorted(of_method)
    means = [np.mean(of_method[snr]) for snr in snrs]
    spread = [np.std(of_method[snr], ddof=1) if len(of_method[snr]) > 1 else 0.0 for snr in snrs]
    places = np.array(snrs) + shift
    axis.plot(places, means, label=label, lw=1.5, ms=6, **style)
    if any(spread):
        axis.errorbar(places, means, yerr=spread, fmt="none", ecolor=style["color"], elinewidth=1, capsize=2, alpha=0.4)
