"""Dumps: what is written is read, or refused by name."""

import json
import pickle
import re
import shutil
from pathlib import Path

import damages
import pytest
import torch
from made_dump import HEADER, utterances

from merit.data.states import shard, shard_reader
from merit.data.states.shard_reader import ShardReader
from merit.data.states.shard_writer import ShardWriter
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
    monkeypatch.setattr(shard_reader, "OPEN_SHARDS", 2)
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


def test_other_audio_is_refused_in_words(dump):
    path, _ = dump
    with pytest.raises(MeritError, match="its audio is not that of wav.scp any more.*Delete the directory") as error:
        ShardReader(path, {"fingerprint": "abc", "audio": "0123"})
    assert "0123" not in str(error.value)


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


def read_everything(directory, states):
    reader = ShardReader(directory, {"fingerprint": "abc"})
    for key, value in states.items():
        assert reader.frames(key) == len(reader.read(key))
        assert torch.equal(reader.read(key), value)


@pytest.mark.parametrize(
    "damage, where, what",
    [
        (damages.flip_a_bit, "states.00001.safetensors", r"damaged: utterance u0\d is not what was written"),
        (damages.overwrite_values, "states.00001.safetensors", r"damaged: utterance u0\d is not what was written"),
        (damages.overwrite_the_beginning, "states.00001.safetensors", "missing or damaged"),
        (damages.cut_short, "states.00001.safetensors", "missing or damaged"),
        (damages.delete_shard, "states.00001.safetensors", "missing or damaged"),
        (damages.add_frames, "index.tsv", r"\d+ frames of utterance u00, and states.0000\d.safetensors has 5"),
        (damages.take_frames, "index.tsv", r"\d+ frames of utterance u00, and states.0000\d.safetensors has 5"),
        (damages.name_other_shards, "index.tsv", r"utterance u0\d is not in states.00002.safetensors"),
        (damages.name_a_shard_that_never_was, "states.00077.safetensors", "missing"),
        (damages.garble_index, "index.tsv", "line 2: expected 'utterance<TAB>shard<TAB>frames', not 'no such line'"),
        (damages.garble_index_bytes, "index.tsv", "damaged"),
        (damages.repeat_a_line, "index.tsv", "line 11: utterance u09 was there before"),
        (damages.delete_index, "index.tsv", "missing"),
        (damages.shorten_index, "index.tsv", "utterance u09 was not dumped"),
        (damages.garble_header, "header.json", "damaged"),
        (damages.header_of_another_kind, "header.json", "damaged"),
        (damages.forget_checksums, "", "a dump of an earlier version, without checksums"),
    ],
)
def test_damage_is_mended_by_doing_what_the_message_says(dump, damage, where, what):
    path, states = dump
    damage(path)
    message = ""
    for _ in states:  # every shard that is damaged has a message of its own
        try:
            read_everything(path, states)
            break
        except MeritError as error:
            message = str(error)
        assert "\n" not in message
        assert re.search(f"^{path}/{where}.*: {what}", message), message
        to_delete = re.search(r"[Dd]elete (\S+?)(?: and (\S+?))?, and run the dump again \(stage 3\)", message)
        for name in filter(None, to_delete.groups()):
            if Path(name).is_dir():
                shutil.rmtree(name)
            else:
                Path(name).unlink(missing_ok=True)
        assert not (path / "header.json").exists()  # or stage 3 would find nothing to do
        with ShardWriter(path, HEADER, shard_bytes=500) as writer:
            for key in states.keys() - writer.frames.keys():
                writer.write(key, states[key])
    else:
        pytest.fail("the message did not help")
    assert message


def frames_compared(monkeypatch):
    """A list that grows by the frames of whatever is compared with its checksums."""
    compared = []
    checksums = shard.checksums
    monkeypatch.setattr(shard, "checksums", lambda values: compared.append(len(values)) or checksums(values))
    return compared


def test_damage_is_found_by_whoever_reads_a_few_frames_and_checked_once(dump, monkeypatch):
    path, states = dump
    damages.flip_a_bit(path)
    reader = ShardReader(path)
    damaged = [key for key in states if reader.shard_of(key) == 1]
    with pytest.raises(MeritError, match="is not what was written"):
        for key in damaged:
            reader.read(key, 0, 1)
    sound = next(key for key in states if reader.shard_of(key) == 0)
    checked = frames_compared(monkeypatch)
    for _ in range(3):
        reader.read(sound, 0, 2)
    assert checked == [len(states[sound])]


def test_a_crop_is_compared_without_the_rest_of_its_utterance(tmp_path, monkeypatch):
    states = {key: torch.randn(length, 3, 4).bfloat16() for key, length in (("u0", 70), ("u1", 64), ("u2", 33))}
    with ShardWriter(tmp_path, HEADER) as writer:
        for key, value in states.items():
            writer.write(key, value)
    reader = ShardReader(tmp_path)
    checked = frames_compared(monkeypatch)
    compared = {
        ("u1", 32, 64): [32],
        ("u0", 31, 33): [64],
        ("u0", 40, 60): [],
        ("u0", 40, 70): [38],  # a block again, for that after it
        ("u2", 32, 33): [1],
        ("u2", 0, 33): [33],
        ("u1", 0, 64): [64],
        ("u0", 0, None): [],
    }
    for (key, start, stop), frames in compared.items():
        assert torch.equal(reader.read(key, start, stop), states[key][start:stop])
        assert checked == frames
        checked.clear()


def test_damage_outside_a_crop_waits_for_who_reads_it(tmp_path):
    value = torch.randn(100, 3, 4).bfloat16()
    with ShardWriter(tmp_path, HEADER) as writer:
        writer.write("u0", value)
    shard = tmp_path / "states.00000.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1  # the last frame
    shard.write_bytes(content)
    reader = ShardReader(tmp_path)
    assert torch.equal(reader.read("u0", 10, 96), value[10:96])
    with pytest.raises(MeritError, match="utterance u0 is not what was written"):
        reader.read("u0", 95, 97)


def read_in_worker(reader, keys):
    for key in keys:
        reader.read(key)


@pytest.mark.parametrize("start", ["fork", "spawn"])  # as the loader's workers start on Linux, and elsewhere
def test_what_one_process_has_checked_no_other_checks_again(dump, monkeypatch, start):
    path, states = dump
    reader = ShardReader(path)
    context = torch.multiprocessing.get_context(start)
    worker = context.Process(target=read_in_worker, args=(reader, sorted(states)[:7]))
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    checked = frames_compared(monkeypatch)
    for key in states:
        reader.read(key)
    assert checked == [len(states[key]) for key in sorted(states)[7:]]


def test_header_is_plain_json(dump):
    assert json.loads((dump[0] / "header.json").read_text()) == HEADER
