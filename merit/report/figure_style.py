"""What all figures share: colours, markers and hatches that anyone can tell apart, and how a figure is kept."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from merit.files import atomic_path

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito (2008): told apart with every kind of colour vision."""
LINE_COLOURS = tuple(colour for colour in PALETTE if colour != "#F0E442")
"""Without the yellow, which a thin line on white does not show."""
MARKERS = "osD^vP*X"
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "ooo", "---", "+++", "**")
LINES = ("-", "--", ":", "-.")
DPI = 200


@dataclass(frozen=True)
class FigureFile:
    """A figure on disk.

    Attributes:
        path: the PNG; a PDF of the same name lies beside it.
        caption: what it shows, in plain sentences.
    """

    path: Path
    caption: str


def distinct_colours(count: int) -> ListedColormap:
    """One colour for each of ``count`` things: Okabe and Ito's up to eight, beyond that steps of cividis."""
    if count <= len(PALETTE):
        return ListedColormap(PALETTE[:count])
    return ListedColormap(matplotlib.colormaps["cividis"](np.linspace(0, 1, count)))


def readable_on(colour: object) -> str:
    """Black or white, whichever is read more easily on ``colour`` (any colour of matplotlib)."""
    red, green, blue = to_rgb(colour[:3] if isinstance(colour, tuple) else colour)
    return "black" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.18 else "white"


def line_style(place: int) -> dict[str, object]:
    """Colour, marker and dashes of the line number ``place`` of a figure; 28 of them differ in more than colour."""
    turn, place = divmod(place, len(LINE_COLOURS))
    return {
        "color": LINE_COLOURS[place],
        "marker": MARKERS[(place + turn) % len(MARKERS)],
        "linestyle": LINES[turn % len(LINES)],
    }


def save_figure(figure: Figure, path: Path, caption: str) -> FigureFile:
    """Write ``path`` (PNG) and the same as PDF."""
    for file, options in ((path.with_suffix(".pdf"), {"metadata": {"CreationDate": None}}), (path, {"dpi": DPI})):
        with atomic_path(file) as temporary:
            figure.savefig(temporary, **options)
    return FigureFile(path, caption)
