"""Reading a model directory of any system."""

import json
from dataclasses import dataclass

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from merit.errors import MeritError
from merit.training.model_directory import load_into, load_weights, read_model_description


@dataclass
class Size:
    """A part of a description."""

    width: int = 3


@dataclass
class Description:
    """What a toy model is."""

    size: Size
    names: list[str]
    encoder: dict | None = None


def read(directory):
    return read_model_description(directory, Description, "toy", "exp/toy-7")


def write(directory, description):
    (directory / "config.json").write_text(json.dumps({"description": description}))


def test_parts_come_back_as_what_they_were(tmp_path):
    write(tmp_path, {"size": {"width": "5"}, "names": ["a", "b"], "encoder": {"layers": 2}})
    assert read(tmp_path) == Description(Size(5), ["a", "b"], {"layers": 2})


@pytest.mark.parametrize(
    "description",
    [{"size": {"width": "wide"}, "names": []}, {"size": {"height": 1}, "names": []}, [], {"size": {}, "names": 3}],
)
def test_what_is_no_such_description_is_named(tmp_path, description):
    write(tmp_path, description)
    with pytest.raises(MeritError, match=r"config.json: not the configuration of a trained toy model .*exp/toy-7"):
        read(tmp_path)


def test_a_directory_without_a_model_is_named(tmp_path):
    with pytest.raises(MeritError, match="no config.json; expected the directory of a trained model, as exp/toy-7"):
        read(tmp_path)
    with pytest.raises(MeritError, match="model.safetensors: not there; train it first"):
        load_weights(tmp_path)


def test_weights_that_do_not_fit_or_are_not_finite_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    model = nn.Linear(2, 1)
    save_file({"weight": torch.ones(1, 2), "bias": torch.tensor([2.0])}, path)
    load_into(model, load_weights(tmp_path), path)
    assert model(torch.ones(1, 2)).item() == 4
    with pytest.raises(MeritError, match="the weights do not fit"):
        load_into(nn.Linear(3, 1), load_weights(tmp_path), path)
    with pytest.raises(MeritError, match="bias holds NaN or infinity"):
        load_into(model, {"weight": torch.ones(1, 2), "bias": torch.tensor([float("nan")])}, path)
    path.write_bytes(b"rubbish")
    with pytest.raises(MeritError, match="model.safetensors: damaged"):
        load_weights(tmp_path)
