"""The report: which utterances it takes, what is in it, and what a real browser makes of it."""

import csv
import io
import logging
from pathlib import Path

import browser
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure
from merit.bin.sparse_merit.html_report import html_report
from routing_folder import CONDITIONS, UTTERANCES, make_run, write_csv, write_enhancement

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.errors import MeritError
from merit.metrics.enhancement.measures import MEASURES
from merit.report.figure_style import save_figure
from merit.report.page import page, table_section
from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.figures.figures import CAPTIONS
from merit.systems.sparse_merit.page.examples import flac, in_turns, worst_examples
from merit.systems.sparse_merit.page.html_report import chosen_players, write_html_report
from merit.systems.sparse_merit.results.conditions import parse_condition
from merit.systems.sparse_merit.tables.routing_tables import routing_tables

ALL = list(map(parse_condition, CONDITIONS))
NASTY = '<script>alert("5 & 6")</script>'


class Experiment:
    """Runs with audio, scores of the noisy input, and a figure."""

    def __init__(self, root: Path, make_speech):
        self.root = root
        self.runs = [
            make_run(root / "exp", "ft_m", 7, routed=False, heads=("emotion",)),
            make_run(root / "exp", "sparse_merit", 7),
            make_run(root / "exp", "sparse_merit", 17),
        ]
        self.noisy, self.data, self.figures = root / "noisy", root / "data", root / "figures"
        speakers = dict.fromkeys(UTTERANCES, "speaker")
        audio = {
            kind: {utt: root / kind / f"{utt}.flac" for utt in UTTERANCES}
            for kind in ("noisy_audio", "enhanced", "clean")
        }
        for seed, files in enumerate(audio.values()):
            for n, file in enumerate(files.values()):
                write_audio(file, make_speech(0.3 + 0.02 * n, 100 * seed + n))
        for n, condition in enumerate(ALL):
            write_enhancement(self.noisy / condition.name / "enhancement.csv", np.random.default_rng(n), 0.0)
            clean = {"spk1.scp": audio["clean"]}
            write_data_directory(
                self.data / condition.name, audio["noisy_audio"], speakers, utt2emo=UTTERANCES, **clean
            )
            for run in self.runs[1:]:
                write_table(run.decoded(condition) / "wav.scp", audio["enhanced"])
        figure = Figure(figsize=(3, 2))
        figure.subplots().plot([1, 2], [3, 4])
        self.figure = save_figure(figure, self.figures / "curve.png", f"A curve {NASTY}")

    def write(self, output: Path, **options):
        """The report with the tables of the routing."""
        tables = routing_tables(self.runs, ALL)
        players = self.runs[1:2]
        write_html_report(output, NASTY, tables, [self.figure], players, ALL, self.data, self.noisy, **options)
        return tables


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, make_speech):
    return Experiment(tmp_path_factory.mktemp("experiment"), make_speech)


def read(path):
    with path.open() as file:
        return {row["utt"]: row for row in csv.DictReader(file)}


# The choice of examples


def test_examples_are_the_most_certain_mistake_and_the_least_gain_of_every_condition(experiment):
    run = experiment.runs[1]
    emotion, enhancement = worst_examples(run, ALL, experiment.data, experiment.noisy, 2)
    assert [example.condition for example in emotion] == [example.condition for example in enhancement] == ALL
    for condition, wrong, weak in zip(ALL, emotion, enhancement):
        rows = read(run.score(condition) / "emotion.csv")
        margins = {}
        for utt, row in rows.items():
            true = float(row[row["reference"]])
            margins[utt] = (
                max(float(row[name]) for name in ("angry", "happy", "sad") if name != row["reference"]) - true
            )
        assert wrong.utterance == max(margins, key=margins.get)
        assert wrong.emotion.margin == pytest.approx(margins[wrong.utterance])
        assert wrong.emotion.hypothesis == rows[wrong.utterance]["hypothesis"] != wrong.emotion.reference
        before, after = (
            {utt: float(row["SSNR"]) for utt, row in read(folder / "enhancement.csv").items()}
            for folder in (experiment.noisy / condition.name, run.score(condition))
        )
        gains = {utt: after[utt] - before[utt] for utt in after if utt != wrong.utterance}
        assert weak.utterance == min(gains, key=gains.get)
        assert weak.scores["SSNR"] == (before[weak.utterance], after[weak.utterance])


@pytest.mark.parametrize("count", [0, 1, 3, 15, 40])
def test_every_condition_gives_as_many_examples_as_asked_for(experiment, count):
    kinds = worst_examples(experiment.runs[1], ALL, experiment.data, experiment.noisy, count)
    for condition in ALL:
        taken = [example.utterance for of_kind in kinds for example in of_kind if example.condition == condition]
        assert len(taken) == len(set(taken)) == min(count, len(UTTERANCES))


def test_a_tight_budget_drops_the_second_examples_first(experiment):
    ordered = in_turns(worst_examples(experiment.runs[1], ALL, experiment.data, experiment.noisy, 2))
    assert {example.condition for example in ordered[:4]} == {example.condition for example in ordered[4:]} == set(ALL)


