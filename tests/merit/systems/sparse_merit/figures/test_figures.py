"""What the figures show, read back from matplotlib, against numbers computed from the same files in plain Python."""

import csv
import json

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from routing_folder import CLASSES, CONDITIONS, TASKS, UTTERANCES, brute_force, make_run, write_csv, write_enhancement
from sklearn.metrics import f1_score

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.errors import MeritError
from merit.metrics.significance import disjoint_subsets
from merit.report.figure_style import expert_colours, line_style, readable_on
from merit.systems.sparse_merit.figures.figures import read_figures, write_figures
from merit.systems.sparse_merit.figures.figures_robustness import (
    emotion_curves,
    enhancement_curves,
    mean_gain,
    robustness_figure,
)
from merit.systems.sparse_merit.figures.figures_usage import read_usage_history, training_figure, usage_figure
from merit.systems.sparse_merit.results.conditions import parse_condition
from merit.systems.sparse_merit.routing.routing_statistics import by_emotion, routing_counts

ALL = list(map(parse_condition, CONDITIONS))


def write_history(run, epochs=3, agreement=True):
    """A ``history.csv`` with shares that add up to one."""
    generator = np.random.default_rng(run.seed)
    names = ["epoch", "dev_criterion", *(f"usage_{task}_{n}" for task in TASKS for n in range(3))]
    rows = []
    for epoch in range(1, epochs + 1):
        shares = np.concatenate([generator.dirichlet(np.ones(3)) for _ in TASKS])
        rows.append([epoch, 1 / epoch, *shares, *([0.1 * epoch] if agreement else [])])
    write_csv(run.directory / "history.csv", [*names, *(["agreement"] if agreement else [])], rows)
    return np.array(rows)


@pytest.fixture
def runs(tmp_path):
    return [
        make_run(tmp_path, "ft_m", 7, routed=False, heads=("emotion",)),
        make_run(tmp_path, "sparse_merit", 7),
        make_run(tmp_path, "sparse_merit", 17),
    ]


@pytest.fixture
def noisy(tmp_path):
    for n, condition in enumerate(CONDITIONS):
        write_enhancement(tmp_path / "noisy" / condition / "enhancement.csv", np.random.default_rng(n), 0.0)
    return tmp_path / "noisy"


def test_bars_are_the_shares_of_the_frames(runs):
    run = runs[1]
    figure = usage_figure({run: by_emotion(routing_counts(run, ALL))}, "emotion")
    assert [axis.get_title() for axis in figure.axes] == ["Emotion gate (SER)", "Enhancement gate (SE)"]
    for axis, task in zip(figure.axes, TASKS):
        assert [tick.get_text() for tick in axis.get_xticklabels()] == list(CLASSES)
        heights = np.array([[bar.get_height() for bar in bars] for bars in axis.containers])
        for place, emotion in enumerate(CLASSES):
            usage = brute_force(run, lambda condition, utterance, of=emotion: UTTERANCES[utterance] == of)[2][task]
            assert heights[:, place] == pytest.approx([100 * usage[n] for n in range(3)])
        tops = [bar.get_y() + bar.get_height() for bar in axis.containers[-1]]
        assert tops == pytest.approx([100] * 3)
        assert len({bars[0].get_hatch() for bars in axis.containers}) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["expert 0", "expert 1", "expert 2"]


def test_every_seed_has_a_row_of_panels(runs):
    groups = {run: by_emotion(routing_counts(run, ALL)) for run in runs[1:]}
    titles = [axis.get_title() for axis in usage_figure(groups, "emotion").axes]
    assert [title.split(", ")[1] for title in titles] == ["seed 7", "seed 7", "seed 17", "seed 17"]


def test_usage_over_the_training_is_the_history(runs):
    rows = write_history(runs[1])
    figure = training_figure({runs[1]: read_usage_history(runs[1])})
    emotion, enhancement, agreement = figure.axes
    for axis, columns in ((emotion, rows[:, 2:5]), (enhancement, rows[:, 5:8]), (agreement, rows[:, 8:])):
        drawn = np.stack([line.get_ydata() for line in axis.lines], axis=1)
        assert drawn == pytest.approx(100 * columns)
        assert axis.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert len({line.get_marker() for line in emotion.lines}) == 3


def test_histories_without_routing_are_empty(runs):
    assert read_usage_history(runs[0]) == {}
    write_csv(runs[0].directory / "history.csv", ["epoch", "dev_criterion"], [[1, 0.5]])
    assert read_usage_history(runs[0]) == {}


def test_emotion_curves_are_the_scores_of_seeds_and_subsets(runs):
    curves = emotion_curves(runs, ALL)
    assert set(curves) == {"babble", "wind"} and set(curves["wind"]) == {"FT-M", "Sparse MERIT"}
    subset_of = disjoint_subsets(UTTERANCES)
    expected = []
    for run in runs[1:]:
        with (run.directory / "score/test_wind_5dB/emotion.csv").open() as file:
            rows = list(csv.DictReader(file))
        for subset in range(5):
            own = [row for row in rows if subset_of[row["utt"]] == subset]
            labels = [row["reference"] for row in own], [row["hypothesis"] for row in own]
            expected.append(f1_score(*labels, labels=CLASSES, average="macro", zero_division=0))
    assert curves["wind"]["Sparse MERIT"][5.0] == pytest.approx(expected)


