"""Figures of predicted quality: predicted against heard, and who judges which system."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from merit.metrics.quality.agreement import system_means
from merit.metrics.quality.prediction_table import Predictions
from merit.report.figure_style import HATCHES, PALETTE, distinct_colours

LOWEST, HIGHEST = 1, 5
PANELS = 3
"""Panels in a row."""


def agreement_figure(methods: Mapping[str, Sequence[Predictions]]) -> Figure:
    """Predicted against heard, a panel for each method: systems as dots, clips faintly; predictions of all seeds' mean.

    Args:
        methods: title -> predictions of each seed.
    """
    rows, columns = -(-len(methods) // PANELS), min(len(methods), PANELS)
    figure = Figure(figsize=(3.4 * columns + 0.4, 3.6 * rows + 0.2), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axis in axes.flat[len(methods) :]:
        axis.remove()
    for axis, (title, runs) in zip(axes.flat, methods.items()):
        answers = np.mean([run.answers for run in runs], axis=0)
        heard, said = (system_means(runs[0].systems, values) for values in (runs[0].truth, answers))
        axis.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], color="black", linewidth=0.8, linestyle=":")
        axis.scatter(runs[0].truth, answers, s=6, color=PALETTE[4], linewidths=0)
        axis.scatter(list(heard.values()), [said[name] for name in heard], s=28, color=PALETTE[0], edgecolors="white")
        axis.set(title=title, xlabel="listeners", xlim=(0.9, 5.1), ylim=(0.9, 5.1), aspect="equal")
    for axis in axes[:, 0]:
        axis.set_ylabel("predicted")
    return figure


def system_usage_figure(title: str, run: Predictions) -> Figure:
    """Mean weight of each expert for the clips of each system, the best rated system on top.

    Args:
        title: of the method.
        run: predictions of one seed; experts of another seed are others.
    """
    means = system_means(run.systems, run.truth)
    systems = sorted(set(run.systems), key=lambda name: means.get(name, 0.0))
    names = np.array(run.systems)
    shares = np.array([run.gates[names == system].mean(axis=0) for system in systems])
    figure = Figure(figsize=(7.0, 0.24 * len(systems) + 1.3), layout="constrained")
    axis = figure.subplots()
    left = np.zeros(len(systems))
    colours = distinct_colours(shares.shape[1])
    for number, share in enumerate(shares.T):
        axis.barh(
            range(len(systems)), share, left=left, color=colours(number), edgecolor="black", linewidth=0.4,
            hatch=HATCHES[number % len(HATCHES)], label=f"expert {number + 1}",
        )  # fmt: skip
        left += share
    labels = [f"{system}  {means[system]:.2f}" if system in means else system for system in systems]
    axis.set_yticks(range(len(systems)), labels, fontsize=8)
    axis.set(title=title, xlabel="share of the gate's weight", xlim=(0, 1))
    figure.legend(loc="outside lower center", ncols=min(shares.shape[1], 4), frameon=False)
    return figure
