"""Every table over methods and seeds, and the page that holds them: ``exp/RESULTS.md`` and ``exp/tables/``."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.errors import MeritError
from merit.files import write_text
from merit.report.table import Table, csv, latex, markdown
from merit.systems.sparse_merit.results.conditions import Condition
from merit.systems.sparse_merit.results.emotion_comparison import EmotionComparison, compare_emotions
from merit.systems.sparse_merit.results.experiment import Run, conditions_of
from merit.systems.sparse_merit.results.pairwise_csv import bootstrap_csv, welch_csv
from merit.systems.sparse_merit.results.paper import PAPER_NOTE, compare_with_paper, comparison_csv
from merit.systems.sparse_merit.results.provenance import provenance_table
from merit.systems.sparse_merit.results.run_report import environment_section
from merit.systems.sparse_merit.results.tables import count_of
from merit.systems.sparse_merit.results.tables_emotion import BALANCING, table_1, table_1_bootstrap, table_6
from merit.systems.sparse_merit.results.tables_enhancement import enhancement_scores, table_2, table_7
from merit.systems.sparse_merit.routing.routing_tables import routing_tables
from merit.systems.sparse_merit.routing.table_experts import EXPERT_METHODS, table_3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """All that is known about the runs.

    Attributes:
        runs: table of what is compared, with warnings.
        conditions: of the test.
        tables: those of the paper, and beside Table I its paired bootstrap.
        emotions: the scores behind Table I, one for each condition.
    """

    runs: Table
    conditions: list[Condition]
    tables: list[Table]
    emotions: list[EmotionComparison]


def compare_runs(
    runs: Sequence[Run],
    seen: Sequence[str] = (),
    noisy: Path | None = None,
    reference: str = "sparse_merit",
    resamples: int = 1000,
) -> Comparison:
    """Make every table that the runs have scores for; the log says which are left out, and why.

    Args:
        runs: trained and scored models, those of one method together.
        seen: noises of the training data.
        noisy: score folder of the noisy input.
        reference: method that the paired bootstrap compares the others to.
        resamples: of the paired bootstrap.

    Raises:
        MeritError: when nothing was scored on a test set, or scores do not go together.
    """
    conditions = conditions_of(runs, seen)
    if not conditions:
        raise MeritError("none of the runs was scored on a test set (score/test_*); run stage 6 first")
    emotions = compare_emotions(runs, conditions, resamples)
    tables = [*_emotion_tables(emotions, reference, seen), *_enhancement_tables(runs, conditions, noisy, seen)]
    if (experts := table_3(runs, conditions_of(runs, seen, subset="dev"), seen)) is None:
        _left_out("table_3", f"none of {' '.join(EXPERT_METHODS)} was scored on the dev set")
    else:
        tables.append(experts)
    routing = routing_tables(runs, conditions)
    if not routing:
        _left_out("table_4, table_5", "no method routes frames to experts")
    # As in the paper: 1 to 7, what has no number last.
    order = sorted([*tables, *routing], key=lambda table: (not table.name.startswith("table_"), table.name))
    compared = provenance_table(runs)
    for warning in compared.notes:
        logger.warning(warning)
    return Comparison(compared, conditions, order, emotions)


def _emotion_tables(emotions: Sequence[EmotionComparison], reference: str, seen: Sequence[str]) -> list[Table]:
    if not emotions:
        _left_out("table_1, table_1_bootstrap, table_6", "no method recognises emotions")
        return []
    tables = [table_1(emotions, seen)]
    scored = {method for comparison in emotions for method in comparison.subsets}
    if reference in scored and len(scored) > 1:
        tables.append(table_1_bootstrap(emotions, reference, seen))
    else:
        _left_out("table_1_bootstrap", f"needs emotion scores of {reference} (--reference) and of another method")
    if BALANCING[1] in scored:
        tables.append(table_6(emotions, seen))
    else:
        _left_out("table_6", f"{BALANCING[1]} was not scored")
    return tables


def _enhancement_tables(
    runs: Sequence[Run], conditions: Sequence[Condition], noisy: Path | None, seen: Sequence[str]
) -> list[Table]:
    scores = enhancement_scores(runs, conditions, noisy)
    if not scores:
        _left_out("table_2, table_7", "no method enhances speech")
        return []
    tables = [table_2(scores, seen)]
    if any(method == BALANCING[1] for _, method in scores):
        tables.append(table_7(scores, seen))
    else:
        _left_out("table_7", f"{BALANCING[1]} was not scored")
    return tables


def _left_out(tables: str, reason: str) -> None:
    logger.info("%s: left out, %s", tables, reason)


def write_tables(comparison: Comparison, folder: Path) -> None:
    """Write every table as Markdown, LaTeX and CSV, and the CSV files of all pairs of methods; old ones are removed."""
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


def write_paper_comparison(comparison: Comparison, paper: Path, folder: Path) -> list[Table]:
    """Write ``compared_with_paper.md`` and ``.csv`` and return their tables.

    Raises:
        MeritError: when ``paper`` holds no published numbers.
    """
    tables = compare_with_paper(comparison.tables, paper)
    page = ["# Compared with the paper", PAPER_NOTE, *map(markdown, tables)]
    write_text(folder / "compared_with_paper.md", "\n\n".join(page) + "\n")
    write_text(folder / "compared_with_paper.csv", comparison_csv(tables))
    return tables


def results_page(comparison: Comparison, compared: Sequence[Table], command: str) -> str:
    """The whole RESULTS.md over methods and seeds.

    Args:
        comparison: its tables.
        compared: tables of the comparison with the paper, empty without one.
        command: that made the runs.
    """
    made_with = f"Command: `{command}`" if command else "Command: not given"
    tested = ", ".join(condition.name for condition in comparison.conditions)
    utterances = [emotions.utterances for emotions in comparison.emotions]
    each = f" ({count_of(utterances, 'utterances')} each)" if utterances else ""
    sections = ["# Results", environment_section(), markdown(comparison.runs), f"Tested on{each}: {tested}", made_with]
    sections += [markdown(table) for table in comparison.tables]
    if compared:
        sections += ["## Compared with the paper", PAPER_NOTE, *(markdown(table, level=3) for table in compared)]
    return "\n\n".join(sections) + "\n"
