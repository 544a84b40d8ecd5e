"""State shards: what is written is read, or refused by name."""

import json
import pickle
import shutil
from collections import namedtuple

import pytest
import torch
from made_dump import HEADER, utterances

from merit.data import state_shards
from merit.data.shard_writer import ShardWriter
from merit.data.state_shards import ShardReader, audio_digest, require_disk_space
from merit.errors import MeritError


@pytest.mark.parametrize("content", ["states", "features"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_what_is_read_is_what_was_written(tmp_path, dtype, content):
    states = utterances(6, dtype)
    if content == "features":
        states = {key: value.flatten(1) for key, value in states.items()}
    with ShardWriter(tmp_path, HEADER | {"content": content}, shard_bytes=300) as writer:
        for key, value in states.items():
            writer.write(key, value)
    reader = ShardReader(tmp_path)
    assert reader.keys == sorted(states)
    assert len({reader.shard_of(key) for key in reader.keys}) > 2
    for key, value in states.items():
        assert reader.frames(key) == len(value)
        assert reader.read(key).dtype == dtype
        assert torch.equal(reader.read(key), value)
        assert torch.equal(reader.read(key, 2, 4), value[2:4])
        assert torch.equal(reader.read(key, 3), value[3:])


def test_few_shards_stay_open(dump, monkeypatch):
    monkeypatch.setattr(state_shards, "OPEN_SHARDS", 2)
    path, states = dump
    reader = ShardReader(path)
    for key in [*states, *states]:
        assert torch.equal(reader.read(key), states[key])
        assert len(reader._open) <= 2


def test_reader_goes_to_another_process(dump):
    path, states = dump
    reader = ShardReader(path)
    reader.read("u03")
    assert torch.equal(pickle.loads(pickle.dumps(reader)).read("u03"), states["u03"])


def test_other_states_are_refused_by_name(dump):
    path, _ = dump
    ShardReader(path, {"fingerprint": "abc", "std": 1 / 3})
    with pytest.raises(MeritError, match="of encoder wavlm.*: fingerprint is abc there and xyz here; mean is 0.1"):
        ShardReader(path, {"fingerprint": "xyz", "mean": 0.2, "std": 1 / 3})
    with pytest.raises(MeritError, match="fingerprint is abc there and xyz here.*Delete the directory"):
        ShardWriter(path, HEADER | {"fingerprint": "xyz"})
    ShardWriter(path, HEADER | {"encoder": "another path to the same encoder"})


def test_states_and_features_are_not_taken_for_each_other(dump, tmp_path):
    path, _ = dump  # its header does not say what it holds, as those of earlier versions
    ShardReader(path, {"content": "states"})
    ShardWriter(path, HEADER | {"content": "states"})
    with pytest.raises(MeritError, match="content is states there and features here"):
        ShardReader(path, {"content": "features"})
    with pytest.raises(MeritError, match="content is states there and features here"):
        ShardWriter(path, HEADER | {"content": "features"})
    with ShardWriter(tmp_path / "features", {"content": "features", "feature_size": 4}) as writer:
        writer.write("u00", torch.zeros(5, 4, dtype=torch.bfloat16))
    with pytest.raises(MeritError, match="content is features there and states here"):
        ShardReader(tmp_path / "features", {"content": "states"})


def test_damage_and_absence_are_named(dump, tmp_path):
    path, _ = dump
    with pytest.raises(MeritError, match="utterance nobody was not dumped"):
        ShardReader(path).read("nobody")
    shard = path / "states.00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(MeritError, match="states.00000.safetensors: missing or damaged"):
        ShardWriter(path, HEADER)
    with pytest.raises(MeritError, match="header.json is missing"):
        ShardReader(tmp_path / "nowhere")


def test_disk_space_is_compared_before_writing(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 5 * 10**9))
    require_disk_space(tmp_path / "new", 5 * 10**9)
    with pytest.raises(MeritError, match="5.001 GB are needed and 5.000 GB are free"):
        require_disk_space(tmp_path, 5_001_000_000)


def test_audio_digest_sees_other_audio(tmp_path):
    audio = tmp_path / "a.flac"
    audio.write_bytes(b"1")
    digest = audio_digest({"a": str(audio)})
    assert audio_digest({"a": str(audio)}) == digest
    assert audio_digest({"b": str(audio)}) != digest
    audio.write_bytes(b"12")
    assert audio_digest({"a": str(audio)}) != digest
    with pytest.raises(MeritError, match="a: .*none.flac: there is no such file"):
        audio_digest({"a": str(tmp_path / "none.flac")})


def test_header_is_plain_json(dump):
    assert json.loads((dump[0] / "header.json").read_text()) == HEADER
