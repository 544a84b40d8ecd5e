"""Importing this makes Ctrl-C quiet from now on; every command does so before the libraries, which take seconds."""

import os
import signal
from types import FrameType


def interrupt(signum: int, frame: FrameType | None) -> None:
    """Signal handler: Ctrl-C ends a process at once while it imports, and raises KeyboardInterrupt otherwise.

    Nothing is lost by it, and an exception that comes out of a half-imported library cannot be relied on: some of them
    take it for another one, or for a reason to try again.
    """
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            os.write(2, b"interrupted while it was starting\n")
            os._exit(130)
        frame = frame.f_back
    raise KeyboardInterrupt


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in a script's background, where it is ignored
    signal.signal(signal.SIGINT, interrupt)
