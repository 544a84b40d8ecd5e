"""A dump by several processes."""

import os

import pytest
import torch

from merit.data.states.shard_reader import ShardReader
from merit.dumping.dump import dump_states
from merit.errors import MeritError


def read_all(directory):
    reader = ShardReader(directory)
    return {key: reader.read(key).clone() for key in reader.keys}


def test_two_processes_give_what_one_gives(corpus, tmp_path):
    dump_states(**corpus, batch_seconds=0.5)
    dump_states(**corpus | {"output": tmp_path / "two"}, batch_seconds=0.5, nj=2)
    one, two = read_all(corpus["output"]), read_all(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert len(list((tmp_path / "two").glob("states.*"))) == 2
    assert (corpus["output"] / "header.json").read_text() == (tmp_path / "two" / "header.json").read_text()


def test_an_error_in_one_of_two_processes_ends_both_and_one_goes_on(corpus, tmp_path):
    path = tmp_path / "audio" / "u2.flac"
    audio, times = path.read_bytes(), path.stat()

    def rewrite(content):  # unnoticed by the dump's header
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    rewrite(bytes(len(audio)))
    with pytest.raises(MeritError, match="u2: "):
        dump_states(**corpus, batch_seconds=0.01, nj=2)
    assert not (corpus["output"] / "header.json").exists()
    assert not list(corpus["output"].glob(".*"))
    kept = {path: path.read_bytes() for path in corpus["output"].glob("states.*")}
    rewrite(audio)
    dump_states(**corpus, batch_seconds=0.01)
    assert all(path.read_bytes() == content for path, content in kept.items())
    dump_states(**corpus | {"output": tmp_path / "anew"}, batch_seconds=0.01)
    found, anew = read_all(corpus["output"]), read_all(tmp_path / "anew")
    assert found.keys() == anew.keys()
    assert all(torch.equal(found[key], anew[key]) for key in anew)
