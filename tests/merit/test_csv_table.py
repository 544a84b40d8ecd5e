"""CSV tables by the names of their columns."""

import pytest

from merit.csv_table import read_csv
from merit.errors import MeritError


def test_rows_come_with_their_lines_and_without_spaces_around_cells(tmp_path):
    (tmp_path / "t.csv").write_bytes('\ufeffa,b,c\n1, 2 ,"x\ny"\n3\n'.encode())
    found = read_csv(tmp_path / "t.csv", ["b", "a"], "make it")
    assert found == [(3, {"a": "1", "b": "2", "c": "x\ny"}), (4, {"a": "3", "b": "", "c": ""})]


def test_a_table_without_a_header_and_with_tabs(tmp_path):
    (tmp_path / "t.tsv").write_text("1\t2\n")
    assert read_csv(tmp_path / "t.tsv", ["b"], "make it", "\t", ["a", "b"]) == [(1, {"a": "1", "b": "2"})]


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(MeritError, match="none.csv: the file is missing; make it"):
        read_csv(tmp_path / "none.csv", ["a"], "make it")
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(MeritError, match="t.csv:1: no column c, d; expected a,c,d"):
        read_csv(tmp_path / "t.csv", ["a", "c", "d"], "make it")
    (tmp_path / "l.csv").write_bytes(b"a\n\xe9\n")
    with pytest.raises(MeritError, match="l.csv: not UTF-8"):
        read_csv(tmp_path / "l.csv", ["a"], "make it")
