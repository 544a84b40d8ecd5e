"""Reading the authors' files: every honest spelling of the numbers, and nothing that would run code."""

import os
import pickle
from decimal import Decimal

import numpy as np
import pytest
import torch

from merit.errors import MeritError
from merit.systems.sparse_merit.authors.release import read_state, read_statistics


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "pair", [(1.5e-4, 0.09), (np.float64(1.5e-4), np.float64(0.09)), (np.float32(1.5e-4), np.float64(0.09))]
)
def test_statistics(tmp_path, pair, protocol):
    path = tmp_path / "train_norm_stat.pkl"
    path.write_bytes(pickle.dumps(pair, protocol))
    statistics = read_statistics(path)
    assert statistics.mean == float(pair[0])
    assert statistics.std == float(pair[1]) + 1e-8


def test_statistics_of_numpy_1(tmp_path):
    """Before version 2 numpy named the module without the underscore; protocol 3 has the name as a plain line."""
    pickled = pickle.dumps((np.float64(-2e-4), np.float32(0.125)), 3)
    assert b"numpy._core.multiarray" in pickled
    path = tmp_path / "train_norm_stat.pkl"
    path.write_bytes(pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert read_statistics(path).mean == -2e-4
    assert read_statistics(path).std == 0.125 + 1e-8


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((0.0, 0.1, 0.2), "expected the mean and standard deviation"),
        ([0.0, 0.1], "expected the mean and standard deviation"),
        ({"mean": 0.0}, "expected the mean and standard deviation"),
        (("0.0", "0.1"), "expected the mean and standard deviation"),
        ((0.0, 0.0), "expected the mean and standard deviation"),
        ((0.0, float("nan")), "expected the mean and standard deviation"),
        ((np.float64("inf"), np.float64(1.0)), "expected the mean and standard deviation"),
        ((np.int64(0), np.int64(1)), "a number of type 'i8'"),
        ((Decimal(0), Decimal(1)), "names decimal.Decimal"),
        (np.zeros(2), "names numpy"),
    ],
)
def test_other_pickles_are_refused(tmp_path, value, message):
    path = tmp_path / "train_norm_stat.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(MeritError, match=f"train_norm_stat.pkl.*{message}"):
        read_statistics(path)


@pytest.mark.parametrize("content", [b"", b"\x80", b"version https://git-lfs.github.com/spec/v1", bytes(64)])
def test_damaged_pickles_are_refused(tmp_path, content):
    (tmp_path / "train_norm_stat.pkl").write_bytes(content)
    with pytest.raises(MeritError, match="train_norm_stat.pkl: "):
        read_statistics(tmp_path / "train_norm_stat.pkl")


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(tmp_path, protocol):
    target = tmp_path / "was_here"
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps((0.0, Malicious(target)), protocol))
    with pytest.raises(MeritError, match="it names (posix|nt).mkdir"):
        read_statistics(tmp_path / "bad.pkl")
    torch.save({"model": {"weight": torch.ones(2)}, "optimizer": Malicious(target)}, tmp_path / "bad.pt")
    with pytest.raises(MeritError, match="bad.pt: cannot be read as tensors and plain values alone"):
        read_state(tmp_path / "bad.pt")
    assert not target.exists()
    pickle.loads((tmp_path / "bad.pkl").read_bytes())  # which would have
    assert target.exists()


@pytest.mark.parametrize("content", [{"weight": torch.ones(2)}, {"model": {"a": 1}}, {"model": torch.ones(2)}, [1]])
def test_other_checkpoints_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "final_ser.pt")
    with pytest.raises(MeritError, match="final_ser.pt: expected a state dict under 'model'"):
        read_state(tmp_path / "final_ser.pt")


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "final_ser.pt"
    torch.save({"model": {"weight": torch.ones(1000)}}, path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(MeritError, match="final_ser.pt: cannot be read.*damaged"):
        read_state(path)
