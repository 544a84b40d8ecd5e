"""Times by the number of experts: as many experts as asked for, one of them active."""

from small_smoe import TINY

from merit.csv_table import read_csv
from merit.systems.smoe.decoding_speed import COLUMNS, decoding_times, measure_decoding


def test_more_experts_have_more_parameters_and_as_many_active_ones():
    one, four = decoding_times(TINY, [1, 4], 20, repeats=2, seconds=0.5)
    assert (one["experts"], four["experts"]) == (1, 4)
    assert one["parameters"] < four["parameters"] and one["active"] == four["active"] == one["parameters"]
    assert 0 < one["lowest"] <= one["milliseconds"] <= one["highest"]


def test_the_table_has_a_row_for_each_number(vocabulary, tmp_path):
    measure_decoding(tmp_path / "speed.csv", vocabulary.path, TINY, experts=(1, 2), repeats=1)
    assert [row["experts"] for _, row in read_csv(tmp_path / "speed.csv", COLUMNS, "")] == ["1", "2"]
