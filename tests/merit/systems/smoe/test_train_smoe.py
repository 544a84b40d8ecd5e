"""Training on the shared core: what is continued, shared and left alone."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.utils import set_seed
from safetensors.torch import load_file
from small_smoe import TINY, TRAINING, describe, train_tiny
from tiny_training import assert_same, history, in_a_process

from merit.errors import MeritError
from merit.systems.smoe.feature_dump import dump_features
from merit.systems.smoe.smoe_description import build_model, load_model
from merit.systems.smoe.speech_dataset import Labels
from merit.systems.smoe.vocabulary import train_vocabulary
from merit.training.run_state import load_state

PRELUDE = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from small_smoe import *
output, train, dev, vocabulary = map(Path, sys.argv[1:])
corpus = {{"train": train, "dev": dev, "vocabulary": vocabulary}}
"""


def elsewhere(code, output, corpus, processes=1):
    paths = (output, corpus["train"], corpus["dev"], corpus["vocabulary"])
    return in_a_process(PRELUDE + code, *paths, processes=processes)


def test_a_killed_training_ends_as_an_uninterrupted_one(speech_corpus, tmp_path):
    training = replace(TRAINING, epochs=3, spec_augment=True, average=2)
    model = replace(TINY, dropout=0.1, attention_dropout=0.1)
    whole = train_tiny(speech_corpus, tmp_path / "whole", model, training)
    steps = int(load_state(tmp_path / "whole")["steps_taken"]) // 3
    killing = f"""
from merit.training.run import Run
taken, train_step = 0, Run.train_step
def killing(self, batches):
    global taken
    taken += 1
    if taken == {steps + 2}:
        os.kill(os.getpid(), signal.SIGKILL)
    return train_step(self, batches)
Run.train_step = killing
training = replace(TRAINING, epochs=3, spec_augment=True, average=2, checkpoint_minutes=0.0)
train_tiny(corpus, output, replace(TINY, dropout=0.1, attention_dropout=0.1), training)
"""
    ended = elsewhere(killing, tmp_path / "killed", speech_corpus)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert len(history(tmp_path / "killed")) == 1
    continued = train_tiny(speech_corpus, tmp_path / "killed", model, training)
    assert_same(continued, whole, 0)
    assert history(tmp_path / "killed") == history(tmp_path / "whole")


def without_key_biases(weights):
    """Attention does not depend on the biases of its keys: their gradients are rounding, which Adam makes steps of."""
    found = {}
    for name, value in weights.items():
        if name.endswith("attention.projection.bias"):
            query, _, values = value.chunk(3)
            value = torch.cat([query, values])
        elif name.endswith("key_value.bias"):
            value = value.chunk(2)[1]
        found[name] = value
    return found


@pytest.mark.parametrize("routing, tolerance", [("given", 2e-5), ("learned", 2e-5)])
def test_two_processes_give_the_result_of_one(speech_corpus, tmp_path, routing, tolerance):
    """The balancing loss of gates is a mean over what is computed at once, so it is left out."""
    training = replace(TRAINING, batch_seconds=6.0, micro_batch_seconds=3.0, balance_weight=0.0, ctc_weight=0.3)
    model = replace(TINY, routing=routing, ctc=True)
    alone = train_tiny(speech_corpus, tmp_path / "alone", model, training)
    call = (
        "training = replace(TRAINING, batch_seconds=6.0, micro_batch_seconds=3.0, balance_weight=0.0, ctc_weight=0.3)\n"
        f"train_tiny(corpus, output, replace(TINY, routing={routing!r}, ctc=True), training)\n"
    )
    ended = elsewhere(call, tmp_path / "two", speech_corpus, processes=2)
    assert ended.returncode == 0, ended.stderr
    two = load_file(tmp_path / "two" / "model.safetensors")
    assert_same(without_key_biases(two), without_key_biases(alone), tolerance)
    last, expected = (
        {name: value for name, value in history(tmp_path / run)[-1].items() if "balance" not in name}
        for run in ("two", "alone")
    )
    assert last == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("processes", [1, 2])
