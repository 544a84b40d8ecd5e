"""One shard: where it lies, what it says of itself, and its checksums."""

import json

import pytest
import torch
import xxhash
from made_dump import HEADER

from merit.data.states.shard import Shard, blocks, checksums, differences, shard_path
from merit.errors import MeritError


@pytest.mark.parametrize(
    "frames, lengths", [(1, [1]), (32, [32]), (33, [32, 1]), (96, [32, 32, 32]), (97, [32] * 3 + [1])]
)
def test_every_32_frames_have_a_checksum_of_their_bytes(frames, lengths):
    values = torch.randn(frames, 3, 4).bfloat16()
    content = values.view(torch.int16).numpy().tobytes()  # 24 bytes a frame
    expected, start = [], 0
    for length in lengths:
        expected.append(xxhash.xxh3_64(content[24 * start : 24 * (start + length)]).hexdigest())
        start += length
    assert checksums(values) == expected
    assert blocks(frames) == len(lengths)


def test_a_shard_says_what_it_holds(dump):
    path, states = dump
    found = {}
    for file in path.glob("states.*"):
        shard = Shard(file)
        assert shard.header == HEADER
        found |= {key: (shard.frames(key), shard.read(key, 1, 3)) for key in shard.checksums}
    assert found.keys() == states.keys()
    for key, (frames, some) in found.items():
        assert frames == len(states[key]) and torch.equal(some, states[key][1:3])


def test_the_number_of_a_shard_has_five_digits(tmp_path):
    assert shard_path(tmp_path, 7) == tmp_path / "states.00007.safetensors"


def test_a_block_is_compared_with_its_own_checksum(dump):
    path, states = dump
    shard = Shard(path / "states.00000.safetensors")
    key = next(iter(shard.checksums))
    shard.check(key, 0, 1)
    shard.checksums[key] = checksums(states[key] + 1)
    with pytest.raises(MeritError, match=f"utterance {key} is not what was written; delete .*00000.safetensors and"):
        shard.check(key, 0, 1)


def test_an_utterance_that_is_not_there_is_named(dump):
    path, _ = dump
    with pytest.raises(MeritError, match="utterance nobody cannot be read"):
        Shard(path / "states.00000.safetensors").frames("nobody")


def test_headers_are_compared_entry_by_entry():
    found = json.loads(json.dumps(HEADER))
    assert differences(found, {"mean": 0.1, "content": "states"}) == ""
    assert differences(found, {"mean": 0.2, "std": 1 / 3, "dtype": "float16"}) == (
        "mean is 0.1 there and 0.2 here; dtype is None there and float16 here"
    )
    assert differences(found, {"audio": "x"}) == "its audio is not that of wav.scp any more"
