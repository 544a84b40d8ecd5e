"""Tables of predictions."""

import math

import numpy as np
import pytest

from merit.errors import MeritError
from merit.metrics.quality.prediction_table import read_predictions

HEADER = "wav_path,system_id,sample_id,avg_score,answer"


def write(path, *lines, header=HEADER):
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_folds_are_one_test_and_gates_come_in_the_order_of_the_experts(tmp_path):
    gates = ",".join(f"gate_{number}" for number in (10, 2, 1))
    first = write(tmp_path / "1.csv", "a.wav,s,u,4.5,4,0.7,0.2,0.1", header=f"{HEADER},{gates}")
    second = write(tmp_path / "2.csv", "b.wav,t,u,,2,0.1,0.2,0.7", header=f"{HEADER},{gates}")
    found = read_predictions([first, second])
    assert found.clips == ("s-u", "t-u") and found.systems == ("s", "t")
    assert found.truth[0] == 4.5 and math.isnan(found.truth[1])
    np.testing.assert_array_equal(found.answers, [4, 2])
    np.testing.assert_array_equal(found.gates, [[0.1, 0.2, 0.7], [0.7, 0.2, 0.1]])
    assert read_predictions([write(tmp_path / "3.csv", "a.wav,s,u,4.5,4")]).gates.shape == (1, 0)


@pytest.mark.parametrize(
    "lines, message",
    [
        (["a.wav,s,u,4,"], "csv:2: answer of u is ''; expected a number"),
        (["a.wav,s,u,4,nan"], "answer of u is 'nan'"),
        (["a.wav,s,u,x,3"], "avg_score of u is 'x'"),
        (["a.wav,s,u,4,3", "a.wav,s,u,4,3"], "clip s-u comes twice"),
        ([], "no clip in it"),
    ],
)
def test_what_cannot_be_scored_is_named(tmp_path, lines, message):
    with pytest.raises(MeritError, match=message):
        read_predictions([write(tmp_path / "p.csv", *lines)])


def test_a_missing_table_or_column_is_named(tmp_path):
    with pytest.raises(MeritError, match="none.csv: the file is missing; predict first"):
        read_predictions([tmp_path / "none.csv"])
    with pytest.raises(MeritError, match="p.csv:1: no column answer"):
        read_predictions([write(tmp_path / "p.csv", "a,s,u,3", header=HEADER.removesuffix(",answer"))])
