"""Which experts the gates use: by SNR and by emotion (figures 2 and 3 of the paper), and over the training."""

import csv
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from merit.report.figure_style import HATCHES, distinct_colours, line_style, readable_on
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.run_files import HISTORY
from merit.systems.sparse_merit.routing.routing_statistics import RoutingCounts

GATE_NAMES = {"emotion": "Emotion gate (SER)", "enhancement": "Enhancement gate (SE)"}
"""Task of a gate -> title of its panel."""
LABELLED = 0.07
"""A smaller share has no room for its number."""


def usage_figure(groups: Mapping[FinishedRun, Mapping[str, RoutingCounts]], xlabel: str) -> Figure:
    """Stacked bars of each expert's share of the frames: one row of panels a run, one panel a gate, one bar a group.

    Args:
        groups: run -> label of a group of frames -> its counts; the runs are of one method. Experts are named by
            number, and the same number in two runs says nothing about the experts.
        xlabel: what the groups are, with the unit.
    """
    counts = next(iter(next(iter(groups.values())).values()))
    tasks, num_experts = counts.tasks, len(counts.chosen(counts.tasks[0]))
    most_bars = max(map(len, groups.values()))
    figure = Figure(
        figsize=(1.2 + len(tasks) * max(3.2, 0.85 * most_bars), 0.9 + 2.9 * len(groups)), layout="constrained"
    )
    axes = figure.subplots(len(groups), len(tasks), squeeze=False, sharey=True)
    for row, (run, bars) in zip(axes, groups.items()):
        for axis, task in zip(row, tasks):
            _draw_bars(axis, {label: counts.usage(task) for label, counts in bars.items()})
            title = GATE_NAMES.get(task, task)
            axis.set_title(f"{title}, seed {run.seed}" if len(groups) > 1 else title, fontsize=11)
        row[0].set_ylabel("share of frames (%)", fontsize=11)
    for axis in axes[-1]:
        axis.set_xlabel(xlabel, fontsize=11)
    colours = distinct_colours(num_experts)
    patches = [
        Patch(
            facecolor=colours(n), edgecolor="black", linewidth=0.5, hatch=HATCHES[n % len(HATCHES)], label=f"expert {n}"
        )
        for n in range(num_experts)
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(num_experts, 5), frameon=False, fontsize=11)
    return figure


def _draw_bars(axis: Axes, usage: Mapping[str, np.ndarray]) -> None:
    """One bar a group, expert 0 at the bottom."""
    shares = np.stack(list(usage.values()))
    places = np.arange(len(shares))
    bottom = np.zeros(len(shares))
    colours = distinct_colours(shares.shape[1])
    for n, share in enumerate(shares.T):
        hatch = HATCHES[n % len(HATCHES)]
        axis.bar(
            places,
            100 * share,
            bottom=100 * bottom,
            width=0.72,
            color=colours(n),
            hatch=hatch,
            edgecolor="black",
            lw=0.5,
        )
        for place, value, start in zip(places, share, bottom):
            if value >= LABELLED:
                box = {"facecolor": colours(n), "edgecolor": "none", "pad": 2}
                text = f"{100 * value:.0f}"
                colour = readable_on(colours(n))
                axis.text(
                    place,
                    100 * (start + value / 2),
                    text,
                    ha="center",
                    va="center",
                    color=colour,
                    bbox=box,
                    fontsize=10,
                )
        bottom += share
    axis.set_xticks(places, usage, fontsize=10)
    axis.set_ylim(0, 100)
    axis.spines[["top", "right"]].set_visible(False)


def read_usage_history(run: FinishedRun) -> dict[str, np.ndarray]:
    """Columns of the run's ``history.csv`` that follow its routing on the dev set: ``epoch``, ``usage_<task>`` (E, N).

    Also ``agreement`` where there are two gates. Empty for a model whose training kept no such columns.
    """
    path = run.directory / HISTORY
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0]) if rows else []

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    found: dict[str, np.ndarray] = {}
    for task in GATE_NAMES:
        own = [name for name in names if name.startswith(f"usage_{task}_")]
        if own:
            ordered = sorted(own, key=lambda name: int(name.rsplit("_", 1)[1]))
            found[f"usage_{task}"] = np.stack([column(name) for name in ordered], axis=1)
    if found and "agreement" in names:
        found["agreement"] = column("agreement")
    return {"epoch": column("epoch"), **found} if found else {}


def training_figure(histories: Mapping[FinishedRun, Mapping[str, np.ndarray]]) -> Figure:
    """Expert usage of each gate on the dev set after every epoch, and agreement of the gates: one row of panels a run.

    Args:
        histories: run -> what :func:`read_usage_history` found, not empty; the runs are of one method.
    """
    first = next(iter(histories.values()))
    panels = [name for name in first if name != "epoch"]
    figure = Figure(figsize=(1 + 3.4 * len(panels), 0.9 + 2.7 * len(histories)), layout="constrained")
    axes = figure.subplots(len(histories), len(panels), squeeze=False, sharey=True)
    for row, (run, history) in zip(axes, histories.items()):
        for axis, panel in zip(row, panels):
            values = history[panel].reshape(len(history["epoch"]), -1)
            for n, share in enumerate(values.T):
                style = line_style(n) if panel != "agreement" else {"color": "black", "marker": "o"}
                every = max(1, len(share) // 12)
                axis.plot(history["epoch"], 100 * share, label=f"expert {n}", markevery=every, ms=5, lw=1.5, **style)
            title = "Agreement of the gates" if panel == "agreement" else GATE_NAMES[panel.removeprefix("usage_")]
            axis.set_title(f"{title}, seed {run.seed}" if len(histories) > 1 else title, fontsize=11)
            axis.set_ylim(-2, 102)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
            axis.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel("share of dev frames (%)", fontsize=11)
    for axis in axes[-1]:
        axis.set_xlabel("epoch", fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False, fontsize=11)
    return figure


def usage_rows(groups: Mapping[str, Mapping[FinishedRun, Mapping[str, RoutingCounts]]]) -> list[tuple]:
    """The numbers behind the bars, one tuple a (run, group, gate, expert).

    Args:
        groups: kind of group (``snr``, ``emotion``) -> what :func:`usage_figure` draws.
    """
    return [
        (run.method, run.seed, kind, label, task, n, chosen, counts.frames)
        for kind, runs in groups.items()
        for run, bars in runs.items()
        for label, counts in bars.items()
        for task in counts.tasks
        for n, chosen in enumerate(counts.chosen(task).tolist())
    ]


USAGE_COLUMNS: Sequence[str] = ("method", "seed", "by", "group", "gate", "expert", "chosen", "frames")
