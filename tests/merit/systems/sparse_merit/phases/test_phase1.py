"""Phase 1 with dumped states, with dumped features and with states computed online is the same training."""

import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file
from tiny_training import assert_same, history, killed_after

from merit.data.datadir import read_table, write_table
from merit.data.statistics import waveform_statistics
from merit.dumping.dump import dump_states
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.phases.phase1 import Dump, Head, phase1_trainer
from merit.systems.sparse_merit.training_options import MeritTraining

CLASSES = ["angry", "happy", "neutral", "sad"]
MODEL = ModelConfig(front_end="weighted_sum", emotion_size=8, enhancement_size=8)
TRAINING = MeritTraining(epochs=2, batch_size=4, micro_batch_size=2, learning_rate=1e-2, precision="float32", workers=0)


@pytest.fixture(scope="module")
def dumps(corpus, tiny_encoder, tmp_path_factory):
    """Function from a content to its dump of both directories."""
    root = tmp_path_factory.mktemp("dumps")
    waveform_statistics(corpus["train"])
    statistics = corpus["train"] / "waveform_stats.json"
    for content in ("states", "features"):
        for name, directory in corpus.items():
            output = root / content / name
            dump_states(directory, tiny_encoder, output, statistics, "bfloat16", 4.0, "float32", content=content)
    return lambda content: Dump(root / content / "train", root / content / "dev")


def train(corpus, encoder, output, task="emotion", training=TRAINING, dump=None):
    head = Head(task, output, MODEL, training, seed=3)
    phase1_trainer([head], corpus["train"], corpus["dev"], encoder, CLASSES, order_seed=3, dump=dump).fit()
    return load_file(output / "model.safetensors")


@pytest.mark.parametrize("task, crop_seconds", [("emotion", None), ("enhancement", 0.2)])
def test_dumped_and_online_states_give_the_same_losses(corpus, tiny_encoder, dumps, tmp_path, task, crop_seconds):
    training = replace(TRAINING, crop_seconds=crop_seconds)
    for name, dump in (("dump", dumps("states")), ("online", None)):
        train(corpus, tiny_encoder, tmp_path / name, task, training, dump)
    for dumped, online in zip(history(tmp_path / "dump"), history(tmp_path / "online"), strict=True):
        dumped.pop("dev_f1_macro", None), online.pop("dev_f1_macro", None)
        assert dumped == pytest.approx(online, rel=1e-3)


@pytest.mark.parametrize("task, crop_seconds", [("emotion", None), ("enhancement", 0.2)])
def test_features_are_where_the_encoder_goes_on(corpus, tiny_encoder, dumps, tmp_path, monkeypatch, task, crop_seconds):
    """The only difference to states computed from the waveform is the 16-bit rounding of the features."""
    training = replace(TRAINING, crop_seconds=crop_seconds)
    found = train(corpus, tiny_encoder, tmp_path / "dump", task, training, dumps("features"))
    features = SpeechEncoder.features

    def rounded(self, waveform, lengths):
        values, frame_lengths = features(self, waveform, lengths)
        return values.bfloat16().float(), frame_lengths

    monkeypatch.setattr(SpeechEncoder, "features", rounded)
    assert_same(found, train(corpus, tiny_encoder, tmp_path / "online", task, training), 1e-6)


def test_the_noisy_speech_is_read_for_enhancement_alone(corpus, tiny_encoder, dumps, tmp_path, monkeypatch):
    read = []
    waveform = UtteranceDataset._waveform
    monkeypatch.setattr(
        UtteranceDataset, "_waveform", lambda self, table, key: read.append(key) or waveform(self, table, key)
    )
    train(corpus, tiny_encoder, tmp_path / "emotion", "emotion", replace(TRAINING, epochs=1), dumps("features"))
    assert not read
    train(corpus, tiny_encoder, tmp_path / "enhancement", "enhancement", replace(TRAINING, epochs=1), dumps("features"))
    assert len(read) == 2 * (12 + 5)  # noisy and clean


def test_states_of_another_normalisation_are_refused(corpus, tiny_encoder, dumps, tmp_path):
    swapped = {"train": corpus["dev"], "dev": corpus["train"]}
    with pytest.raises(MeritError, match="mean is"):
        train(swapped, tiny_encoder, tmp_path, dump=dumps("states"))


@pytest.mark.parametrize("stale", ["train", "dev"])
def test_states_of_audio_that_has_changed_are_refused(corpus, tiny_encoder, dumps, tmp_path, stale):
    dumped = dumps("states")
    mixed_again = tmp_path / "mixed_again"
    shutil.copytree(corpus[stale], mixed_again)
    table = read_table(mixed_again / "wav.scp")
    audio = tmp_path / "again.flac"
    key = min(table)
    shutil.copyfile(table[key], audio)
    write_table(mixed_again / "wav.scp", table | {key: str(audio)})
    changed = {**corpus, stale: mixed_again}
    with pytest.raises(MeritError, match=f"dumps.*/{stale}: this dump, .*audio is not that of wav.scp any more"):
        train(changed, tiny_encoder, tmp_path / "run", dump=dumped)


