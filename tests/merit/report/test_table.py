"""One source of rows in three forms."""

import csv as csv_files
import io
from dataclasses import replace

import pytest

from merit.report.table import Cell, Column, Table, csv, latex, markdown, records_csv, with_best_in_bold

HEADINGS = (Column("snr", "SNR (dB)"), Column("method", "Method"))


def score(group, shown=True):
    label = f"{group} (seen)" if group == "babble" else ""
    return Column("f1", "F1", group, label) if shown else Column("f1_std", "F1, std", group, label, shown=False)


def example(**changes):
    columns = (*HEADINGS, score("babble"), score("babble", False), score("wind"), score("wind", False))
    snr, low = Cell(5.0, "5"), Cell(-5.0, "-5")
    rows = (
        (low, Cell("ft_m", "FT-M & more"), Cell(0.41249), Cell(0.1), Cell(0.6), Cell(0.2)),
        (low, Cell("sparse", "Sparse"), Cell(0.41251, markers="ab"), Cell(0.1), Cell(float("nan")), Cell(None)),
        (snr, Cell("ft_m", "FT-M & more"), Cell(0.7), Cell(0.3), Cell(None), Cell(None)),
        (snr, Cell("sparse", "Sparse"), Cell(0.69996), Cell(0.4), Cell(None), Cell(None)),
    )
    return Table("table_9", "A title.", columns, rows, **{"headings": 2, "blocks": 1, "group_key": "noise", **changes})


def test_best_of_each_block_is_bold_as_it_is_shown():
    table = with_best_in_bold(example())
    bold = [[cell.bold for cell in row] for row in table.rows]
    # 0.412 < 0.413; a single number is not the best of anything; 0.69996 is shown as 0.700.
    assert bold == [[False] * 6, [False, False, True, False, False, False], *([[False, False, True, *[False] * 3]] * 2)]


def test_the_lowest_is_the_best_where_less_is_better():
    columns = tuple(replace(column, lower_is_better=True) for column in example().columns)
    table = with_best_in_bold(replace(example(), columns=columns))
    # 0.69996 is shown as 0.700.
    assert [row[2].bold for row in table.rows] == [True, False, True, True]


def test_markdown():
    lines = markdown(with_best_in_bold(example(notes=("A note.",)))).splitlines()
    assert lines == [
        "## A title.",
        "",
        "| SNR (dB) | Method      | babble (seen): F1 | wind: F1 |",
        "|---------:|-------------|------------------:|---------:|",
        "|       -5 | FT-M & more |             0.412 |    0.600 |",
        "|       -5 | Sparse      |      **0.413** ab |        - |",
        "|        5 | FT-M & more |         **0.700** |        - |",
        "|        5 | Sparse      |         **0.700** |        - |",
        "",
        "A note.",
    ]


def test_a_wide_table_is_one_for_each_group_without_its_empty_rows():
    measures = [Column(f"m{n}", f"M{n}", group) for group in ("babble", "wind") for n in range(6)]
    row = (Cell(5.0), Cell("a"), *[Cell(1.0)] * 12)
    other = (Cell(10.0), Cell("a"), *[Cell(1.0)] * 6, *[Cell(None)] * 6)
    text = markdown(Table("t", "Wide", (*HEADINGS, *measures), (row, other), headings=2), level=3)
    babble, wind = text.split("**wind**")
    assert babble.startswith("### Wind") is False and "**babble**" in babble
    assert len([line for line in babble.splitlines() if line.startswith("|")]) == 4
    assert len([line for line in wind.splitlines() if line.startswith("|")]) == 3


def test_csv_has_the_raw_numbers_of_one_group_a_line():
    lines = list(csv_files.DictReader(io.StringIO(csv(with_best_in_bold(example())))))
    assert list(lines[0]) == ["snr", "method", "noise", "f1", "f1_std"]
    assert lines[0] == {"snr": "-5.0", "method": "ft_m", "noise": "babble", "f1": "0.41249", "f1_std": "0.1"}
    nan = next(line for line in lines if line["method"] == "sparse" and line["noise"] == "wind")
    assert nan["f1"] == "" and nan["f1_std"] == ""
    # At 5 dB there is no wind at all.
    assert [(line["snr"], line["noise"]) for line in lines[4:]] == [("5.0", "babble")] * 2


def test_csv_without_groups_and_without_rows():
    assert csv(Table("t", "T", (Column("n", "N"), Column("x", "X")), ((Cell(3), Cell(0.5)),))) == "n,x\n3,0.5\n"
    assert csv(Table("t", "T", (Column("n", "N"),), ())) == ""


def test_latex_is_a_complete_booktabs_table():
    text = latex(with_best_in_bold(example(notes=("p ≤ 0.05 in `a_b`, 95 %.",))))
    lines = text.splitlines()
    for name in ("table*", "tabular"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 1
    assert r"\begin{tabular}{rlrr}" in lines and r"\caption{A title.}" in lines and r"\label{tab:table_9}" in lines
    body = lines[lines.index(r"\toprule") + 1 : lines.index(r"\bottomrule")]
    assert body == [
        r" &  & \multicolumn{1}{c}{babble (seen)} & \multicolumn{1}{c}{wind} \\",
        r"\cmidrule(lr){3-3}\cmidrule(lr){4-4}",
        r"SNR (dB) & Method & F1 & F1 \\",
        r"\midrule",
        r"$-$5 & FT-M \& more & 0.412 & 0.600 \\",
        r" & Sparse & \textbf{0.413}\textsuperscript{ab} & -- \\",
        r"\midrule",
        r"5 & FT-M \& more & \textbf{0.700} & -- \\",
        r" & Sparse & \textbf{0.700} & -- \\",
    ]
    assert r"p $\le$ 0.05 in \texttt{a\_b}, 95 \%." in text


def test_columns_of_a_group_share_its_heading():
    columns = (*HEADINGS, *(Column(f"m{n}", f"M{n}", group) for group in ("babble", "wind") for n in range(3)))
    text = latex(Table("t", "T", columns, ((Cell(5.0), Cell("a"), *[Cell(1.0)] * 6),), headings=2))
    assert r"\multicolumn{3}{c}{babble} & \multicolumn{3}{c}{wind} \\" in text
    assert r"\cmidrule(lr){3-5}\cmidrule(lr){6-8}" in text


@pytest.mark.parametrize("columns, scaled", [(4, False), (18, True)])
def test_a_wide_table_is_scaled_to_the_page(columns, scaled):
    header = [Column(f"m{n}", f"M{n}") for n in range(columns)]
    text = latex(Table("t", "T", (*HEADINGS, *header), ((Cell(5.0), Cell("a"), *[Cell(-10.5)] * columns),), headings=2))
    assert (r"\resizebox{\textwidth}{!}{%" in text) == scaled
    assert text.count("{") == text.count("}")


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells in a row of 2 columns"):
        Table("t", "T", HEADINGS, ((Cell(1),),))


def test_records_are_lines_of_a_csv():
    lines = [{"name": "a,b", "x": 0.1}, {"name": "c", "x": float("nan")}, {"name": "d", "x": None}]
    assert records_csv(lines) == 'name,x\n"a,b",0.1\nc,\nd,\n'
