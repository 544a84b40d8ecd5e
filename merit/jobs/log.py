"""What is shown of a job's log: what is new in it, and of a job that failed the error itself."""

import re
import sys
from typing import BinaryIO

TAIL_LINES = 20
ERROR_LINES = 40
RANK = r"(?:\[rank\d+\]: )?"
BEGIN = re.compile(rf"({RANK})(?:error: |Traceback \(most recent call last\):)")
END = re.compile(rf"{RANK}(?:$|\d{{4}}-\d\d-\d\d \d\d:|[IWE]\d{{4}} |error: |Traceback )")
TORCHRUN = re.compile(r"torch\.distributed\.elastic\.\S*(?:ChildFailedError|SignalException)")
ROOT_CAUSE = "Root Cause (first observed failure):"
ROOT_CAUSE_LINES = 8


def show_new(log: BinaryIO, shown: bool) -> None:
    """Copy what has been added to the log to stderr."""
    if shown:
        sys.stderr.buffer.write(log.read())
        sys.stderr.buffer.flush()


def written_lines(log: BinaryIO, start: int) -> list[str]:
    """The lines written since byte ``start``; of a progress bar's line, its last state."""
    log.seek(start)
    return [line.rstrip("\r").rpartition("\r")[2] for line in log.read().decode(errors="replace").split("\n")]


def last_lines(log: BinaryIO, start: int) -> list[str]:
    """The last lines written since byte ``start``, without empty ones."""
    return [line for line in written_lines(log, start) if line.strip()][-TAIL_LINES:]


def error_lines(log: BinaryIO, start: int) -> list[str]:
    """Why a command failed, out of what it wrote since byte ``start``: its last error message or traceback.

    Under torchrun the one of the process that failed first, since the others fail because of it and torchrun's own
    traceback says no more than that one did. When that process had nothing to say, as after SIGKILL, it is torchrun's
    finding; without any of this the last lines.
    """
    lines = written_lines(log, start)
    errors = []
    for place, line in enumerate(lines):
        if begin := BEGIN.match(line):
            error = lines[place : place + _length(lines[place:], begin[1])]
            if not any(map(TORCHRUN.match, error)):
                errors.append((begin[1], error))
    if ROOT_CAUSE not in lines:
        return errors[-1][1][-ERROR_LINES:] if errors else last_lines(log, start)
    finding = lines[lines.index(ROOT_CAUSE) :][:ROOT_CAUSE_LINES]
    rank = next((line.split()[2] for line in finding if line.startswith("  rank ")), "")
    for prefix in (f"[rank{rank}]: ", ""):
        if own := [error for found, error in errors if found == prefix]:
            return own[0][-ERROR_LINES:]
    return [line for line in finding if not line.startswith("===")]


def _length(lines: list[str], prefix: str) -> int:
    """Number of lines of the error that begins with the first one; ``prefix`` names the process that wrote it."""
    in_frames = "Traceback" in lines[0]
    for place, line in enumerate(lines[1:], 1):
        if in_frames and line.startswith(f"{prefix} "):
            continue
        if in_frames and line.startswith(prefix) and line != prefix:
            in_frames = False  # the exception itself, whose message may go on
        elif in_frames or END.match(line) or not line.startswith(prefix):
            return place
    return len(lines)
