"""CSV tables by the names of their columns."""

import pytest

from merit.csv_table import csv_rows, read_csv
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


def test_cells_without_quoting_keep_their_quotation_marks(tmp_path):
    (tmp_path / "t.tsv").write_text('a\tb\n"Oh", he said\t"x\na\\"b\ty\n')
    found = list(csv_rows(tmp_path / "t.tsv", ["a", "b"], "make it", "\t", quoted=False))
    assert found == [(2, {"a": '"Oh", he said', "b": '"x'}), (3, {"a": 'a"b', "b": "y"})]


def test_rows_are_read_one_after_the_other(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a\n1\n" + b"2\n" * 100_000 + b"\xe9\n")
    rows = csv_rows(tmp_path / "t.csv", ["a"], "make it")
    assert next(rows) == (2, {"a": "1"})
    with pytest.raises(MeritError, match="not UTF-8"):
        list(rows)
