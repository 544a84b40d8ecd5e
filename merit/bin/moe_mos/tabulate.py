"""Tables over methods and seeds of an experiment: agreement with listeners, and how the experts are used."""

import logging
from pathlib import Path

from merit.command import run_command

logger = logging.getLogger(__name__)


def tabulate(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    test: list[Path],
    output: Path,
    tag: str = "",
    folds: list[str] = [],
    known: list[Path] = [],
    others: list[str] = [],
    conf: list[Path] = [],
    command: str = "",
) -> None:
    """Write RESULTS.md, the tables as CSV, and figures.

    Args:
        exp: folder of the runs.
        methods: names of the methods.
        seeds: of the trainings.
        test: data directories of the test, for what its listeners say among themselves.
        output: folder of RESULTS.md, tables and figures.
        tag: of the runs.
        folds: of a cross-validation, whose predictions are scored together.
        known: data directories that the condition oracle takes the means of the systems from, as the dev set; without
            them it takes the other clips of the test.
        others: further predictors of the same clips, as "PESQ=exp/pesq.csv".
        conf: folders of the methods' files, for their titles.
        command: that made all this.
    """
    from merit.systems.moe_mos.results.quality_experiment import Experiment
    from merit.systems.moe_mos.results.results_page import write_results

    predictors = dict(other.split("=", 1) for other in others)
    write_results(Experiment(exp, methods, seeds, tag, folds), test, known, predictors, conf, output, command)


if __name__ == "__main__":
    run_command(tabulate)
