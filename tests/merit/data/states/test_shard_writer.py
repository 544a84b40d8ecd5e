"""Writing shards: beside the computation, by several at a time, kept when it is interrupted."""

import shutil
import threading
from collections import namedtuple

import pytest
import torch
from made_dump import HEADER, utterances

from merit.data import tensors as tensor_files
from merit.data.states import shard_writer
from merit.data.states.shard_reader import ShardReader
from merit.data.states.shard_writer import ShardStream, ShardWriter
from merit.errors import MeritError


def full_disk(tensors, path, metadata):
    path.write_bytes(b"as much as there was room for")
    raise tensor_files.SafetensorError("I/O error: No space left on device (os error 28)")


def test_dump_that_was_killed_goes_on_and_keeps_its_shards(tmp_path):
    states = utterances(10)
    writer = ShardWriter(tmp_path, HEADER)
    for key in list(states)[:4]:
        writer.write(key, states[key])
        writer.flush()
    for key in list(states)[4:6]:
        writer.write(key, states[key])
    written = dict(writer.frames)  # the process ends here: what was not flushed is lost, nothing is completed
    assert len(written) == 4
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / ".states.00009.123.tmp.safetensors").write_bytes(b"half a shard")
    with pytest.raises(MeritError, match="no complete dump"):
        ShardReader(tmp_path)
    with ShardWriter(tmp_path, HEADER, shard_bytes=500) as resumed:
        assert resumed.frames == written
        for key in states.keys() - written.keys():
            resumed.write(key, states[key])
    assert all(path.read_bytes() == content for path, content in before.items())
    assert not list(tmp_path.glob(".*"))
    reader = ShardReader(tmp_path)
    assert all(torch.equal(reader.read(key), value) for key, value in states.items())


def test_interrupt_keeps_what_was_collected(tmp_path):
    with pytest.raises(KeyboardInterrupt), ShardWriter(tmp_path, HEADER) as writer:
        writer.write("u00", torch.zeros(5, 3, 4, dtype=torch.bfloat16))
        raise KeyboardInterrupt
    assert ShardWriter(tmp_path, HEADER).frames == {"u00": 5}
    assert not (tmp_path / "header.json").exists()


def test_deleted_shard_is_made_again(dump):
    path, states = dump
    lost = {key for key in states if ShardReader(path).shard_of(key) == 1}
    (path / "states.00001.safetensors").unlink()
    with pytest.raises(MeritError, match="states.00001.*missing or damaged"):
        ShardReader(path).read(min(lost))
    with ShardWriter(path, HEADER) as writer:
        assert states.keys() - writer.frames.keys() == lost
        for key in lost:
            writer.write(key, states[key])
        writer.flush()
        with pytest.raises(MeritError, match="no complete dump"):
            ShardReader(path)
    reader = ShardReader(path)
    assert all(torch.equal(reader.read(key), value) for key, value in states.items())


def test_full_disk_leaves_the_earlier_shards(tmp_path, monkeypatch):
    states = utterances(4)
    writer = ShardWriter(tmp_path, HEADER)
    writer.write("u00", states["u00"])
    writer.flush()
    monkeypatch.setattr(tensor_files, "save_file", full_disk)
    writer.write("u01", states["u01"])
    with pytest.raises(MeritError, match="disk is full"):
        writer.flush()
    assert [path.name for path in tmp_path.iterdir()] == ["states.00000.safetensors"]
    assert ShardWriter(tmp_path, HEADER).frames == {"u00": 5}


def test_shards_are_readable_by_whom_the_umask_lets(dump):
    path, _ = dump
    assert (path / "states.00000.safetensors").stat().st_mode == (path / "index.tsv").stat().st_mode


