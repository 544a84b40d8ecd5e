"""Probing: every way that makes sense for a model, and what else is written."""

import json
from dataclasses import replace

import pytest
from small_smoe import TINY, TRAINING, train_tiny

from merit.systems.smoe.beam_search import BeamOptions
from merit.systems.smoe.expert_probe import PROBE, detected_bandwidths, probe_model, ways_of
from merit.systems.smoe.speech_decoding import read_hypotheses


@pytest.mark.parametrize(
    "changes, ways",
    [
        ({}, ["other_bandwidth", "other_expert", "other_tag"]),
        ({"encoder_experts": 1}, ["other_expert", "other_tag"]),
        ({"encoder_experts": 1, "decoder_experts": 1}, ["other_tag"]),
        ({"routing": "learned"}, ["other_tag"]),
    ],
)
def test_ways_are_those_that_the_model_has(changes, ways):
    assert ways_of(replace(TINY, **changes), ["transcribe", "translate"]) == ways
    assert "other_expert" not in ways_of(replace(TINY, **changes), ["transcribe"])


def test_a_run_is_probed(speech_corpus, tmp_path):
    train_tiny(speech_corpus, tmp_path / "run", training=replace(TRAINING, epochs=1))
    dev = speech_corpus["dev"]
    probe_model(tmp_path / "run", [dev], tmp_path / "probe", search=BeamOptions(beam=1), device="cpu")
    found = json.loads((tmp_path / "probe" / PROBE).read_text())
    for way in found["ways"]:
        assert len(read_hypotheses(tmp_path / "probe" / way / "dev/translate.csv")) == 5
    assert len(found["updates"]) == 4 and found["detected"] == {"dev": detected_bandwidths(dev)}
    assert {*detected_bandwidths(dev).values()} == {"wide"}  # the noise of its tones goes up to 8 kHz
    assert "routing" not in found


def test_what_gates_choose_is_counted(speech_corpus, tmp_path):
    train_tiny(speech_corpus, tmp_path / "run", replace(TINY, routing="learned"), replace(TRAINING, epochs=1))
    probe_model(tmp_path / "run", [speech_corpus["dev"]], tmp_path / "probe", BeamOptions(beam=1), device="cpu")
    found = json.loads((tmp_path / "probe" / PROBE).read_text())
    assert len(found["routing"]) == 4 * 2 * 2  # blocks, bandwidths, tasks
