"""What a method is called in tables."""

from collections.abc import Sequence
from pathlib import Path

from jsonargparse import ArgumentParser


def title_of(method: str, folders: Sequence[Path]) -> str:
    """What a method is called in tables: ``title`` of its file in the first folder that has one; else its name."""
    for folder in folders:
        path = folder / f"{method}.yaml"
        if path.is_file():
            options = ArgumentParser(exit_on_error=False)
            options.add_argument("--title", type=str, default=method)
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            return options.parse_string("".join(line for line in lines if line.startswith("title:")) or "{}").title
    return method
