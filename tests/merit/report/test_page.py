"""The pieces of the page: all text is escaped, and nothing is left to be fetched."""

import base64
from pathlib import Path

import pytest

from merit.report.figure_style import FigureFile
from merit.report.page import (
    environment_details,
    example_card,
    figure_section,
    filter_section,
    page,
    signed,
    table_section,
)
from merit.report.table import Cell, Column, Table

ROOT = Path(__file__).parents[3]


def test_table_escapes_groups_and_marks():
    columns = (Column("snr", "SNR"), Column("method", "M"), Column("f1", "F1", "babble", "babble <seen>", digits=2))
    columns += (Column("hidden", "H", "babble", shown=False), Column("f1", "F1", "wind"))
    rows = ((Cell(-5.0, "-5"), Cell("a&b"), Cell(0.25, bold=True, markers="ab"), Cell(1), Cell(None)),)
    html = table_section(Table("t", "T <1>", columns, rows, headings=2, blocks=1, notes=("see `a<b>` & c",)))
    assert '<h3 id="t">T &lt;1&gt;</h3>' in html
    assert '<th class="group" colspan="1" scope="colgroup">babble &lt;seen&gt;</th>' in html
    assert '<th scope="row">\u22125</th><th scope="row" class="words key">a&amp;b</th>' in html.replace("\n", "")
    assert "<strong>0.25</strong><sup>ab</sup>" in html and ">H<" not in html
    assert '<p class="note">see <code>a&lt;b&gt;</code> &amp; c</p>' in html


def test_style_and_script_are_files_that_the_page_holds():
    text = page("a < b", ["<p>body</p>"])
    folder = ROOT / "merit/report"
    for name, tag in (("page.css", "style"), ("page.js", "script")):
        assert f"<{tag}>\n{(folder / name).read_text()}</{tag}>" in text
    assert "<title>a &lt; b</title>" in text and "<p>body</p>" in text and "default-src 'none'" in text


def test_every_file_beside_the_modules_is_installed_with_them():
    files = {path.name for path in (ROOT / "merit/report").iterdir() if path.is_file() and path.suffix != ".py"}
    assert files == {"page.css", "page.js"}
    assert '"merit.report": ["page.css", "page.js"]' in (ROOT / "setup.py").read_text()


def test_a_figure_is_inside_of_the_page(tmp_path):
    (tmp_path / "a.png").write_bytes(b"content")
    html = figure_section(FigureFile(tmp_path / "a.png", 'A "curve"'))
    assert f'src="data:image/png;base64,{base64.b64encode(b"content").decode()}"' in html
    assert "<figcaption>A &quot;curve&quot;</figcaption>" in html


def test_only_what_has_several_values_can_be_filtered():
    html = filter_section({"kind": ("kind of", {"a": "A & B", "b": "B"}), "place": ("place", {"x": "X"})})
    assert html.count("<select") == 1 and 'data-filter="kind"' in html and "kind of <select" in html
    assert '<option value="">all</option><option value="a">A &amp; B</option><option value="b">B</option>' in html
    assert filter_section({"place": ("place", {"x": "X"})}) == ""


def test_a_card_has_its_data_its_facts_and_its_players():
    html = example_card({"kind": 'a"'}, "u<1>", ["r & s"], ["score <strong>1</strong>"], [("before", b"x", 1.25)])
    assert '<article class="example" data-kind="a&quot;">' in html
    assert "<h4>u&lt;1&gt; <span>r &amp; s</span></h4>" in html
    assert "<span>score <strong>1</strong></span>" in html
    assert "before, 1.2 s<audio" in html and "data:audio/flac;base64,eA==" in html


def test_the_environment_can_be_unfolded(monkeypatch):
    monkeypatch.setattr("merit.report.page.describe_environment", lambda: {"git": "a & b"})
    assert environment_details() == "<details><summary>Environment</summary><ul><li>git: a &amp; b</li></ul></details>"


@pytest.mark.parametrize(
    "value, digits, text",
    [(-5.0, None, "\u22125"), (2.5, None, "2.5"), (-0.5, 2, "\u22120.50"), (float("nan"), 2, "\u2013")],
)
def test_numbers_have_a_true_minus_sign(value, digits, text):
    assert signed(value, digits) == text
