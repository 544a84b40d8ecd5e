"""The folders of models that come with the package, by their names."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def find_asset(name: str) -> Path | None:
    """The folder of the model of this name, as ``merit-tiny``; None where none is called so."""
    folder = FOLDER / name
    return folder if name == folder.name and (folder / "config.json").is_file() else None
