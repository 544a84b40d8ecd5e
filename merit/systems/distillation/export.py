"""A trained student as an encoder of its own, in transformers' layout."""

import json
from pathlib import Path

import torch

from merit.data.tensors import save_tensors
from merit.errors import MeritError
from merit.files import write_text
from merit.nets.ssl import SpeechEncoder, build_encoder
from merit.systems.distillation.training import StudentDescription
from merit.training.model_directory import load_into, load_weights, read_model_description

PREFIX = "encoder."
"""Of the student's encoder among the weights of a run; the heads are left behind."""


def load_student(run: Path) -> SpeechEncoder:
    """The encoder of a trained student, in float32.

    Raises:
        MeritError: when the run is not there, or damaged.
    """
    description = read_model_description(run, StudentDescription, "student", "exp/wavlm")
    encoder = build_encoder(description.encoder)
    weights = {name.removeprefix(PREFIX): value for name, value in load_weights(run).items() if name.startswith(PREFIX)}
    load_into(encoder, weights, run / "model.safetensors")
    return encoder


def export_student(run: Path, output: Path) -> None:
    """Write ``config.json`` and ``model.safetensors``, the weights in float16, as :func:`load_encoder` reads them.

    Args:
        run: directory of the training.
        output: directory of the encoder.

    Raises:
        MeritError: when the run is not there or damaged, or a weight is beyond the range of float16.
    """
    encoder = load_student(run)
    weights = {name: value.half() for name, value in encoder.model.state_dict().items()}
    if beyond := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
        raise MeritError(f"{run}: the weights {beyond[0]} are beyond the range of float16")
    config = encoder.config_dict() | {"architectures": [type(encoder.model).__name__], "dtype": "float16"}
    save_tensors(weights, output / "model.safetensors", metadata={"format": "pt"})
    write_text(output / "config.json", json.dumps(config, indent=2, sort_keys=True) + "\n")
