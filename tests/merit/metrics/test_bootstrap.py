import numpy as np
import pytest

from merit.metrics import bootstrap
from merit.metrics.bootstrap import Resampled, resampling_weights


def test_weights_count_the_utterances_that_numpy_draws():
    (weights,) = resampling_weights(utterances=5, resamples=7, seed=3)
    drawn = np.random.default_rng(3).integers(5, size=(7, 5))
    assert weights.tolist() == [[float((row == utterance).sum()) for utterance in range(5)] for row in drawn]


@pytest.mark.parametrize("at_once", [1, 130], ids=["row by row", "two rows"])
def test_weights_in_blocks_are_the_same(monkeypatch, at_once):
    (whole,) = resampling_weights(60, 25, seed=0)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", at_once)
    blocks = list(resampling_weights(60, 25, seed=0))
    assert len(blocks) > 1 and (np.concatenate(blocks) == whole).all()


def test_difference_of_each_measure_by_hand():
    better = Resampled(("a", "b"), np.array([3.0, 1.0]), np.array([[3.0, 1.0], [2.0, 2.0], [4.0, 0.0]]))
    other = Resampled(("a", "b"), np.array([1.0, 1.0]), np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]))
    found = better.minus(other)
    assert found["a"].mean == 2 and found["a"].p == 1 / 4  # better in every resample
    assert found["b"].mean == 0 and found["b"].p == 3 / 4  # better in one of three
    assert (found["a"].low, found["a"].high) == pytest.approx((1.05, 2.95))  # 2.5 % of the way from 1 to 2, 2 to 3


def test_of_errors_the_fewer_are_the_better():
    fewer = Resampled(("rate",), np.array([0.1]), np.array([[0.1], [0.2]]), lower_is_better=True)
    more = Resampled(("rate",), np.array([0.4]), np.array([[0.4], [0.4]]), lower_is_better=True)
    assert fewer.minus(more)["rate"].mean == pytest.approx(0.3) and fewer.minus(more)["rate"].p == 1 / 3
    assert more.minus(fewer)["rate"].mean == pytest.approx(-0.3) and more.minus(fewer)["rate"].p == 1
