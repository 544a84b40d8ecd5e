"""Trained models that come with the package, each in a folder with a card; found by name, as ``--ssl merit-tiny``."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def find_asset(name: str) -> Path | None:
    """The folder of a model that comes with the package, None when there is none of this name."""
    folder = FOLDER / name
    return folder if name and "/" not in name and (folder / "config.json").is_file() else None
