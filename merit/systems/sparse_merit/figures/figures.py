"""All figures of an experiment, in one folder with their captions and the numbers behind the bars."""

import json
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from merit.data.audio import read_audio
from merit.data.datadir import read_durations, read_table
from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.report.figure_style import FigureFile, save_figure
from merit.systems.sparse_merit.figures.figures_robustness import emotion_curves, enhancement_curves, robustness_figure
from merit.systems.sparse_merit.figures.figures_usage import (
    USAGE_COLUMNS,
    read_usage_history,
    training_figure,
    usage_figure,
    usage_rows,
)
from merit.systems.sparse_merit.figures.spectrogram_figure import utterance_figure
from merit.systems.sparse_merit.results.experiment import CLEAN, Experiment, FinishedRun
from merit.systems.sparse_merit.results.run_files import ENHANCED, HISTORY, ROUTING, read_routing
from merit.systems.sparse_merit.routing.routing_statistics import Counts, RoutingCounts, by_emotion, by_snr
from merit.systems.sparse_merit.tables.comparison import Comparison

logger = logging.getLogger(__name__)

CAPTIONS = "captions.json"
USAGE_TABLE = "expert_usage.csv"


def write_figures(experiment: Experiment, comparison: Comparison, output: Path) -> list[FigureFile]:
    """Draw everything that the runs give, as PNG and PDF, and keep the captions.

    Args:
        experiment: what is drawn.
        comparison: its scores and counts.
        output: folder for the figures, ``captions.json`` and ``expert_usage.csv``.

    Returns:
        the figures in the order of a report.

    Raises:
        MeritError: when scores, routing or audio of a run are missing.
    """
    figures = [*_robustness(experiment, comparison, output), *_usage(comparison, output)]
    for _, runs in groupby(comparison.routing, key=lambda run: run.method):
        members = list(runs)
        figures += _training(members, output)
        figures += _utterance(members[0], experiment, output)
    captions = {figure.path.name: figure.caption for figure in figures}
    write_text(output / CAPTIONS, json.dumps(captions, indent=2, ensure_ascii=False) + "\n")
    logger.info("%s: %d figures", output, len(figures))
    return figures


def _robustness(experiment: Experiment, comparison: Comparison, output: Path) -> Iterator[FigureFile]:
    methods = list(dict.fromkeys(run.name for run in experiment.runs))
    if curves := emotion_curves(comparison.emotions):
        figure = robustness_figure(curves, methods, "F1-macro", experiment.noise_label)
        caption = (
            "F1-macro of every method over the SNR: means of the scores of Table I, one for each seed and disjoint "
            "subset of the test; bars show one standard deviation of these scores."
        )
        yield save_figure(figure, output / "robustness_emotion.png", caption)
    if curves := enhancement_curves(experiment):
        figure = robustness_figure(curves, methods, "gain in segmental SNR (dB)", experiment.noise_label)
        caption = (
            "Gain in segmental SNR over the noisy speech, mean over the utterances and seeds, over the SNR; bars show "
            "one standard deviation over the seeds where there are several."
        )
        yield save_figure(figure, output / "robustness_enhancement.png", caption)


def _usage(comparison: Comparison, output: Path) -> Iterator[FigureFile]:
    """Figures 2 and 3 for the first seed of every method, the same for all of its seeds, and their numbers."""
    rows = []
    for _, runs in groupby(comparison.routing, key=lambda run: run.method):
        counts = {run: comparison.routing[run] for run in runs}
        by = {
            "snr": {run: _by_snr_label(found) for run, found in counts.items()},
            "emotion": {run: by_emotion(found) for run, found in counts.items()},
        }
        rows += usage_rows(by)
        first = next(iter(counts))
        for kind, xlabel, paper in (("snr", "SNR (dB)", "Fig. 2"), ("emotion", "emotion", "Fig. 3")):
            if not by[kind][first]:
                continue
            path = output / f"expert_usage_{kind}_{first.method}.png"
            caption = f"{first.name}: share of the 20 ms frames that each expert gets, by {xlabel}, over all noises"
            figure = usage_figure({first: by[kind][first]}, xlabel)
            yield save_figure(figure, path, f"{caption} (paper, {paper}), seed {first.seed}.")
            if len(counts) > 1:
                seeds = "every seed. The numbers of the experts have no meaning across seeds."
                figure = usage_figure(by[kind], xlabel)
                yield save_figure(figure, path.with_stem(f"{path.stem}_seeds"), f"{caption}, {seeds}")
    if rows:
        write_text(output / USAGE_TABLE, csv_text(USAGE_COLUMNS, rows))


def _by_snr_label(counts: Counts) -> dict[str, RoutingCounts]:
    return {CLEAN if snr is None else f"{snr:g}": found for snr, found in by_snr(counts).items()}


def _training(runs: Sequence[FinishedRun], output: Path) -> Iterator[FigureFile]:
    histories = {run: history for run in runs if (history := read_usage_history(run))}
    if not histories:
        logger.info("%s: %s follows no routing, so its course is not drawn", runs[0].directory, HISTORY)
        return
    caption = f"{runs[0].name}: share of the frames of the dev set that each expert gets, after every epoch of phase 2."
    yield save_figure(training_figure(histories), output / f"expert_usage_training_{runs[0].method}.png", caption)


def _utterance(run: FinishedRun, experiment: Experiment, output: Path) -> Iterator[FigureFile]:
    """The utterance of median length of the first noisy condition: chosen before anything is known of its routing."""
    if not experiment.mixed_conditions:
        return
    condition = experiment.mixed_conditions[0]
    data = experiment.data / condition.name
    sources = {"noisy": data / "wav.scp", "clean": data / "spk1.scp"}
    if (run.decoded(condition) / ENHANCED).exists():  # a model that enhances
        sources = {"noisy": sources["noisy"], "enhanced": run.decoded(condition) / ENHANCED, "clean": sources["clean"]}
    entries = {name: read_table(path) for name, path in sources.items()}
    seconds = read_durations(data, entries["noisy"])
    ordered = sorted(seconds, key=lambda name: (seconds[name], name))
    utterance = ordered[len(ordered) // 2]
    if without := [str(sources[name]) for name, table in entries.items() if utterance not in table]:
        raise MeritError(f"{without[0]}: no utterance {utterance}, which {sources['noisy']} has; run stage 6 again")
    signals = {name: read_audio(table[utterance], utterance) for name, table in entries.items()}
    tasks, experts = read_routing(run.decoded(condition) / ROUTING)
    one_hot = np.eye(run.model_config().num_experts)
    routing = {task: one_hot[strongest] for task, strongest in zip(tasks, experts[utterance])}
    title = f"{run.name}, seed {run.seed}: {utterance}, {condition.noise} at {condition.snr:g} dB"
    caption = f"{title}: spectrograms, and the strongest expert of both gates in every frame."
    figure = utterance_figure(signals, routing, title)
    yield save_figure(figure, output / f"routing_utterance_{run.method}.png", caption)