def test_undefined_scores_are_no_weak_enhancement(experiment, tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1], heads=("enhancement",))
    write_table(run.decoded(ALL[0]) / "wav.scp", dict.fromkeys(UTTERANCES, "a.flac"))
    rows = [[utt, *["nan"] * len(MEASURES)] for utt in UTTERANCES]
    rows[7] = [rows[7][0], *["-5"] * len(MEASURES)]
    write_csv(run.score(ALL[0]) / "enhancement.csv", ("utt", *MEASURES), rows)
    emotion, (weak,) = worst_examples(run, ALL[:1], experiment.data, experiment.noisy, 1)
    assert emotion == [] and weak.utterance == rows[7][0] and weak.emotion is None


def test_sound_is_kept_bit_by_bit(experiment):
    entry = str(experiment.root / "clean" / "speaker-03.flac")
    content, seconds = flac(entry, "speaker-03")
    found, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate == 16000 and seconds == pytest.approx(len(found) / 16000) == pytest.approx(0.36)
    assert np.array_equal(found, soundfile.read(entry, dtype="int16")[0])


def test_missing_audio_is_named(experiment, tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1])
    write_table(run.decoded(ALL[0]) / "wav.scp", {"speaker-00": "a.flac"})
    with pytest.raises(MeritError, match="scores of speaker-01"):
        worst_examples(run, ALL[:1], experiment.data, experiment.noisy, 1)


def test_players_are_first_runs_of_methods_that_enhance(experiment, tmp_path):
    other = make_run(tmp_path, "dense_merit", 7)
    write_table(other.decoded(ALL[0]) / "wav.scp", {"speaker-00": "a.flac"})
    runs = [*experiment.runs, other]
    assert chosen_players(runs) == [experiment.runs[1]]
    assert chosen_players([experiment.runs[0], other]) == [other]
    assert chosen_players(runs, ["dense_merit", "sparse_merit"]) == [other, experiment.runs[1]]
    assert chosen_players(experiment.runs[:1]) == []
    with pytest.raises(MeritError, match="--players ft_m: no run with enhanced audio; there is sparse_merit"):
        chosen_players(experiment.runs, ["ft_m"])


def test_the_page_keeps_to_its_size(experiment, tmp_path, caplog):
    experiment.write(tmp_path / "whole.html")
    whole = (tmp_path / "whole.html").stat().st_size
    with caplog.at_level(logging.INFO):
        experiment.write(tmp_path / "report.html", max_megabytes=0.6 * whole / 1e6)
    size = (tmp_path / "report.html").stat().st_size
    count = (tmp_path / "report.html").read_text().count("<article")
    assert size < 0.65 * whole and 0 < count < 8
    assert f"{8 - count} of 8 examples left out" in caplog.text


# Tables


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


# In a browser


@pytest.fixture(scope="module")
def opened(experiment, tmp_path_factory):
    """The report in a browser, its tables, and its file."""
    executable = browser.find_browser()
    if executable is None:
        pytest.skip("no browser to open the report with; install one, as by: apt-get install chromium")
    output = tmp_path_factory.mktemp("report") / "report.html"
    tables = experiment.write(output)
    with browser.open_browser(executable, tmp_path_factory.mktemp("profile")) as opened:
        opened.resize(1280, 900)
        opened.open(output.as_uri())
        yield opened, tables, output


def test_browser_shows_tables_and_pictures(opened):
    page, tables, _ = opened
    assert page.evaluate("document.querySelectorAll('table').length") == len(tables) == 3
    rows = page.evaluate("[...document.querySelectorAll('tbody')].map(body => body.rows.length)")
    assert rows == [len(table.rows) for table in tables]
    first = page.evaluate("[...document.querySelector('tbody tr').cells].map(cell => cell.textContent)")
    shown = zip(tables[0].rows[0], tables[0].columns)
    assert first == [cell.shown(column.digits).replace("-", "\u2212") for cell, column in shown if column.shown]
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert widths == [600]  # 3 inches
    assert page.evaluate("document.querySelector('h1').textContent") == NASTY


def test_browser_plays_every_example(opened, experiment):
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


# The command


def test_command_writes_the_report_of_an_experiment(experiment, tmp_path):
    experiment.figures.joinpath(CAPTIONS).write_text('{"curve.png": "A curve"}')
    output = tmp_path / "report.html"
    html_report(
        experiment.root / "exp",
        ["ft_m", "sparse_merit"],
        [7],
        output,
        experiment.figures,
        experiment.data,
        experiment.noisy,
        examples=1,
        noise_seen=["babble"],
    )
    text = output.read_text()
    for part in (
        "Table I)",
        "Table II)",
        "Table IV)",
        "Table V)",
        "babble (seen)",
        "A curve",
        "data:audio/flac;base64,",
    ):
        assert part in text
    assert text.count("<article") == len(ALL)
