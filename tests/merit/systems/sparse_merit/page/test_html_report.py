"""The page: what is in it, how large it is, and what a real browser makes of it."""

import logging

import browser
import pytest
from listened_experiment import ALL
from matplotlib.figure import Figure
from routing_folder import UTTERANCES, make_run

from merit.data.datadir import write_table
from merit.errors import MeritError
from merit.report.figure_style import save_figure
from merit.report.page import page
from merit.report.table import Column, Table
from merit.systems.sparse_merit.page.html_report import chosen_players, write_html_report
from merit.systems.sparse_merit.routing.routing_statistics import count_test
from merit.systems.sparse_merit.tables.comparison import Comparison
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

NASTY = '<script>alert("5 & 6")</script>'


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    drawn = Figure(figsize=(3, 2))
    drawn.subplots().plot([1, 2], [3, 4])
    return save_figure(drawn, tmp_path_factory.mktemp("figures") / "curve.png", f"A curve {NASTY}")


def write(listened, figure, output, **options):
    """The page with the tables of the routing; returns them."""
    runs = Table("runs", "What is compared", (Column("method", "Method"),), ())
    tables = routing_tables(count_test(listened.experiment))
    comparison = Comparison(runs, tables, [], [], {})
    players = listened.runs[1:2]
    write_html_report(output, NASTY, listened.experiment, comparison, [figure], players, **options)
    return [runs, *tables]


def test_players_are_first_runs_of_methods_that_enhance(listened, tmp_path):
    other = make_run(tmp_path, "dense_merit", 7)
    write_table(other.decoded(ALL[0]) / "wav.scp", {"speaker-00": "a.flac"})
    runs = [*listened.runs, other]
    assert chosen_players(runs) == [listened.runs[1]]
    assert chosen_players([listened.runs[0], other]) == [other]
    assert chosen_players(runs, ["dense_merit", "sparse_merit"]) == [other, listened.runs[1]]
    assert chosen_players(listened.runs[:1]) == []
    with pytest.raises(MeritError, match="--players ft_m: no run with enhanced audio; there is sparse_merit"):
        chosen_players(listened.runs, ["ft_m"])


def test_the_page_keeps_to_its_size(listened, figure, tmp_path, caplog):
    write(listened, figure, tmp_path / "whole.html")
    whole = (tmp_path / "whole.html").stat().st_size
    with caplog.at_level(logging.INFO):
        write(listened, figure, tmp_path / "report.html", max_megabytes=0.6 * whole / 1e6)
    size = (tmp_path / "report.html").stat().st_size
    count = (tmp_path / "report.html").read_text().count("<article")
    assert size < 0.65 * whole and 0 < count < 8
    assert f"{8 - count} of 8 examples left out" in caplog.text


@pytest.fixture(scope="module")
def opened(listened, figure, tmp_path_factory):
    """The report in a browser, its tables, and its file."""
    executable = browser.find_browser()
    if executable is None:
        pytest.skip("no browser to open the report with; install one, as by: apt-get install chromium")
    output = tmp_path_factory.mktemp("report") / "report.html"
    tables = write(listened, figure, output)
    with browser.open_browser(executable, tmp_path_factory.mktemp("profile")) as opened:
        opened.resize(1280, 900)
        opened.open(output.as_uri())
        yield opened, tables, output


def test_browser_shows_tables_and_pictures(opened):
    page, tables, _ = opened
    assert page.evaluate("document.querySelectorAll('table').length") == len(tables) == 4
    rows = page.evaluate("[...document.querySelectorAll('tbody')].map(body => body.rows.length)")
    assert rows == [len(table.rows) for table in tables]
    first = page.evaluate("[...document.querySelector('tbody tr').cells].map(cell => cell.textContent)")
    shown = zip(tables[1].rows[0], tables[1].columns)
    assert first == [cell.shown(column.digits).replace("-", "\u2212") for cell, column in shown if column.shown]
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert widths == [600]  # 3 inches
    assert page.evaluate("document.querySelector('h1').textContent") == NASTY


def test_browser_plays_every_example(opened):
    page, _, _ = opened
    found = page.evaluate(
        """(async () => {
            const found = [];
            for (const audio of document.querySelectorAll('audio')) {
                const playable = new Promise((done) => {
                    audio.oncanplay = () => done(audio.duration);
                    audio.onerror = () => done(audio.error.message);
                });
                audio.preload = 'auto';
                audio.load();
                const name = audio.closest('article').querySelector('h4').firstChild.textContent.trim();
                found.push([name, audio.parentNode.textContent.split(',')[0], await playable]);
            }
            return found;
        })()"""
    )
    assert [kind for _, kind, _ in found] == ["noisy", "enhanced", "clean"] * 8
    for utterance, _, duration in found:
        assert duration == pytest.approx(0.3 + 0.02 * list(UTTERANCES).index(utterance), abs=1e-3)


def test_browser_filters_the_examples(opened):
    page, _, _ = opened
    visible = "[...document.querySelectorAll('.example')].filter(e => e.offsetParent).map(e => e.dataset.noise)"
    choose = "(value) => { const s = document.querySelector('[data-filter=noise]'); s.value = value; "
    choose += "s.dispatchEvent(new Event('change')); }"
    assert len(page.evaluate(visible)) == 8
    page.evaluate(f"({choose})('wind')")
    assert page.evaluate(visible) == ["wind"] * 4
    page.evaluate(f"({choose})('')")
    assert len(page.evaluate(visible)) == 8


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_page_fits_screens_of_every_width(opened, width):
    page, _, _ = opened
    page.resize(width, 800, phone=width < 600)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    narrow = page.evaluate("Math.min(...[...document.querySelectorAll('audio')].map(a => a.clientWidth))")
    assert narrow >= 200


def test_browser_has_nothing_to_complain_about_and_asks_nobody(opened):
    page, _, output = opened
    assert page.complaints() == []
    assert {url for url in page.requests() if not url.startswith("data:")} == {output.as_uri()}


def test_the_browser_would_have_noticed(opened, tmp_path):
    """That the checks above can fail."""
    opened, _, _ = opened
    before = len(opened.complaints())
    body = '<img src="http://127.0.0.1:9/picture.png"><script>undefinedFunction();</script>'
    (tmp_path / "bad.html").write_text(page("bad", [body]))
    opened.open((tmp_path / "bad.html").as_uri())
    complaints = "\n".join(opened.complaints()[before:])
    assert "Content Security Policy" in complaints and "undefinedFunction" in complaints
