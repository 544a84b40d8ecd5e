"""Colours, markers and hatches that can be told apart, and how a figure is kept."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from merit.report.figure_style import FigureFile, distinct_colours, line_style, readable_on, save_figure


def test_lines_differ_in_more_than_colour():
    styles = [line_style(place) for place in range(28)]
    assert len({(style["color"], style["marker"], style["linestyle"]) for style in styles}) == 28
    assert len({(style["marker"], style["linestyle"]) for style in styles}) == 28


@pytest.mark.parametrize("count", [1, 3, 8, 12])
def test_every_thing_has_its_colour_with_readable_numbers(count):
    colours = distinct_colours(count)
    assert len({colours(n) for n in range(count)}) == colours.N == count

    def luminance(colour):  # WCAG 2.2
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for n in range(count):
        light, dark = sorted([luminance(colours(n)[:3]), luminance(readable_on(colours(n)))], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_a_figure_is_kept_as_png_and_pdf(tmp_path):
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2], [3, 4])
    assert save_figure(figure, tmp_path / "a" / "curve.png", "A curve") == FigureFile(
        tmp_path / "a/curve.png", "A curve"
    )
    assert imread(tmp_path / "a/curve.png").shape[:2] == (400, 600)
    assert (tmp_path / "a/curve.pdf").read_bytes().startswith(b"%PDF")
