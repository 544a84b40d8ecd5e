"""Curves over the SNR against scikit-learn and numpy."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from routing_folder import CLASSES, UTTERANCES
from sklearn.metrics import f1_score

from merit.data.noise.mixed_names import parse_condition
from merit.metrics.significance import disjoint_subsets
from merit.report.figure_style import line_style
from merit.systems.sparse_merit.figures.figures_robustness import (
    emotion_curves,
    enhancement_curves,
    mean_gain,
    robustness_figure,
)
from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions


def test_emotion_curves_are_the_scores_of_seeds_and_subsets(runs, experiment):
    curves = emotion_curves(compare_emotions(experiment, resamples=1))
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


def test_enhancement_curves_are_gains_over_the_noisy_speech(runs, experiment):
    curves = enhancement_curves(experiment)
    assert set(curves["babble"]) == {"Sparse MERIT"}
    found = curves["babble"]["Sparse MERIT"][-5.0]
    for value, run in zip(found, runs[1:], strict=True):
        tables = []
        for folder in (experiment.noisy, run.directory / "score"):
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
    figure = robustness_figure(curves, ["A", "none", "B"], "F1-macro", str.upper)
    babble, wind = figure.axes
    assert (babble.get_title(), wind.get_title()) == ("BABBLE", "WIND")
    assert babble.lines[0].get_ydata() == pytest.approx([0.3, 0.5])
    (low, high), _ = babble.collections[0].get_segments()
    assert (low[1], high[1]) == pytest.approx((0.3 - np.sqrt(0.02), 0.3 + np.sqrt(0.02)))
    assert not wind.collections
    assert wind.lines[0].get_marker() == line_style(2)["marker"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "B"]


def test_clean_speech_is_no_point_of_a_curve(experiment):
    comparison = compare_emotions(experiment, resamples=1)[0]
    assert emotion_curves([replace(comparison, condition=parse_condition("test"))]) == {}
