"""Figures of predicted quality, read back from matplotlib."""

import numpy as np
import pytest

from merit.metrics.quality.prediction_table import Predictions
from merit.systems.moe_mos.results.quality_figures import agreement_figure, system_usage_figure

SYSTEMS = ("a", "a", "b")
TRUTH = np.array([1.0, 2.0, 4.0])


def predictions(answers):
    gates = np.array([[0.2, 0.8], [0.4, 0.6], [1.0, 0.0]])
    return Predictions(("x", "y", "z"), SYSTEMS, TRUTH, np.array(answers), gates)


def test_systems_and_clips_lie_where_they_were_heard_and_predicted():
    one, two = predictions([1.0, 3.0, 4.0]), predictions([2.0, 2.0, 5.0])
    figure = agreement_figure({"good": [one, two], "other": [two]})
    assert [axis.get_title() for axis in figure.axes] == ["good", "other"]
    clips, systems = (np.asarray(dots.get_offsets()) for dots in figure.axes[0].collections)
    np.testing.assert_allclose(clips, [[1, 1.5], [2, 2.5], [4, 4.5]])
    np.testing.assert_allclose(systems, [[1.5, 2.0], [4, 4.5]])
    assert figure.axes[0].get_xlim() == figure.axes[0].get_ylim()


def test_many_methods_stand_in_rows():
    figure = agreement_figure({f"method {number}": [predictions([1.0, 2.0, 4.0])] for number in range(5)})
    assert [axis.get_title() for axis in figure.axes] == [f"method {number}" for number in range(5)]
    assert [axis.get_ylabel() for axis in figure.axes] == ["predicted", "", "", "predicted", ""]
    width, height = figure.get_size_inches()
    assert width < 12 and height > 7


def test_bars_are_mean_weights_and_the_best_system_is_on_top():
    figure = system_usage_figure("good", predictions([1.0, 2.0, 3.0]))
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a  1.50", "b  4.00"]
    widths = [[bar.get_width() for bar in bars] for bars in axis.containers]
    np.testing.assert_allclose(widths, [[0.3, 1.0], [0.7, 0.0]])
    assert [bar.get_x() for bar in axis.containers[1]] == pytest.approx([0.3, 1.0])
