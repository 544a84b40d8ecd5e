"""Export of dumped states to Kaldi."""

import numpy as np
import pytest
from made_dump import HEADER, utterances

from merit.bin.export_states import export_states
from merit.data.audio import kaldiio
from merit.data.states.shard_writer import ShardWriter
from merit.errors import MeritError


def test_export_gives_kaldi_matrices(tmp_path):
    states = utterances(5)
    with ShardWriter(tmp_path / "states", HEADER, shard_bytes=300) as writer:
        for key, value in states.items():
            writer.write(key, value)
    export_states(tmp_path / "states", tmp_path / "kaldi")
    matrices = kaldiio.load_scp(str(tmp_path / "kaldi" / "states.scp"))
    assert sorted(matrices) == sorted(states)
    for key, value in states.items():
        assert matrices[key].dtype == np.float32
        assert np.array_equal(matrices[key], value.float().numpy().reshape(len(value), 12))


def test_features_are_refused(tmp_path):
    with ShardWriter(tmp_path / "features", {"content": "features", "feature_size": 4}) as writer:
        writer.write("u00", utterances(1)["u00"][:, 0])
    with pytest.raises(MeritError, match="content is features there and states here"):
        export_states(tmp_path / "features", tmp_path / "kaldi")
    assert not (tmp_path / "kaldi").exists()
