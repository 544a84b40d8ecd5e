"""Progress bars: seen by people at a terminal, absent from log files."""

import os
import sys

from tqdm import tqdm


def progress(total: float, description: str, unit: str, **kwargs) -> tqdm:
    """A tqdm bar over ``total`` units with rate and time left.

    It is drawn when stderr is a terminal, or when ``MERIT_PROGRESS=1`` says that somebody shows the output on one
    (``utils/run_job.py`` sets it); of the processes of a distributed training only the first one draws.
    """
    shown = sys.stderr.isatty() or os.environ.get("MERIT_PROGRESS") == "1"
    shown = shown and os.environ.get("RANK", "0") == "0"
    options = {"disable": not shown, "dynamic_ncols": True, "mininterval": 1.0, **kwargs}
    return tqdm(total=total, desc=description, unit=unit, **options)
