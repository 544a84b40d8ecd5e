"""Compare methods over seeds: ``python -m merit.bin.smoe.compare --exp exp --methods [base,encdec_smoe] ...``."""

from pathlib import Path

from merit.command import run_command


def compare(
    exp: Path,
    methods: list[str],
    seeds: list[int],
    test: list[Path],
    output: Path,
    tag: str = "",
    conf: list[Path] = [],
    speed: Path | None = None,
    command: str = "",
) -> None:
    """Write RESULTS.md and the tables as CSV.

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
    """
    from merit.systems.smoe.results.smoe_page import write_comparison

    write_comparison(exp, methods, seeds, tag, test, conf, speed, output, command)


if __name__ == "__main__":
    run_command(compare)
