"""What the layouts of published corpora share."""

import pytest

from merit.data.noise.corpora.layout import columns, shortfall, word
from merit.errors import MeritError


def test_too_few_files_are_said_with_the_first_that_are_absent():
    assert shortfall("fold 1", 400, 400, ["a"]) == shortfall("fold 1", 401, 400) == []
    assert shortfall("fold 1", 399, 400) == ["fold 1: 399 files, expected 400"]
    assert shortfall("x", 1, 3, ["b", "c"]) == ["x: 1 files, expected 3; not there: b c"]
    assert shortfall("x", 1, 7, list("bcdefg")) == ["x: 1 files, expected 7; not there: b c d e f ..."]


def test_a_name_becomes_one_word():
    assert word("rain in\tthe  park") == "rain_in_the_park"


def test_columns_are_found_by_name_behind_a_byte_order_mark(tmp_path):
    table = tmp_path / "meta.csv"
    table.write_bytes('\ufeffname,labels,split\n1,"a,b",train\n2,c\n'.encode())
    assert list(columns(table, "split", "name")) == [("train", "1"), ("", "2")]
    with pytest.raises(MeritError, match=r"meta.csv:1: no column fold and no column x; restore the file"):
        list(columns(table, "x", "name", "fold"))