def test_enhancement_curves_are_gains_over_the_noisy_speech(runs, noisy):
    curves = enhancement_curves(runs, ALL, noisy)
    assert set(curves["babble"]) == {"Sparse MERIT"}
    found = curves["babble"]["Sparse MERIT"][-5.0]
    for value, run in zip(found, runs[1:], strict=True):
        tables = []
        for folder in (noisy, run.directory / "score"):
            with (folder / "test_babble_-5dB/enhancement.csv").open() as file:
                tables.append([float(row["SSNR"]) for row in csv.DictReader(file)])
        assert value == pytest.approx(np.mean(tables[1]) - np.mean(tables[0]))


def test_undefined_scores_stay_out_of_the_gain():
    before = {"a": {"SSNR": 1.0}, "b": {"SSNR": float("nan")}, "c": {"SSNR": 0.0}}
    after = {"a": {"SSNR": 3.0}, "b": {"SSNR": 9.0}, "d": {"SSNR": 9.0}}
    assert mean_gain(before, after) == 2.0
    assert np.isnan(mean_gain({}, after))


def test_robustness_shows_means_and_looks_the_same_for_a_method_everywhere():
    curves = {"babble": {"A": {-5.0: [0.2, 0.4], 5.0: [0.5, 0.5]}}, "wind": {"B": {-5.0: [0.1], 5.0: [0.2]}}}
    figure = robustness_figure(curves, ["A", "none", "B"], "F1-macro", ["babble"])
    babble, wind = figure.axes
    assert (babble.get_title(), wind.get_title()) == ("babble (seen)", "wind (unseen)")
    assert babble.lines[0].get_ydata() == pytest.approx([0.3, 0.5])
    (low, high), _ = babble.collections[0].get_segments()
    assert (low[1], high[1]) == pytest.approx((0.3 - np.sqrt(0.02), 0.3 + np.sqrt(0.02)))
    assert not wind.collections
    assert wind.lines[0].get_marker() == line_style(2)["marker"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "B"]


def test_lines_differ_in_more_than_colour():
    styles = [line_style(place) for place in range(28)]
    assert len({(style["color"], style["marker"], style["linestyle"]) for style in styles}) == 28
    assert len({(style["marker"], style["linestyle"]) for style in styles}) == 28


@pytest.mark.parametrize("num_experts", [1, 3, 8, 12])
def test_every_expert_has_its_colour_with_readable_numbers(num_experts):
    colours = expert_colours(num_experts)
    assert len({colours(n) for n in range(num_experts)}) == colours.N == num_experts

    def luminance(colour):  # WCAG 2.2
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for n in range(num_experts):
        light, dark = sorted([luminance(colours(n)[:3]), luminance(readable_on(colours(n)))], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_all_figures_of_an_experiment(runs, noisy, tmp_path, make_speech, monkeypatch):
    monkeypatch.setattr("merit.report.figure_style.DPI", 100)  # faster
    for run in runs[1:]:
        write_history(run)
    condition = tmp_path / "data" / CONDITIONS[0]
    audio = {kind: {utt: tmp_path / f"{kind}.flac" for utt in UTTERANCES} for kind in ("noisy", "enhanced", "clean")}
    for seed, kind in enumerate(audio):
        write_audio(tmp_path / f"{kind}.flac", make_speech(0.4, seed))
    speakers, seconds = dict.fromkeys(UTTERANCES, "speaker"), dict.fromkeys(UTTERANCES, 0.4)
    write_data_directory(condition, audio["noisy"], speakers, utt2dur=seconds, **{"spk1.scp": audio["clean"]})
    write_table(runs[1].decoded(ALL[0]) / "wav.scp", audio["enhanced"])

    output = tmp_path / "figures"
    figures = write_figures(runs, ALL, tmp_path / "data", noisy, ["babble"], output)
    assert [figure.path.stem for figure in figures] == [
        "robustness_emotion",
        "robustness_enhancement",
        "expert_usage_snr_sparse_merit",
        "expert_usage_snr_sparse_merit_seeds",
        "expert_usage_emotion_sparse_merit",
        "expert_usage_emotion_sparse_merit_seeds",
        "expert_usage_training_sparse_merit",
        "routing_utterance_sparse_merit",
    ]
    for figure in figures:
        pixels = imread(figure.path)
        assert min(pixels.shape[:2]) > 200 and pixels[..., :3].std() > 0.01
        assert figure.path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert read_figures(output) == figures
    assert (
        "seed 7: speaker-07, babble at -5 dB"
        in json.loads((output / "captions.json").read_text())["routing_utterance_sparse_merit.png"]
    )

    with (output / "expert_usage.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * (2 + 3)  # seeds, gates, experts, SNRs and emotions
    of = {"method": "sparse_merit", "seed": "17", "by": "snr", "group": "-5", "gate": "enhancement", "expert": "2"}
    (row,) = [row for row in rows if row.items() >= of.items()]
    usage = brute_force(runs[2], lambda condition, utterance: condition.endswith("_-5dB"))[2]
    assert int(row["chosen"]) / int(row["frames"]) == pytest.approx(usage["enhancement"][2])

    (output / "robustness_emotion.png").unlink()
    with pytest.raises(MeritError, match="robustness_emotion.png missing"):
        read_figures(output)
    with pytest.raises(MeritError, match="draw the figures first"):
        read_figures(tmp_path)
