"""All figures of an experiment, in one folder with their captions and the numbers behind the bars."""

import csv
import io
import json
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from merit.data.audio import read_audio
from merit.data.datadir import read_durations, read_table
from merit.errors import MeritError
from merit.files import write_text
from merit.report.figure_style import FigureFile, save_figure
from merit.systems.sparse_merit.decoding import read_routing
from merit.systems.sparse_merit.figures.figures_robustness import emotion_curves, enhancement_curves, robustness_figure
from merit.systems.sparse_merit.figures.figures_usage import (
    USAGE_COLUMNS,
    read_usage_history,
    training_figure,
    usage_figure,
    usage_rows,
)
from merit.systems.sparse_merit.figures.spectrogram_figure import utterance_figure
from merit.systems.sparse_merit.results.conditions import Condition
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.routing.routing_statistics import (
    by_emotion,
    by_snr,
    model_settings,
    routed,
    routing_counts,
)

logger = logging.getLogger(__name__)

CAPTIONS = "captions.json"
USAGE_TABLE = "expert_usage.csv"


def write_figures(
    runs: Sequence[Run], conditions: Sequence[Condition], data: Path, noisy: Path, seen: Sequence[str], output: Path
) -> list[FigureFile]:
    """Draw everything that the runs give, as PNG and PDF, and keep the captions.

    Args:
        runs: trained, decoded and scored models, those of one method together.
        conditions: test conditions that all of them were decoded on.
        data: parent of the data directories of the conditions.
        noisy: folder of the scores of the noisy input.
        seen: noises of the training data.
        output: folder for the figures, ``captions.json`` and ``expert_usage.csv``.

    Returns:
        the figures in the order of a report.

    Raises:
        MeritError: when scores, routing or audio of a run are missing.
    """
    figures = list(_robustness(runs, conditions, noisy, seen, output))
    figures += _usage(runs, conditions, output)
    for _, of_method in groupby(routed(runs), key=lambda run: run.method):
        members = list(of_method)
        figures += _training(members, output)
        figures += _utterance(members[0], conditions, data, output)
    captions = {figure.path.name: figure.caption for figure in figures}
    write_text(output / CAPTIONS, json.dumps(captions, indent=2, ensure_ascii=False) + "\n")
    logger.info("%s: %d figures", output, len(figures))
    return figures


def read_figures(folder: Path) -> list[FigureFile]:
    """What :func:`write_figures` left in a folder.

    Raises:
        MeritError: when it left nothing, or a figure is missing.
    """
    path = folder / CAPTIONS
    if not path.exists():
        raise MeritError(f"{path}: not there; draw the figures first (merit.bin.sparse_merit.figures)")
    figures = [FigureFile(folder / name, caption) for name, caption in json.loads(path.read_text("utf-8")).items()]
    if missing := [figure.path.name for figure in figures if not figure.path.exists()]:
        raise MeritError(
            f"{folder}: {' '.join(missing)} missing; draw the figures again (merit.bin.sparse_merit.figures)"
        )
    return figures


def _robustness(
    runs: Sequence[Run], conditions: Sequence[Condition], noisy: Path, seen: Sequence[str], output: Path
) -> Iterator[FigureFile]:
    methods = list(dict.fromkeys(run.name for run in runs))
    if curves := emotion_curves(runs, conditions):
        figure = robustness_figure(curves, methods, "F1-macro", seen)
        caption = (
            "F1-macro of every method over the SNR: means of the scores of Table I, one for each seed and disjoint "
            "subset of the test; bars show one standard deviation of these scores."
        )
        yield save_figure(figure, output / "robustness_emotion.png", caption)
    if curves := enhancement_curves(runs, conditions, noisy):
        figure = robustness_figure(curves, methods, "gain in segmental SNR (dB)", seen)
        caption = (
            "Gain in segmental SNR over the noisy speech, mean over the utterances and seeds, over the SNR; bars show "
            "one standard deviation over the seeds where there are several."
        )
        yield save_figure(figure, output / "robustness_enhancement.png", caption)


def _usage(runs: Sequence[Run], conditions: Sequence[Condition], output: Path) -> Iterator[FigureFile]:
    """Figures 2 and 3 for the first seed of every method, the same for all of its seeds, and their numbers."""
    rows = []
    for _, of_method in groupby(routed(runs), key=lambda run: run.method):
        counts = {run: routing_counts(run, conditions) for run in of_method}
        by = {
            "snr": {run: {_snr_label(snr): of for snr, of in by_snr(own).items()} for run, own in counts.items()},
            "emotion": {run: by_emotion(own) for run, own in counts.items()},
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
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([USAGE_COLUMNS, *rows])
        write_text(output / USAGE_TABLE, text.getvalue())


def _snr_label(snr: float | None) -> str:
    return "clean" if snr is None else f"{snr:g}"


def _training(runs: Sequence[Run], output: Path) -> Iterator[FigureFile]:
    histories = {run: history for run in runs if (history := read_usage_history(run))}
    if not histories:
        logger.info("%s: history.csv follows no routing, so its course is not drawn", runs[0].directory)
        return
    caption = f"{runs[0].name}: share of the frames of the dev set that each expert gets, after every epoch of phase 2."
    yield save_figure(training_figure(histories), output / f"expert_usage_training_{runs[0].method}.png", caption)


def _utterance(run: Run, conditions: Sequence[Condition], data: Path, output: Path) -> Iterator[FigureFile]:
    """The utterance of median length of the first noisy condition: chosen before anything is known of its routing."""
    condition = next((condition for condition in conditions if condition.snr is not None), None)
    if condition is None:
        return
    sources = {"noisy": data / condition.name / "wav.scp", "clean": data / condition.name / "spk1.scp"}
    if (run.decoded(condition) / "wav.scp").exists():  # a model that enhances
        sources = {"noisy": sources["noisy"], "enhanced": run.decoded(condition) / "wav.scp", "clean": sources["clean"]}
    entries = {name: read_table(path) for name, path in sources.items()}
    seconds = read_durations(data / condition.name, entries["noisy"])
    ordered = sorted(seconds, key=lambda name: (seconds[name], name))
    utterance = ordered[len(ordered) // 2]
    if without := [str(sources[name]) for name, table in entries.items() if utterance not in table]:
        raise MeritError(f"{without[0]}: no utterance {utterance}, which {sources['noisy']} has; run stage 6 again")
    signals = {name: read_audio(table[utterance], utterance) for name, table in entries.items()}
    tasks, experts = read_routing(run.decoded(condition) / "routing.npz")
    routing = {task: np.eye(model_settings(run)["num_experts"])[of] for task, of in zip(tasks, experts[utterance])}
    title = f"{run.name}, seed {run.seed}: {utterance}, {condition.noise} at {condition.snr:g} dB"
    caption = f"{title}: spectrograms, and the strongest expert of both gates in every frame."
    figure = utterance_figure(signals, routing, title)
    yield save_figure(figure, output / f"routing_utterance_{run.method}.png", caption)
