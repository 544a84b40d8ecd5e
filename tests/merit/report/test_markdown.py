"""Markdown tables that read well in a terminal."""

from merit.report.markdown import markdown_table


def test_numbers_stand_to_the_right():
    table = markdown_table(("name", "n"), [("a", 1), ("bcdef", "-")]).splitlines()
    assert table == ["| name  | n |", "|-------|--:|", "| a     | 1 |", "| bcdef | - |"]


def test_a_cell_cannot_break_the_table():
    assert markdown_table(("a",), [("a|b",)]).splitlines()[2] == r"| a\|b |"


def test_the_caller_may_say_which_columns_stand_to_the_right():
    assert markdown_table(("a", "b"), [(1, "x")], right=[False, True]).splitlines()[1] == "|---|--:|"
