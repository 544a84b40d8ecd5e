"""Check data directories: ``python -m merit.bin.validate_data_dir --data data/train``."""

from pathlib import Path

from merit.command import run_command
from merit.data.audio import pipes_refused
from merit.data.datadir import first_of, problems_in, summary
from merit.errors import MeritError


def validate_data_dir(
    data: list[Path] | Path, classes: list[str] | None = None, audio: bool = False, no_pipes: bool = False
) -> None:
    """Check data directories and show their offending lines.

    Args:
        data: a data directory, or several as '[data/train,data/dev]'.
        classes: the emotion labels that are allowed, as '[anger,neutral]', and expected; every label without it.
        audio: decode all audio too, instead of looking only whether the files are there.
        no_pipes: refuse entries that are commands, which reading would run, in data from strangers. The environment
            variable MERIT_NO_PIPES=true does this here and in every other command.
    """
    invalid = 0
    for directory in data if isinstance(data, list) else [data]:
        if problems := problems_in(directory, classes, audio, pipes=not (no_pipes or pipes_refused())):
            invalid += 1
            print(first_of(problems))
        else:
            print(f"{directory}: valid data directory, {summary(directory)}")
    if invalid:
        raise MeritError(f"{invalid} invalid data director{'y' if invalid == 1 else 'ies'}")


if __name__ == "__main__":
    run_command(validate_data_dir)
