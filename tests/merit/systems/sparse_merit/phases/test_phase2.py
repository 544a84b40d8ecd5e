"""Both phases on a tiny encoder: continuing after a kill, micro-batches, processes, dumped and online states."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from made_mixing import make_online_set
from safetensors.torch import load_file
from tiny_training import (
    CLASSES,
    MODEL,
    ONE_EPOCH,
    TRAINING,
    assert_same,
    history,
    in_two_processes,
    killed_after,
    phase2,
)

from merit.data.datadir import read_table, write_table
from merit.data.noise.online.values import Values
from merit.errors import MeritError
from merit.systems.sparse_merit.phases.phase1 import Head, phase1_trainer


@pytest.mark.parametrize("mixing", ["stored", "online"])
def test_killed_run_ends_as_an_uninterrupted_one(corpus, online_corpus, tiny_encoder, tmp_path, mixing):
    """kill -9 in the middle of the second epoch; mixtures, dropout, batch order and optimiser must all come back."""
    corpus = corpus if mixing == "stored" else online_corpus
    whole = phase2(corpus, tiny_encoder, tmp_path / "whole", training=replace(TRAINING, epochs=3))
    train = """train_phase2(train, dev, encoder, output, CLASSES, MODEL,
             replace(TRAINING, epochs=3, checkpoint_minutes=0.0), None, None, 3)"""
    killed_after(5, train, tmp_path / "killed", corpus, tiny_encoder)  # steps, three an epoch
    assert len(history(tmp_path / "killed")) == 1
    state = torch.load(tmp_path / "killed" / "last.pt", weights_only=True)
    assert (state["epoch"], state["step"]) == (1, 2)
    continued = phase2(corpus, tiny_encoder, tmp_path / "killed", training=replace(TRAINING, epochs=3))
    assert_same(continued, whole, 0)
    for row, expected in zip(history(tmp_path / "killed"), history(tmp_path / "whole"), strict=True):
        assert row == expected


def test_any_number_of_workers_hears_the_same_and_every_epoch_something_else(online_corpus, tiny_encoder, tmp_path):
    weights = {
        workers: phase2(
            online_corpus, tiny_encoder, tmp_path / str(workers), training=replace(TRAINING, workers=workers)
        )
        for workers in (0, 2)
    }
    assert_same(weights[2], weights[0], 0)
    assert history(tmp_path / "2") == history(tmp_path / "0")


def test_a_dev_set_that_is_drawn_anew_is_refused(online_corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="train_online: mixed anew in every epoch .*--train of the training commands"):
        phase2({**online_corpus, "dev": online_corpus["train"]}, tiny_encoder, tmp_path)


def test_another_mixing_is_another_run(corpus, tiny_encoder, tmp_path):
    online = {"train": make_online_set(corpus["train"], tmp_path), "dev": corpus["dev"]}
    phase2(online, tiny_encoder, tmp_path / "run", training=ONE_EPOCH)
    make_online_set(corpus["train"], tmp_path, snr=Values((0.0, 15.0), True))
    with pytest.raises(MeritError, match="run.train_mixing.snr: there '-5:15', now '0:15'"):
        phase2(online, tiny_encoder, tmp_path / "run", training=ONE_EPOCH)


def test_micro_batches_change_nothing(corpus, tiny_encoder, tmp_path):
    model = replace(MODEL, emotion_dropout=0.0)
    whole = phase2(corpus, tiny_encoder, tmp_path / "whole", model)
    parts = phase2(corpus, tiny_encoder, tmp_path / "parts", model, replace(TRAINING, micro_batch_size=1))
    assert_same(parts, whole, 2e-5)


@pytest.mark.parametrize("mixing", ["stored", "online"])
def test_two_processes_give_the_result_of_one(corpus, online_corpus, tiny_encoder, tmp_path, mixing):
    corpus = corpus if mixing == "stored" else online_corpus
    model = replace(MODEL, emotion_dropout=0.0)
    alone = phase2(corpus, tiny_encoder, tmp_path / "alone", model)
    call = (
        "tiny_training.phase2(corpus, encoder, output, tiny_training.replace(tiny_training.MODEL, emotion_dropout=0.0))"
    )
    in_two_processes(call, tmp_path / "two", corpus, tiny_encoder)
    assert_same(load_file(tmp_path / "two" / "model.safetensors"), alone, 2e-5)
    assert history(tmp_path / "two")[-1] == pytest.approx(history(tmp_path / "alone")[-1], rel=1e-4)


def test_encoder_is_tuned_but_not_its_convolutions(corpus, tiny_encoder, tmp_path):
    tuned = phase2(corpus, tiny_encoder, tmp_path / "run")
    before = load_file(Path(tiny_encoder) / "model.safetensors")
    changed = {
        name: not torch.equal(tuned[f"encoder.model.{name}"], value)
        for name, value in before.items()
        if f"encoder.model.{name}" in tuned
    }
    assert not any(moved for name, moved in changed.items() if name.startswith("feature_extractor"))
    assert all(moved for name, moved in changed.items() if "layers.0.attention.q_proj.weight" in name)
    assert sum(changed.values()) > 20


def test_heads_of_phase_1_are_where_phase_2_begins(corpus, tiny_encoder, tmp_path):
    for task in ("emotion", "enhancement"):
        model, training = replace(MODEL, front_end="weighted_sum"), replace(TRAINING, epochs=1)
        head = Head(task, tmp_path / task, model, training, seed=3)
        phase1_trainer([head], corpus["train"], corpus["dev"], tiny_encoder, CLASSES, order_seed=3).fit()
    still = replace(TRAINING, epochs=1, learning_rate=0.0, encoder_learning_rate=0.0)
    weights = phase2(
        corpus,
        tiny_encoder,
        tmp_path / "joint",
        training=still,
        emotion_head=tmp_path / "emotion",
        enhancement_head=tmp_path / "enhancement",
    )
    for task in ("emotion", "enhancement"):
        head = {
            name: value for name, value in load_file(tmp_path / task / "model.safetensors").items() if "_head" in name
        }
        assert head
        for name, value in head.items():
            torch.testing.assert_close(weights[name], value)


@pytest.mark.parametrize("tasks", [("emotion",), ("enhancement",), ("emotion", "enhancement")])
def test_sum_of_phase_1_is_where_a_single_task_begins(corpus, tiny_encoder, tmp_path, tasks):
    """Two tasks on one sum begin with a new one: each head has learnt another."""
    model, training = replace(MODEL, front_end="weighted_sum"), replace(TRAINING, epochs=1)
    heads = {}
    for task in tasks:
        head = Head(task, tmp_path / task, model, training, seed=3)
        phase1_trainer([head], corpus["train"], corpus["dev"], tiny_encoder, CLASSES, order_seed=3).fit()
        heads[f"{task}_head"] = tmp_path / task
    still = replace(TRAINING, epochs=1, learning_rate=0.0, encoder_learning_rate=0.0)
    weights = phase2(corpus, tiny_encoder, tmp_path / "run", replace(model, tasks=tasks), still, **heads)
    learnt = load_file(tmp_path / tasks[0] / "model.safetensors")
    names = [name for name in learnt if name.startswith("front_end.")]
    assert "front_end.layer_logits" in names and len(names) == 3
    for name in names:
        assert torch.equal(weights[name], learnt[name]) == (len(tasks) == 1)


def test_experts_begin_anew_whatever_phase_1_had_learnt(corpus, tiny_encoder, tmp_path):
    alone = replace(MODEL, tasks=("emotion",))
    head = Head("emotion", tmp_path / "head", replace(MODEL, front_end="weighted_sum"), TRAINING, seed=3)
    phase1_trainer([head], corpus["train"], corpus["dev"], tiny_encoder, CLASSES, order_seed=3).fit()
    still = replace(TRAINING, epochs=1, learning_rate=0.0, encoder_learning_rate=0.0)
    with_head = phase2(corpus, tiny_encoder, tmp_path / "a", alone, still, emotion_head=tmp_path / "head")
    without = phase2(corpus, tiny_encoder, tmp_path / "b", alone, still)
    names = [name for name in without if name.startswith("front_end.")]
    assert_same({name: with_head[name] for name in names}, {name: without[name] for name in names}, 0)


def test_memory_of_the_process_stands_in_the_history(corpus, tiny_encoder, tmp_path):
    phase2(corpus, tiny_encoder, tmp_path)
    with open(tmp_path / "history.csv") as file:
        found = [float(row["memory_gb"]) for row in csv.DictReader(file)]
    assert found == [pytest.approx(psutil.Process().memory_info().rss / 1e9, rel=0.5)] * 2


def test_free_memory_is_given_back_after_every_epoch(corpus, tiny_encoder, tmp_path, monkeypatch):
    rows = []
    monkeypatch.setattr("merit.training.loop.give_back_memory", lambda: rows.append(len(history(tmp_path))))
    phase2(corpus, tiny_encoder, tmp_path)
    assert rows == [1, 2]


def test_another_configuration_is_refused(corpus, tiny_encoder, tmp_path):
    phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, epochs=1))
    with pytest.raises(MeritError, match="num_experts: there 3, now 5"):
        phase2(corpus, tiny_encoder, tmp_path, replace(MODEL, num_experts=5))
    # More epochs are the same run, continued.
    phase2(corpus, tiny_encoder, tmp_path, training=TRAINING)
    assert len(history(tmp_path)) == 2


def test_other_labels_or_other_heads_are_another_run(corpus, tiny_encoder, tmp_path):
    model, training = replace(MODEL, front_end="weighted_sum"), replace(TRAINING, epochs=1, keep="last")
    for name, epochs in (("one", 1), ("two", 2)):
        head = Head("emotion", tmp_path / name, model, replace(training, epochs=epochs), seed=3)
        phase1_trainer([head], corpus["train"], corpus["dev"], tiny_encoder, CLASSES, order_seed=3).fit()
    phase2(corpus, tiny_encoder, tmp_path / "run", training=training, emotion_head=tmp_path / "one")
    (tmp_path / "one/model.safetensors").write_bytes((tmp_path / "two/model.safetensors").read_bytes())
    with pytest.raises(MeritError, match="run.emotion_head"):
        phase2(corpus, tiny_encoder, tmp_path / "run", training=training, emotion_head=tmp_path / "one")


def test_patience_ends_a_run_that_does_not_get_better(corpus, tiny_encoder, tmp_path):
    still = replace(TRAINING, epochs=9, patience=2, learning_rate=0.0, encoder_learning_rate=0.0)
    phase2(corpus, tiny_encoder, tmp_path, training=still)
    assert len(history(tmp_path)) == 3


def test_unknown_label_and_absent_class_are_named(corpus, tiny_encoder, tmp_path):
    directory = tmp_path / "odd"
    directory.mkdir()
    for file in corpus["train"].iterdir():
        (directory / file.name).write_text(file.read_text())
    emotions = read_table(directory / "utt2emo")
    write_table(directory / "utt2emo", {**emotions, "train003": "bored"})
    with pytest.raises(MeritError, match="train003 has the emotion 'bored'"):
        phase2({**corpus, "train": directory}, tiny_encoder, tmp_path / "a")
    write_table(directory / "utt2emo", {key: value.replace("sad", "angry") for key, value in emotions.items()})
    with pytest.raises(MeritError, match="no training utterance of sad"):
        phase2({**corpus, "train": directory}, tiny_encoder, tmp_path / "b")


def test_loss_that_is_not_finite_names_the_utterances(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match=r"the loss is (nan|inf).* train0"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, epochs=9, learning_rate=1e30))


def test_an_epoch_is_not_chosen_by_scores_that_a_clean_dev_set_cannot_give(corpus, tiny_encoder, tmp_path):
    clean = tmp_path / "clean"
    shutil.copytree(corpus["dev"], clean)
    shutil.copy(clean / "spk1.scp", clean / "wav.scp")
    with pytest.raises(MeritError, match="every noisy utterance of the dev set is its clean speech.*select losses"):
        phase2({**corpus, "dev": clean}, tiny_encoder, tmp_path / "scores")
    phase2({**corpus, "dev": clean}, tiny_encoder, tmp_path / "losses", training=replace(TRAINING, select="losses"))
    assert len(history(tmp_path / "losses")) == 2


def test_config_json_holds_the_resolved_configuration(corpus, tiny_encoder, tmp_path):
    phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, epochs=1))
    found = json.loads((tmp_path / "config.json").read_text())
    assert found["description"]["model"]["expert_size"] == 12
    assert found["run"]["training"]["learning_rate"] == 1e-2
    assert found["run"]["seed"] == 3
