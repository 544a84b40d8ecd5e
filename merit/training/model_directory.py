"""Reading a model directory: what the model is, from ``config.json``, and its weights, from ``model.safetensors``."""

import json
import math
from argparse import ArgumentError
from dataclasses import is_dataclass
from pathlib import Path
from typing import TypeVar, get_type_hints

import torch
from jsonargparse import ArgumentParser
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from merit.errors import MeritError, brief

Description = TypeVar("Description")
"""A dataclass that says what a model is, some of whose fields may be dataclasses."""


def read_model_description(directory: Path, kind: type[Description], model: str, example: str) -> Description:
    """The description in a model directory, of the types that ``kind`` gives its fields.

    Args:
        directory: of the model.
        kind: class of the description.
        model: what such a model is called, for messages.
        example: a directory of one, likewise.

    Raises:
        MeritError: when the directory holds no trained model of this kind.
    """
    path = Path(directory) / "config.json"
    if not path.exists():
        raise MeritError(f"{directory}: no config.json; expected the directory of a trained model, as {example}")
    try:
        parser = ArgumentParser(exit_on_error=False)
        parser.add_class_arguments(kind)
        found = parser.parse_object(json.loads(path.read_text())["description"]).as_dict()
        parts = {name: part for name, part in get_type_hints(kind).items() if is_dataclass(part)}
        return kind(**{name: parts[name](**value) if name in parts else value for name, value in found.items()})
    except (ArgumentError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise MeritError(
            f"{path}: not the configuration of a trained {model} model ({brief(error)}); give a directory such as "
            f"{example}"
        ) from error


def load_weights(directory: Path) -> dict[str, torch.Tensor]:
    """Weights of the best epoch.

    Raises:
        MeritError: when they are missing or damaged.
    """
    path = Path(directory) / "model.safetensors"
    if not path.exists():
        raise MeritError(f"{path}: not there; train it first, or wait until its first epoch is done")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise MeritError(f"{path}: damaged ({error}); train again or copy the file again") from error


def load_into(module: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Give a module weights that were read from ``path``.

    Raises:
        MeritError: when some are not finite, or are not those of this module.
    """
    for name, value in weights.items():
        # The extremes tell it in a thirtieth of the time of isfinite, which writes a truth value for each number.
        if value.numel() and not all(math.isfinite(extreme) for extreme in torch.aminmax(value)):
            raise MeritError(f"{path}: {name} holds NaN or infinity; copy the file again, or train the model again")
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise MeritError(
            f"{path}: the weights do not fit the configuration of the model ({brief(error)}); give a model of "
            "these sizes, or copy both files of this one again"
        ) from error