def test_one_shard_is_written_while_the_next_is_collected(tmp_path, monkeypatch):
    states = utterances(4)
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments):
        begun.set()
        assert go_on.wait(60)
        tensor_files.save_tensors(*arguments)

    monkeypatch.setattr(shard_writer, "save_tensors", slow)
    with ShardWriter(tmp_path, HEADER, shard_bytes=1) as writer:
        writer.write("u00", states["u00"])
        assert begun.wait(60) and not list(tmp_path.glob("states.*"))  # and yet write has returned
        waits = threading.Thread(target=writer.write, args=("u01", states["u01"]))
        waits.start()
        waits.join(0.1)
        assert waits.is_alive()  # the second shard is full; a third is not begun before the first is written
        go_on.set()
        waits.join()
        for key in ("u02", "u03"):
            writer.write(key, states[key])
    reader = ShardReader(tmp_path)
    assert all(torch.equal(reader.read(key), value) for key, value in states.items())
    assert [reader.shard_of(key) for key in states] == [0, 1, 2, 3]


def test_a_shard_that_cannot_be_written_ends_the_dump_which_goes_on_later(tmp_path, monkeypatch):
    states = utterances(6)
    written = []

    def full_at_third(tensors, path, metadata):
        if len(written) == 2:
            full_disk(tensors, path, metadata)
        written.extend(tensors)
        save(tensors, path, metadata)

    save = tensor_files.save_file
    monkeypatch.setattr(tensor_files, "save_file", full_at_third)
    with pytest.raises(MeritError, match="the disk is full; free some space"):
        with ShardWriter(tmp_path, HEADER, shard_bytes=1) as writer:
            for key, value in states.items():
                writer.write(key, value)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"states.0000{i}.safetensors" for i in range(2)]
    monkeypatch.setattr(tensor_files, "save_file", save)
    with ShardWriter(tmp_path, HEADER) as writer:
        assert list(sorted(writer.frames)) == written == ["u00", "u01"]
        for key in states.keys() - writer.frames.keys():
            writer.write(key, states[key])
    reader = ShardReader(tmp_path)
    assert all(torch.equal(reader.read(key), value) for key, value in states.items())


def test_a_disk_that_others_fill_ends_the_dump_before_the_shard_that_has_no_room(tmp_path, monkeypatch):
    states = utterances(6)
    shards = {key: value.nbytes for key, value in states.items()}
    usage = namedtuple("usage", "total used free")

    def free(path):
        assert path == tmp_path
        written = len(list(tmp_path.glob("states.*")))
        return usage(0, 0, max(shards.values()) if written < 2 else shards["u02"] - 1)

    monkeypatch.setattr(shutil, "disk_usage", free)
    message = f"^{tmp_path}: 0.000 GB are needed and 0.000 GB are free. Free some space, choose another disk, or train"
    with pytest.raises(MeritError, match=message):
        with ShardWriter(tmp_path, HEADER, shard_bytes=1) as writer:
            for key, value in states.items():
                writer.write(key, value)
                writer.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"states.0000{i}.safetensors" for i in range(2)]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, 10**9))
    with ShardWriter(tmp_path, HEADER) as writer:
        assert sorted(writer.frames) == ["u00", "u01"]


def test_several_streams_write_side_by_side_and_go_on_with_another_number(tmp_path):
    states = utterances(10)
    keys = list(states)
    with ShardWriter(tmp_path, HEADER) as writer:
        writer.write("u00", states["u00"])
    writer = ShardWriter(tmp_path, HEADER)
    writer.reopen()
    for process, share in ((0, keys[1:4]), (1, keys[4:6])):
        with ShardStream(tmp_path, HEADER, writer.numbers(process, 2), shard_bytes=1) as stream:
            for key in share:
                stream.write(key, states[key])
    with pytest.raises(MeritError, match="no complete dump"):
        ShardReader(tmp_path)
    with ShardWriter(tmp_path, HEADER) as resumed:
        assert sorted(resumed.frames) == keys[:6]
        numbers = [resumed.numbers(process, 3) for process in range(3)]
        for process in range(3):
            with ShardStream(tmp_path, HEADER, numbers[process], shard_bytes=1) as stream:
                for key in keys[6 + process :: 3]:
                    stream.write(key, states[key])
    reader = ShardReader(tmp_path)
    assert all(torch.equal(reader.read(key), value) for key, value in states.items())
