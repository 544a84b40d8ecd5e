"""Every comparison over methods and seeds, made once: the tables, and what figures and page take from it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from merit.files import write_text
from merit.report.environment import environment_section
from merit.report.table import Table, csv, latex, markdown
from merit.systems.sparse_merit.results.emotion_comparison import EmotionComparison, compare_emotions
from merit.systems.sparse_merit.results.experiment import Experiment, FinishedRun
from merit.systems.sparse_merit.routing.routing_statistics import Counts, count_test
from merit.systems.sparse_merit.tables.emotion_tables import BALANCING, table_1, table_1_bootstrap, table_6
from merit.systems.sparse_merit.tables.enhancement_tables import enhancement_scores, table_2, table_7
from merit.systems.sparse_merit.tables.experts_table import EXPERT_METHODS, table_3
from merit.systems.sparse_merit.tables.noise_table import count_of, with_noise_labels
from merit.systems.sparse_merit.tables.pairwise_csv import bootstrap_csv, welch_csv
from merit.systems.sparse_merit.tables.paper import PAPER_NOTE, compare_with_paper, comparison_csv
from merit.systems.sparse_merit.tables.provenance import provenance_table
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """All that is known about the runs of an experiment.

    Attributes:
        runs: table of what is compared, with warnings.
        tables: those of the paper, and beside Table I its paired bootstrap.
        paper: tables of the comparison with the paper; empty without its numbers.
        emotions: the scores behind Table I, one for each condition.
        routing: run that routes -> its counts on the test.
    """

    runs: Table
    tables: list[Table]
    paper: list[Table]
    emotions: list[EmotionComparison]
    routing: Mapping[FinishedRun, Counts]


def compare_runs(
    experiment: Experiment, reference: str = "sparse_merit", resamples: int = 1000, paper: Path | None = None
) -> Comparison:
    """Make every table that the runs have scores for; the log says which are left out, and why.

    Args:
        experiment: what is compared.
        reference: method that the paired bootstrap compares the others to.
        resamples: of the paired bootstrap.
        paper: folder of the published numbers.

    Raises:
        MeritError: when scores or routing are missing or do not go together, or ``paper`` holds no published numbers.
    """
    emotions = compare_emotions(experiment, resamples)
    tables = [*_emotion_tables(emotions, reference), *_enhancement_tables(experiment)]
    if (experts := table_3(experiment)) is None:
        _left_out("table_3", f"none of {' '.join(EXPERT_METHODS)} was scored on the dev set")
    else:
        tables.append(experts)
    counts = count_test(experiment)
    if not counts:
        _left_out("table_4, table_5", "no method routes frames to experts")
    tables = [with_noise_labels(table, experiment) for table in [*tables, *routing_tables(counts)]]
    # As in the paper: 1 to 7, what has no number last.
    tables.sort(key=lambda table: (not table.name.startswith("table_"), table.name))
    compared = provenance_table(experiment.runs)
    for warning in compared.notes:
        logger.warning(warning)
    return Comparison(compared, tables, compare_with_paper(tables, paper) if paper else [], emotions, counts)


def _emotion_tables(emotions: list[EmotionComparison], reference: str) -> list[Table]:
    if not emotions:
        _left_out("table_1, table_1_bootstrap, table_6", "no method recognises emotions")
        return []
    tables = [table_1(emotions)]
    scored = {method for comparison in emotions for method in comparison.subsets}
    if reference in scored and len(scored) > 1:
        tables.append(table_1_bootstrap(emotions, reference))
    else:
        _left_out("table_1_bootstrap", f"needs emotion scores of {reference} (--reference) and of another method")
    if BALANCING[1] in scored:
        tables.append(table_6(emotions))
    else:
        _left_out("table_6", f"{BALANCING[1]} was not scored")
    return tables


def _enhancement_tables(experiment: Experiment) -> list[Table]:
    scores = enhancement_scores(experiment)
    if not scores:
        _left_out("table_2, table_7", "no method enhances speech")
        return []
    tables = [table_2(scores)]
    if any(method == BALANCING[1] for _, method in scores):
        tables.append(table_7(scores))
    else:
        _left_out("table_7", f"{BALANCING[1]} was not scored")
    return tables


def _left_out(tables: str, reason: str) -> None:
    logger.info("%s: left out, %s", tables, reason)


def write_tables(comparison: Comparison, folder: Path) -> None:
    """Write every table as Markdown, LaTeX and CSV, and the CSV files of all pairs of methods; old ones are removed.

    With the paper's numbers also ``compared_with_paper.md`` and ``.csv``.
    """
    for pattern in ("table_*", "significance.csv", "bootstrap.csv", "compared_with_paper.*"):
        for left_over in folder.glob(pattern):
            left_over.unlink()
    for table in comparison.tables:
        write_text(folder / f"{table.name}.md", markdown(table, level=1) + "\n")
        write_text(folder / f"{table.name}.tex", latex(table))
        write_text(folder / f"{table.name}.csv", csv(table))
    if comparison.emotions:
        write_text(folder / "significance.csv", welch_csv(comparison.emotions))
        write_text(folder / "bootstrap.csv", bootstrap_csv(comparison.emotions))
    if comparison.paper:
        sections = ["# Compared with the paper", PAPER_NOTE, *map(markdown, comparison.paper)]
        write_text(folder / "compared_with_paper.md", "\n\n".join(sections) + "\n")
        write_text(folder / "compared_with_paper.csv", comparison_csv(comparison.paper))


def results_page(experiment: Experiment, comparison: Comparison, command: str) -> str:
    """The whole RESULTS.md over methods and seeds; ``command`` is what made the runs."""
    made_with = f"Command: `{command}`" if command else "Command: not given"
    tested = ", ".join(condition.name for condition in experiment.conditions)
    utterances = [emotions.utterances for emotions in comparison.emotions]
    each = f" ({count_of(utterances, 'utterances')} each)" if utterances else ""
    sections = ["# Results", environment_section(), markdown(comparison.runs), f"Tested on{each}: {tested}", made_with]
    sections += [markdown(table) for table in comparison.tables]
    if comparison.paper:
        sections += ["## Compared with the paper", PAPER_NOTE]
        sections += [markdown(table, level=3) for table in comparison.paper]
    return "\n\n".join(sections) + "\n"
