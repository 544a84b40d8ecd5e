"""Methods: what is trained and compared, each in a small YAML file of its own."""

import os
from argparse import ArgumentError
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser

from merit.errors import MeritError, brief
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.training_options import MeritTraining

Speech = Literal["noisy", "clean", "enhanced"]

COMMON = Path(__file__).resolve().parents[4] / "egs/TEMPLATE/conf"
"""Where the methods of all recipes lie."""

OWN = "MERIT_METHODS"
"""Environment variable with the folder of a recipe's own methods, which go before the common ones. The stages set it,
since with ``--work`` they run elsewhere; without it, it is ``conf``."""


@dataclass
class Method:
    """What the file of a method says. ``merit.bin.sparse_merit.train_joint`` takes it as ``--config``.

    Attributes:
        title: what tables and figures call it; empty: the name of its file.
        speech: what it is trained on: ``noisy`` or ``clean`` speech, or what another method has ``enhanced``, which it
            then hears in the test as well.
        model: front end and heads.
        training: options of its training.
    """

    title: str = ""
    speech: Speech = "noisy"
    model: ModelConfig = field(default_factory=ModelConfig)
    training: MeritTraining = field(default_factory=MeritTraining)


def read_method(path: Path) -> Method:
    """Read the file of a method.

    Raises:
        MeritError: when it cannot be read, or has a key or a value that is none.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Method)
    try:
        found = parser.parse_string(path.read_text(encoding="utf-8")).as_dict()
        model, training = ModelConfig(**found.pop("model")), MeritTraining(**found.pop("training"))
    except (ArgumentError, MeritError, OSError, ValueError) as error:
        raise MeritError(
            f"{path}: not the file of a method ({brief(error)}); expected title, speech, model and training, as in "
            "egs/TEMPLATE/conf/sparse_merit.yaml"
        ) from error
    if not model.tasks:
        raise MeritError(f"{path}: model.tasks names none; expected emotion, enhancement, or both")
    return Method(model=model, training=training, **found)


def find_method(name: str, folders: Sequence[str | Path]) -> str | None:
    """The file of a method in the first of the folders that has it, or None."""
    files = (f"{folder}/{name}.yaml" for folder in folders)
    return next((file for file in files if Path(file).is_file()), None)


def method_called(name: str, folders: Sequence[Path] = ()) -> Method:
    """The method of this name, for whoever looks at its results; one whose file is gone is as if it were empty.

    Args:
        name: of the method, as ``sparse_merit``.
        folders: those that its file may lie in; by default the recipe's own and the common one.

    Raises:
        MeritError: when its file is no method's.
    """
    file = find_method(name, folders or (Path(os.environ.get(OWN, "conf")), COMMON))
    return Method() if file is None else _read_once(Path(file).resolve())


@cache
def _read_once(path: Path) -> Method:
    return read_method(path)


def title_of(name: str, folders: Sequence[Path] = ()) -> str:
    """What tables and figures call a method.

    Args:
        name: of the method, as ``sparse_merit``.
        folders: as for :func:`method_called`.

    Raises:
        MeritError: when its file is no method's.
    """
    return method_called(name, folders).title or name
