"""Commands of the stages, run as ``python -m merit.bin.<name>``.

This file is run before any of them, and before the libraries they import, which takes seconds.
"""

import sys
from types import TracebackType


def say_nothing_of_interrupts(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """What Python calls with an exception that nobody has caught: Ctrl-C during the imports is no fault to trace."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted before it began", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = say_nothing_of_interrupts
