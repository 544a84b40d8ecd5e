"""How every ``python -m merit.bin.X`` runs: options from a typed signature, logging, exit status."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jsonargparse import auto_cli

from merit.errors import MeritError, file_error
from merit.files import why_not_written


def run_command(function: Callable) -> None:
    """Call ``function`` with the options of the command line and leave the process with its exit status.

    Options, their types, defaults and help come from the signature and docstring of ``function`` (jsonargparse):
    ``--config FILE`` reads them from YAML, ``--print_config`` shows them all, later options override earlier ones.
    Of the processes of a distributed training the first one logs, the others only warn.
    Exit status: 0 done, 1 an error a user can mend (``MeritError``, a full disk), 2 unusable options, 130 interrupted.
    """
    logging.basicConfig(
        level=logging.INFO if os.environ.get("RANK", "0") == "0" else logging.WARNING,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    with errors_as_exit_status():
        auto_cli(function, as_positional=False, allow_abbrev=False)  # a half-typed option is a mistyped one


@contextmanager
def errors_as_exit_status() -> Iterator[None]:
    """Leave the process with a message alone, without a traceback, and status 1 or 130; see :func:`run_command`."""
    try:
        yield
    except MeritError as error:
        sys.exit(f"error: {error}")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        sys.exit(f"error: {file_error(error)}")
    except OSError as error:
        problem = why_not_written(error.errno)
        if problem is None:
            raise
        sys.exit(f"error: {error.filename or 'output'}: {problem}")
    except KeyboardInterrupt:
        print("interrupted: what was finished is kept; the same command goes on from there", file=sys.stderr)
        sys.exit(130)
