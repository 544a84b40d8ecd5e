"""Results of pieces joined to that of the whole signal."""

import numpy as np
import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.result import Piece, Result, check_finite, join_pieces, mean_emotion


def piece(start, stop, happy, first):
    samples = np.arange(first, first + stop - start, dtype=np.float32)
    routing = {"emotion": np.full((2, 3), first)}
    return Piece(start, stop, Result(samples, {"happy": happy, "sad": 1 - happy}, routing))


def test_pieces_are_joined_in_order_and_emotions_weigh_by_length():
    joined = join_pieces([piece(0, 30, 0.9, 0), piece(20, 30, 0.1, 100)])
    assert joined.enhanced.tolist() == [*range(30), *range(100, 110)]
    assert joined.emotion == pytest.approx({"happy": (0.9 * 30 + 0.1 * 10) / 40, "sad": (0.1 * 30 + 0.9 * 10) / 40})
    assert joined.routing["emotion"].tolist() == [[0] * 3] * 2 + [[100] * 3] * 2
    assert mean_emotion([piece(5, 9, 0.3, 0)]) == pytest.approx({"happy": 0.3, "sad": 0.7})


def test_parts_that_a_model_does_not_give_are_left_out():
    joined = join_pieces([Piece(0, 4, Result(None, None, {})), Piece(2, 6, Result(None, None, {}))])
    assert joined.enhanced is None and joined.emotion is None and joined.routing == {}
    check_finite(joined, np.zeros(6), "a.wav")


@pytest.mark.parametrize("part", ["the clean speech", "the emotion", "the routing of emotion"])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_what_is_not_finite_is_named(part, value):
    result = piece(0, 4, 0.5, 0).result
    result.routing = {"emotion": np.ones((2, 3))}
    check_finite(result, np.zeros(4), "a.wav")
    if part == "the clean speech":
        result.enhanced[2] = value
    elif part == "the emotion":
        result.emotion["sad"] = value
    else:
        result.routing["emotion"][1, 0] = value
    with pytest.raises(MeritError, match=f"^a.wav: .* NaN or infinity in {part}. The largest sample is 7,"):
        check_finite(result, np.array([0.5, -7.0]), "a.wav")
