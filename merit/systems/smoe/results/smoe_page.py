"""RESULTS.md of a run and of an experiment, with the tables as CSV."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from merit.errors import MeritError
from merit.files import write_text
from merit.report.environment import environment_section
from merit.report.table import Table, csv, markdown
from merit.systems.smoe.results.probe_tables import (
    label_noise_table,
    learned_routing_table,
    speed_table,
    updates_table,
    wrong_expert_table,
)
from merit.systems.smoe.results.smoe_experiment import GIVEN, MethodRuns, find_runs, read_tests
from merit.systems.smoe.results.smoe_tables import (
    cost_table,
    relative_table,
    run_table,
    score_table,
    significance_table,
)
from merit.systems.smoe.results.text_scores import cost_of, read_test_set, scores_of, signatures
from merit.systems.smoe.smoe_description import read_smoe_description

logger = logging.getLogger(__name__)


def write_run_results(model: Path, data: list[Path], decode: Path, output: Path, command: str = "") -> None:
    """Write RESULTS.md of one run, and its scores as ``scores.csv`` beside it.

    Args:
        model: directory of the run.
        data: data directories of the test.
        decode: folder of what was decoded, ``<set>/<task>.csv``.
        output: the page.
        command: that made all this.

    Raises:
        MeritError: when texts are missing, or not of the utterances of the test.
    """
    languages = read_smoe_description(model).languages
    tests = [read_test_set(directory, languages) for directory in data]
    scores = {test.name: scores_of(test, decode) | cost_of(test, decode) for test in tests}
    table = run_table(scores, {test.name: test.bandwidth for test in tests})
    write_text(output, _page(f"# {model.name}", [table], command, signatures(tests[0], decode)))
    write_text(output.with_name("scores.csv"), csv(table))


def write_comparison(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    test: list[Path],
    output: Path,
    tag: str = "",
    conf: list[Path] | None = None,
    speed: Path | None = None,
    command: str = "",
) -> None:
    """Write RESULTS.md and the tables of an experiment.

    Args:
        exp: folder of the runs.
        methods: names of the methods; the others are compared with base, or with the first one.
        seeds: of the trainings.
        test: data directories of the test.
        output: folder of RESULTS.md and tables.
        tag: of the runs.
        conf: folders of the methods' files, for their titles.
        speed: table of merit.bin.smoe.measure_speed; without it there is none of times.
        command: that made all this.

    Raises:
        MeritError: when something is missing, or not of the utterances of the test.
    """
    if not methods or not seeds or not test:
        raise MeritError("name at least one method, seed and data directory of the test")
    runs = find_runs(exp, methods, seeds, tag, conf or [])
    tests = read_tests(test, runs)
    base = next((method for method in runs if method.name == "base"), runs[0])
    tables = [
        score_table(tests, runs),
        relative_table(tests, runs, base),
        significance_table(tests, runs, base),
        cost_table(tests, runs, _device(runs[0], tests[0].name)),
        wrong_expert_table(tests, runs),
        *(label_noise_table(tests, method) for method in runs if method.name == "encdec_smoe"),
        updates_table(runs, seeds),
        learned_routing_table(runs, seeds),
        None if speed is None else speed_table(speed),
    ]
    shown = [table for table in tables if table is not None]
    facts = [f"seeds: {' '.join(map(str, seeds))}", *signatures(tests[0], runs[0].runs[0] / GIVEN)]
    write_text(output / "RESULTS.md", _page("# Speech to text", shown, command, facts))
    for table in shown:
        write_text(output / "tables" / f"{table.name}.csv", csv(table))
    logger.info("%s: %d methods, seeds %s", output / "RESULTS.md", len(runs), " ".join(map(str, seeds)))


def _device(method: MethodRuns, test: str) -> str:
    task = next(iter(method.description.languages))
    described = json.loads((method.runs[0] / GIVEN / test / f"{task}.json").read_text())
    threads = described["threads"]
    return f"{described['device']}, {threads} thread{'s' if threads > 1 else ''}"


def _page(title: str, tables: Sequence[Table], command: str, facts: Sequence[str]) -> str:
    lines = [f"- command: `{command}`" if command else "- command: not given", *(f"- {fact}" for fact in facts)]
    sections = [title, environment_section(), "## Experiment\n\n" + "\n".join(lines)]
    return "\n\n".join([*sections, *map(markdown, tables)]) + "\n"
