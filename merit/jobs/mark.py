"""The mark of a step that is done: with what it was done, and that its outputs were there."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from merit.errors import MeritError
from merit.files import write_text


@dataclass
class Mark:
    """What a step leaves behind.

    Attributes:
        path: file of the mark.
        text: what the step is run with, as a checksum of command and inputs.
        outputs: files and directories that must be there.
    """

    path: Path
    text: str
    outputs: Sequence[Path]

    def is_set(self) -> bool:
        """The step was done with the same command and inputs, and its outputs are there."""
        if not all(output.exists() for output in self.outputs) or not self.path.exists():
            return False
        return self.path.read_text(encoding="utf-8").split("\n")[0] == self.text

    def remove(self) -> None:
        """The step begins."""
        self.path.unlink(missing_ok=True)

    def set(self, log: Path) -> None:
        """The step has ended well.

        No two runs leave the same mark, so that a later step which reads it runs again as well.

        Raises:
            MeritError: when an output is missing.
        """
        for output in self.outputs:
            if not output.exists():
                raise MeritError(f"{self.path.with_suffix('')}: ended well, but did not write {output}; see {log}")
        write_text(self.path, f"{self.text}\nfinished {datetime.now():%Y-%m-%d %H:%M:%S} by process {os.getpid()}\n")
