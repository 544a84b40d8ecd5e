"""Stage 7: one command that computes every comparison once and writes tables, figures and page."""

import sys

import pytest
from listened_experiment import ALL, Listened

from merit.bin.sparse_merit.compare import compare
from merit.command import run_command
from merit.errors import MeritError
from merit.systems.sparse_merit.results import emotion_comparison
from merit.systems.sparse_merit.routing import routing_statistics


@pytest.fixture(scope="module")
def listened(tmp_path_factory, make_speech):
    return Listened(tmp_path_factory.mktemp("listened"), make_speech)


@pytest.fixture(scope="module")
def run(listened):
    """Function that runs the command on two methods, with options of the command line."""

    def run(output, *options):
        folders = {"exp": listened.root / "exp", "data": listened.root / "data", "noisy": listened.root / "noisy"}
        arguments = [word for name, folder in folders.items() for word in (f"--{name}", str(folder))]
        arguments += ["--methods", "[ft_m,sparse_merit]", "--seeds", "[7]", "--output", str(output), *options]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("merit.report.figure_style.DPI", 40)  # faster
            patch.setattr(sys, "argv", ["compare", *arguments])
            run_command(compare)

    return run


def test_tables_figures_and_page_are_written_and_nothing_is_computed_twice(run, tmp_path, monkeypatch):
    counted, resampled = [], []
    for module, name, calls in (
        (routing_statistics, "count_run", counted),
        (emotion_comparison, "paired_bootstrap", resampled),
    ):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, f=function, seen=calls: seen.append(a) or f(*a))
    run(tmp_path, "--noise_seen", "[babble]", "--resamples", "20", "--examples", "1", "--command", "./run.sh -x")
    assert len(resampled) == len(ALL) and len(counted) == 1
    page, report = (tmp_path / "RESULTS.md").read_text(), (tmp_path / "report.html").read_text()
    for part in ("Table I)", "Table II)", "Table IV)", "Table V)", "babble (seen)"):
        assert part in page and part in report
    assert "20 resamples" in page and "20 resamples" in report and "Command: `./run.sh -x`" in page
    assert report.count("<article") == len(ALL) and "data:audio/flac;base64," in report
    figures = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert {"robustness_emotion", "expert_usage_snr_sparse_merit", "routing_utterance_sparse_merit"} <= figures
    assert report.count("<figure>") == len(figures)
    assert (tmp_path / "tables/table_1.csv").exists() and (tmp_path / "tables/bootstrap.csv").exists()


def test_another_reference_is_that_of_tables_and_page(run, tmp_path):
    run(tmp_path, "--reference", "ft_m", "--resamples", "5", "--examples", "0", "--title", "A & B")
    for text in ((tmp_path / "RESULTS.md").read_text(), (tmp_path / "report.html").read_text()):
        assert "differences to FT-M by paired bootstrap" in text
    assert "<h1>A &amp; B</h1>" in text and "<article" not in text


def test_players_that_cannot_be_heard_are_refused_before_anything_is_written(listened, tmp_path):
    with pytest.raises(MeritError, match="--players ft_m: no run with enhanced audio"):
        compare(listened.root / "exp", ["ft_m", "sparse_merit"], [7], tmp_path / "out", players=["ft_m"])
    assert not (tmp_path / "out").exists()
