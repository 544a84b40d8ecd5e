"""Bars and lines of expert usage, read back from matplotlib, against plain Python."""

import numpy as np
import pytest
from routing_folder import CLASSES, CONDITIONS, TASKS, UTTERANCES, brute_force, write_csv, write_history

from merit.data.noise.mixed_names import parse_condition
from merit.systems.sparse_merit.figures.figures_usage import (
    USAGE_COLUMNS,
    read_usage_history,
    training_figure,
    usage_figure,
    usage_rows,
)
from merit.systems.sparse_merit.routing.routing_statistics import by_emotion, count_run

ALL = list(map(parse_condition, CONDITIONS))


def test_bars_are_the_shares_of_the_frames(runs):
    run = runs[1]
    figure = usage_figure({run: by_emotion(count_run(run, ALL))}, "emotion")
    assert [axis.get_title() for axis in figure.axes] == ["Emotion gate (SER)", "Enhancement gate (SE)"]
    for axis, task in zip(figure.axes, TASKS):
        assert [tick.get_text() for tick in axis.get_xticklabels()] == list(CLASSES)
        heights = np.array([[bar.get_height() for bar in bars] for bars in axis.containers])
        for place, emotion in enumerate(CLASSES):
            usage = brute_force(run, lambda condition, utterance, own=emotion: UTTERANCES[utterance] == own)[2][task]
            assert heights[:, place] == pytest.approx([100 * usage[n] for n in range(3)])
        tops = [bar.get_y() + bar.get_height() for bar in axis.containers[-1]]
        assert tops == pytest.approx([100] * 3)
        assert len({bars[0].get_hatch() for bars in axis.containers}) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["expert 0", "expert 1", "expert 2"]


def test_every_seed_has_a_row_of_panels(runs):
    groups = {run: by_emotion(count_run(run, ALL)) for run in runs[1:]}
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


def test_the_numbers_behind_the_bars_are_counts(runs):
    counts = by_emotion(count_run(runs[1], ALL))
    rows = [dict(zip(USAGE_COLUMNS, row)) for row in usage_rows({"emotion": {runs[1]: counts}})]
    assert len(rows) == len(CLASSES) * len(TASKS) * 3
    usage = brute_force(runs[1], lambda condition, utterance: UTTERANCES[utterance] == "sad")[2]["enhancement"]
    (row,) = [row for row in rows if (row["group"], row["gate"], row["expert"]) == ("sad", "enhancement", 2)]
    assert row["chosen"] / row["frames"] == pytest.approx(usage[2]) and (row["by"], row["seed"]) == ("emotion", 7)