def test_states_of_one_and_features_of_the_other_are_refused(corpus, tiny_encoder, dumps, tmp_path):
    with pytest.raises(MeritError, match="content is states there and features here"):
        train(corpus, tiny_encoder, tmp_path, dump=Dump(dumps("features").train, dumps("states").dev))


def test_an_utterance_that_was_not_dumped_is_named(corpus, tiny_encoder, dumps, tmp_path):
    features = dumps("features")
    message = "12 utterances have no dumped features, train000 is the first; delete .*/dev/header.json, and run"
    with pytest.raises(MeritError, match=message):
        train(corpus, tiny_encoder, tmp_path, dump=Dump(features.dev, features.dev))


def test_dumps_come_in_pairs(tmp_path):
    with pytest.raises(MeritError, match="train_dump and dev_dump: give both"):
        Dump.given(tmp_path, None)
    assert Dump.given(None, None) is None


@pytest.fixture(scope="module")
def dev_dumps(online_corpus, tiny_encoder, tmp_path_factory):
    """Function from a content to a dump of the dev set alone, in the normalisation of training that is mixed online."""
    root = tmp_path_factory.mktemp("dev_dumps")
    waveform_statistics(online_corpus["train"])
    statistics = online_corpus["train"] / "waveform_stats.json"
    for content in ("states", "features"):
        dump_states(
            online_corpus["dev"], tiny_encoder, root / content, statistics, "bfloat16", 4.0, "float32", content=content
        )
    return lambda content: Dump(None, root / content)


@pytest.mark.parametrize("task, crop_seconds", [("emotion", None), ("enhancement", 0.2)])
def test_where_training_is_mixed_online_dev_may_be_dumped(
    online_corpus, tiny_encoder, dev_dumps, tmp_path, task, crop_seconds
):
    training = replace(TRAINING, crop_seconds=crop_seconds)
    dumped = train(online_corpus, tiny_encoder, tmp_path / "dev", task, training, dev_dumps("features"))
    computed = train(online_corpus, tiny_encoder, tmp_path / "online", task, training)
    assert_same(dumped, computed, 0 if task == "emotion" else 1e-6)  # the same training; the epoch is chosen by dev
    for one, other in zip(history(tmp_path / "dev"), history(tmp_path / "online"), strict=True):
        assert one[f"train_{task}"] == other[f"train_{task}"]
        assert one[f"dev_{task}"] == pytest.approx(other[f"dev_{task}"], rel=1e-2)


def test_dumps_that_do_not_go_with_mixing_online_are_refused(
    corpus, online_corpus, tiny_encoder, dumps, dev_dumps, tmp_path
):
    with pytest.raises(MeritError, match="train_online: mixed anew in every epoch, so it has no dump"):
        train(online_corpus, tiny_encoder, tmp_path, dump=dumps("features"))
    with pytest.raises(
        MeritError, match="states: states, while those of .*train_online are computed; give a dump of fea"
    ):
        train(online_corpus, tiny_encoder, tmp_path, dump=dev_dumps("states"))
    with pytest.raises(MeritError, match="train_dump and dev_dump: give both"):
        train(corpus, tiny_encoder, tmp_path, dump=dev_dumps("features"))
    assert not (tmp_path / "config.json").exists()


def heads(output):
    """One of each task and seed 3; the enhancement hears crops."""
    return [
        Head("emotion", output / "emotion", MODEL, TRAINING, seed=3),
        Head("enhancement", output / "enhancement", MODEL, replace(TRAINING, crop_seconds=0.2), seed=3),
    ]


def test_killed_heads_on_mixtures_of_each_epoch_end_as_uninterrupted_ones(online_corpus, tiny_encoder, tmp_path):
    directories = (online_corpus["train"], online_corpus["dev"], tiny_encoder, CLASSES)
    phase1_trainer(heads(tmp_path / "whole"), *directories, order_seed=3).fit()
    call = f"""
from merit.systems.sparse_merit.phases.phase1 import Head, phase1_trainer
MODEL, TRAINING = {MODEL!r}, {TRAINING!r}
heads = [Head("emotion", output / "emotion", MODEL, replace(TRAINING, checkpoint_minutes=0.0), seed=3)]
crops = replace(TRAINING, crop_seconds=0.2, checkpoint_minutes=0.0)
heads += [Head("enhancement", output / "enhancement", MODEL, crops, seed=3)]
phase1_trainer(heads, train, dev, encoder, CLASSES, order_seed=3).fit()
"""
    call = "from merit.systems.sparse_merit.model_config import ModelConfig\n" + call
    call = "from merit.systems.sparse_merit.training_options import MeritTraining\n" + call
    killed_after(9, call, tmp_path / "killed", online_corpus, tiny_encoder)  # in the second epoch, three steps each
    assert len(history(tmp_path / "killed/emotion")) == 1
    phase1_trainer(heads(tmp_path / "killed"), *directories, order_seed=3).fit()
    for task in ("emotion", "enhancement"):
        weights = [load_file(tmp_path / name / task / "model.safetensors") for name in ("killed", "whole")]
        assert_same(*weights, 0)
        assert history(tmp_path / "killed" / task) == history(tmp_path / "whole" / task)
