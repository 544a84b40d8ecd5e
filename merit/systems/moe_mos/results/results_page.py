"""RESULTS.md of an experiment, its tables as CSV, and its figures."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from merit.data.rated.ratings import RATINGS, RatedClip, clips_of, read_ratings
from merit.errors import MeritError
from merit.files import write_text
from merit.metrics.quality.agreement import quality_scores, system_means
from merit.metrics.quality.prediction_table import Predictions, read_predictions
from merit.metrics.quality.reference_rows import Scores, condition_oracle, split_half_ceiling
from merit.report.environment import environment_section
from merit.report.figure_style import save_figure
from merit.report.method_title import title_of
from merit.report.table import Table, csv, markdown
from merit.systems.moe_mos.results.quality_experiment import (
    Experiment,
    predictions_of,
    require_same_test,
    sorted_clips,
)
from merit.systems.moe_mos.results.quality_figures import agreement_figure, system_usage_figure
from merit.systems.moe_mos.results.quality_tables import (
    interval_table,
    mean_scores,
    rank_warnings,
    score_table,
    usage_by_system_table,
    usage_table,
)

logger = logging.getLogger(__name__)


def write_results(
    experiment: Experiment,
    test: Sequence[Path],
    known: Sequence[Path],
    others: Mapping[str, str],
    conf: Sequence[Path],
    output: Path,
    command: str,
) -> None:
    """Write the page, the tables and the figures.

    Args:
        experiment: its runs.
        test: data directories of the test.
        known: data directories of the condition oracle; empty for the other clips of the test.
        others: title -> table of another predictor.
        conf: folders of the methods' files.
        output: folder of what is written.
        command: that made the experiment.

    Raises:
        MeritError: when predictions are missing or of different tests.
    """
    found = predictions_of(experiment)
    runs = {title_of(method, conf): predictions for method, predictions in found.items()}
    first = next(iter(runs.values()))[0]
    clips = [clip for directory in test for clip in clips_of(read_ratings(directory / RATINGS)).values()]
    if np.isnan(first.truth).all():
        raise MeritError(
            f"{test[0]}: no clip of the test has a rating, so nothing can be scored; the predictions are in "
            f"{experiment.tables(experiment.methods[0], experiment.seeds[0])[0]}"
        )
    scores = {title: mean_scores(predictions) for title, predictions in runs.items()}
    scored = dict(scores)
    for title, path in others.items():
        other = sorted_clips(read_predictions([Path(path)]))
        require_same_test(first, other, path)
        scored[title] = quality_scores(other.systems, other.truth, other.answers).values()
    notes = [*_notes(first, known), *rank_warnings(scores)]
    tables = [score_table(scored, reference_scores(first, clips, known), notes), interval_table(runs)]
    if (usage := usage_table(runs, experiment.seeds)) is not None:
        tables.append(usage)
    tables += [usage_by_system_table(title, predictions[0]) for title, predictions in list(runs.items())[:1]]
    write_text(output / "RESULTS.md", page(tables, command, experiment))
    for table in tables:
        write_text(output / "tables" / f"{table.name}.csv", csv(table))
    title, predictions = next(iter(runs.items()))
    figures = {"agreement": agreement_figure(runs)}
    if first.gates.shape[1] > 1:
        figures["usage"] = system_usage_figure(f"{title}, seed {experiment.seeds[0]}", predictions[0])
    for name, figure in figures.items():
        save_figure(figure, output / "figures" / f"{name}.png", name)
    logger.info("%s: %d methods, seeds %s", output / "RESULTS.md", len(runs), " ".join(map(str, experiment.seeds)))


def reference_scores(first: Predictions, clips: Sequence[RatedClip], known: Sequence[Path]) -> dict[str, Scores | None]:
    """The condition oracle and what listeners say among themselves."""
    means = None
    if known:
        rated = [clip for directory in known for clip in clips_of(read_ratings(directory / RATINGS)).values()]
        means = system_means([clip.system_id for clip in rated], np.array([clip.mean for clip in rated]))
    return {
        "Condition oracle": condition_oracle(first.systems, first.truth, means),
        "Split-half ceiling": split_half_ceiling(clips),
    }


def _notes(first: Predictions, known: Sequence[Path]) -> list[str]:
    unrated = int(np.isnan(first.truth).sum())
    single = quality_scores(first.systems, first.truth, first.answers).single_clip_systems
    where = " and ".join(path.name for path in known)
    oracle = f"in {where}" if known else "over the other clips of the test, which tells nothing about systems"
    return [
        f"Condition oracle: every clip is given the mean rating of its system {oracle}. Split-half ceiling: one half "
        "of the listeners of the test against the other half, where listeners are known.",
        *([f"{unrated} clips without a rating are left out."] if unrated else []),
        *([f"{single} systems have one clip in the test: their mean is that of one clip."] if single else []),
    ]


def page(tables: Sequence[Table], command: str, experiment: Experiment) -> str:
    """The whole RESULTS.md."""
    lines = [f"- command: `{command}`" if command else "- command: not given"]
    lines += [f"- seeds: {' '.join(map(str, experiment.seeds))}"]
    if experiment.folds:
        lines += [f"- folds: {len(experiment.folds)}; each clip is predicted by the model of the fold that tests it"]
    sections = ["# Speech quality", environment_section(), "## Experiment\n\n" + "\n".join(lines)]
    return "\n\n".join([*sections, *map(markdown, tables)]) + "\n"
