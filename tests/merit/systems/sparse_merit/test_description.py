"""What is said about descriptions and weights of a model that are missing, damaged or do not fit."""

import json

import pytest
from tiny_training import ONE_EPOCH, phase2

from merit.errors import MeritError
from merit.systems.sparse_merit.description import load_model, read_description


def change_description(run, path, value):
    config = json.loads((run / "config.json").read_text())
    *parents, name = path
    place = config["description"]
    for parent in parents:
        place = place[parent]
    place[name] = value
    (run / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "path, value",
    [
        (["hidden_size"], "sixteen"),
        (["hidden_size"], [16]),
        (["num_states"], None),
        (["classes"], "angry"),
        (["model"], []),
        (["model", "num_experts"], "three"),
        (["model", "tasks"], "emotion"),
        (["model", "front_end"], "a sum"),
        (["statistics", "std"], "0.1.2"),
        (["encoder"], "wavlm"),
        (["something"], 1),
    ],
)
def test_a_wrong_type_in_the_configuration_is_named(run, path, value):
    change_description(run, path, value)
    with pytest.raises(MeritError, match="config.json: not the configuration of a trained MERIT model") as error:
        load_model(run)
    assert path[-1] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("path, value", [(["encoder", "hidden_size"], [16]), (["model", "expert_size"], -3)])
def test_sizes_that_make_no_model_are_named(run, path, value):
    change_description(run, path, value)
    with pytest.raises(MeritError, match="config.json: no model can be made of it .*restore it") as error:
        load_model(run)
    assert "\n" not in str(error.value)


def test_a_number_in_quotes_is_a_number(run):
    change_description(run, ["hidden_size"], "16")
    assert load_model(run)[1].hidden_size == 16


def test_weights_of_another_model_are_one_line(run):
    change_description(run, ["model", "expert_size"], 5)
    with pytest.raises(MeritError, match="model.safetensors: the weights do not fit the configuration") as error:
        load_model(run)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize("content", ["", "{", '{"run": {}}'])
def test_damaged_configuration_is_named(corpus, tiny_encoder, run, content):
    (run / "config.json").write_text(content)
    with pytest.raises(MeritError, match="config.json"):
        phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)
    with pytest.raises(MeritError, match="config.json: not the configuration of a trained MERIT model"):
        read_description(run)


def test_damaged_and_missing_weights_are_named(corpus, tiny_encoder, run):
    weights = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(MeritError, match="model.safetensors: damaged"):
        load_model(run)
    (run / "model.safetensors").unlink()
    with pytest.raises(MeritError, match="model.safetensors: not there"):
        load_model(run)
    with pytest.raises(MeritError, match="the weights of the best epoch are gone"):
        phase2(corpus, tiny_encoder, run, training=ONE_EPOCH)
