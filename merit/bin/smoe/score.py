"""Score what a model decoded: ``python -m merit.bin.smoe.score --model exp/encdec_smoe-7 --data [data/test] ...``."""

from pathlib import Path

from merit.command import run_command


def score(model: Path, data: list[Path], decode: Path, output: Path, command: str = "") -> None:
    """Write RESULTS.md and scores.csv of a run: every task and set.

    Args:
        model: directory of the run.
        data: data directories of the test, with texts.
        decode: folder of what was decoded, <set>/<task>.csv.
        output: the page.
        command: that made all this.
    """
    from merit.systems.smoe.results.smoe_page import write_run_results

    write_run_results(model, data, decode, output, command)


if __name__ == "__main__":
    run_command(score)
