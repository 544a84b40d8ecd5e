import pytest
from made_dump import HEADER, utterances

from merit.data.states.shard_writer import ShardWriter


@pytest.fixture
def dump(tmp_path):
    """A complete dump of ten utterances in several shards, and what was written."""
    states = utterances(10)
    with ShardWriter(tmp_path, HEADER, shard_bytes=500) as writer:
        for key, value in reversed(states.items()):
            writer.write(key, value)
    return tmp_path, states