def test_transcription_leaves_the_experts_of_translation_as_they_were(speech_corpus, tmp_path, processes):
    """Several steps with momentum and weight decay, which would move whatever has a gradient of zero."""
    call = """
from small_smoe import LANGUAGES
del LANGUAGES["translate"]
train_tiny(corpus, output, training=replace(TRAINING, weight_decay=0.1, batch_seconds=6.0))
"""
    ended = elsewhere(call, tmp_path / "run", speech_corpus, processes)
    assert ended.returncode == 0, ended.stderr
    after = load_file(tmp_path / "run" / "model.safetensors")
    _, description, vocabulary = load_model(tmp_path / "run")
    set_seed(3)
    before = build_model(description).state_dict()
    for name, value in after.items():
        idle = name.startswith("text.") and ".experts.1." in name
        used = name.startswith("text.") and ".experts.0." in name
        assert torch.equal(value, before[name]) or not idle, name
        assert not torch.equal(value, before[name]) or not used, name
    assert any(".experts.1." in name for name in after)


def test_dumped_features_give_what_the_audio_gives_but_for_their_16_bits(speech_corpus, tmp_path):
    dumps = {}
    for part in ("train", "dev"):
        dump_features(speech_corpus[part], tmp_path / part)
        dumps[f"{part}_dumps"] = [tmp_path / part]
    audio = train_tiny(speech_corpus, tmp_path / "audio")
    dumped = train_tiny(speech_corpus, tmp_path / "dumped", **dumps)
    assert_same(dumped, audio, 0.02)


def test_it_learns(speech_corpus, tmp_path):
    train_tiny(speech_corpus, tmp_path / "run", training=replace(TRAINING, epochs=8, learning_rate=1e-2))
    first, *_, last = history(tmp_path / "run")
    assert last["dev_loss"] < 0.8 * first["dev_loss"]


def test_upcycled_experts_start_alike_and_part(speech_corpus, tmp_path):
    dense = replace(TINY, encoder_experts=1, decoder_experts=1)
    train_tiny(speech_corpus, tmp_path / "base-3", dense)
    still = replace(TRAINING, epochs=1, learning_rate=0.0)
    start = train_tiny(speech_corpus, tmp_path / "still-3", training=still, upcycle_from=tmp_path / "base-3")
    base = load_file(tmp_path / "base-3" / "model.safetensors")
    for name, value in start.items():
        before, found, after = name.partition(".experts.1.")
        assert torch.equal(value, base[f"{before}.experts.0.{after}" if found else name])
    moved = train_tiny(speech_corpus, tmp_path / "moved-3", upcycle_from=tmp_path / "base-3")
    name = "text.blocks.0.feed_forward.experts.{}.0.weight"
    assert not torch.equal(moved[name.format(0)], moved[name.format(1)])


def test_wrong_labels_and_masks_are_those_of_the_training_set_alone(speech_corpus, tmp_path, monkeypatch):
    def only_look(runs, train_set, dev_set, order_seed):
        assert train_set.labels == Labels(seed=3, augment=True, corrupt_bandwidth=0.25, corrupt_task=0.5)
        assert dev_set.labels == Labels()
        raise MeritError("looked at")

    monkeypatch.setattr("merit.systems.smoe.train_smoe.Trainer", only_look)
    training = replace(TRAINING, spec_augment=True, corrupt_bandwidth=0.25, corrupt_task=0.5)
    with pytest.raises(MeritError, match="looked at"):
        train_tiny(speech_corpus, tmp_path / "run", training=training)


def test_a_run_of_another_vocabulary_is_not_continued(speech_corpus, tmp_path):
    one = replace(TRAINING, epochs=1)
    train_tiny(speech_corpus, tmp_path / "run", training=one)
    other = tmp_path / "other.model"
    other.write_bytes(train_vocabulary(["low low high"] * 9, ["en", "fr"], 275))
    with pytest.raises(MeritError, match="a run with another configuration is here(.|\n)*vocabulary_sha256"):
        train_tiny(speech_corpus | {"vocabulary": other}, tmp_path / "run", training=one)
    assert load_model(tmp_path / "run")[2].size == describe(load_model(tmp_path / "run")[2]).vocabulary_size


def test_a_ctc_layer_and_its_weight_come_together(speech_corpus, tmp_path):
    with pytest.raises(MeritError, match="model.ctc is false and training.ctc_weight 0.3"):
        train_tiny(speech_corpus, tmp_path / "run", training=replace(TRAINING, ctc_weight=0.3))
    assert not os.listdir(tmp_path)
