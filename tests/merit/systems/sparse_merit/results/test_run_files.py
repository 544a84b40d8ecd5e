"""Formats of the files of a run."""

import json

import numpy as np
import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.results.run_files import (
    is_decoded,
    mark_decoded,
    read_config,
    read_posteriors,
    read_routing,
    write_posteriors,
    write_routing,
)


def test_routing_survives_writing_and_reading(tmp_path):
    experts = {"b": np.array([[0, 1, 2], [2, 2, 2]]), "a": np.array([[255], [0]])}
    write_routing(tmp_path / "routing.npz", ["emotion", "enhancement"], experts)
    tasks, found = read_routing(tmp_path / "routing.npz")
    assert tasks == ["emotion", "enhancement"] and list(found) == ["b", "a"]
    for name, strongest in found.items():
        assert strongest.dtype == np.uint8 and np.array_equal(strongest, experts[name])


def test_posteriors_survive_writing_and_reading(tmp_path):
    emotions = {"u2": {"sad": 0.5, "angry": 0.5}, "u1": {"sad": 0.25, "angry": 0.75}}
    write_posteriors(tmp_path / "posteriors.csv", emotions)
    assert (tmp_path / "posteriors.csv").read_bytes() == b"utt,sad,angry\nu1,0.250000,0.750000\nu2,0.500000,0.500000\n"
    assert read_posteriors(tmp_path / "posteriors.csv") == (("sad", "angry"), {"u1": [0.25, 0.75], "u2": [0.5, 0.5]})


@pytest.mark.parametrize("row", ["u1,0.5", "u1,0.5,x"])
def test_a_damaged_row_of_posteriors_is_named(tmp_path, row):
    (tmp_path / "posteriors.csv").write_text(f"utt,a,b\n{row}\n")
    with pytest.raises(MeritError, match="posteriors.csv:2"):
        read_posteriors(tmp_path / "posteriors.csv")


def test_a_condition_is_complete_for_what_it_was_made_of(tmp_path):
    assert not is_decoded(tmp_path, {"weights": "abc"})
    mark_decoded(tmp_path, {"weights": "abc", "device": "cpu"}, 12)
    assert is_decoded(tmp_path, {"weights": "abc"}) and not is_decoded(tmp_path, {"weights": "other"})
    assert json.loads((tmp_path / "decode.json").read_text())["utterances"] == 12
    for damaged in ("[]", "{", ""):
        (tmp_path / "decode.json").write_text(damaged)
        assert not is_decoded(tmp_path, {"weights": "abc"})


def test_a_configuration_has_a_model_and_how_it_was_trained(tmp_path):
    (tmp_path / "config.json").write_text('{"description": {"ssl": "x"}, "run": {"seed": 7}}')
    assert read_config(tmp_path) == {"description": {"ssl": "x"}, "run": {"seed": 7}}


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"description": {}}'])
def test_anything_else_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(MeritError, match="config.json: not the configuration of a trained model.*train it again"):
        read_config(tmp_path)
