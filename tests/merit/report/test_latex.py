"""LaTeX that compiles to the text it was given."""

import pytest

from merit.report.latex import LatexCell, escape, table_environment


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a_b & 5 % #1 {x} $y$", r"a\_b \& 5 \% \#1 \{x\} \$y\$"),
        ("a\\b~c^d", r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d"),
        ("-0.1 [-0.2, +0.1] FT-M", r"$-$0.1 [$-$0.2, +0.1] FT-M"),
        ("`test_-5dB` 11-12", r"\texttt{test\_-5dB} 11-12"),
        ("-", "--"),
    ],
)
def test_latex_prints_the_text(text, expected):
    assert escape(text) == expected


def environment(cells, **changes):
    options = dict(
        label="t", title="A_title", groups=[""] * len(cells), header=["H"] * len(cells), left=[True] * len(cells)
    )
    return table_environment(**{**options, **changes}, blocks=[[cells]])


@pytest.mark.parametrize("columns, scaled", [(4, False), (40, True)])
def test_a_wide_table_is_scaled_to_the_page(columns, scaled):
    text = environment([LatexCell("-10.5")] * columns)
    assert (r"\resizebox{\textwidth}{!}{%" in text) == scaled
    assert text.count("{") == text.count("}")


def test_cells_are_bold_and_have_superscripts():
    assert str(LatexCell("a_b", bold=True, markers="%")) == r"\textbf{a\_b}\textsuperscript{\%}"


def test_columns_of_a_group_share_its_heading():
    text = environment([LatexCell("1")] * 4, groups=["", "a", "a", "b"])
    assert r" & \multicolumn{2}{c}{a} & \multicolumn{1}{c}{b} \\" in text
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in text and r"\caption{A\_title}" in text
