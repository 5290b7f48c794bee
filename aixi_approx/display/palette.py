"""Colours and shapes of the lines in pictures that people with any colour vision tell apart.

The colours are those of Okabe and Ito (2008, "Color Universal Design: how to make figures and presentations that are
friendly to colorblind people", jfly.uni-koeln.de/color), without yellow, which is too pale on white. Where lines have
an order, as they do when each stands for a number, their colours go from light to dark instead. Each line has a marker
of its own, which tells it even in grey.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#CC79A7", "#000000", "#595959"

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")  # more than colours, so that pairs repeat only after 63 lines
DASHES = ("-", "--", "-.", ":")  # the next one after each round of colours

LARGE, LITTLE = 8.0, 4.0  # markers of the first line and the last, points: what lies below is seen around what is above
PALEST = 0.85  # of the colours from dark to light, where 1 is a yellow too pale on white


def line_styles(count: int) -> list[dict[str, Any]]:
    """Return styles for lines without an order.

    Markers are hollow and become smaller from line to line, so that lines which coincide are all seen.

    Parameters
    ----------
    count : int
        How many lines.

    Returns
    -------
    list of dict of str to Any
        For each line, what Matplotlib's `plot` takes: colour, marker, its size and face, line style.
    """
    return [
        _style(COLOURS[i % len(COLOURS)], i, size=size) | {"linestyle": DASHES[i // len(COLOURS) % len(DASHES)]}
        for i, size in enumerate(np.linspace(LARGE, LITTLE, count))
    ]


def ordered_styles(count: int) -> list[dict[str, Any]]:
    """Return styles for lines that have an order, from light to dark.

    Parameters
    ----------
    count : int
        How many lines.

    Returns
    -------
    list of dict of str to Any
        As `line_styles` returns them.
    """
    shades = colormaps["viridis"](np.linspace(PALEST, 0, count) if count > 1 else [0.0])
    sizes = np.linspace(LARGE, LITTLE, count)
    return [_style(to_hex(shades[i]), i, size=float(sizes[i])) | {"linestyle": "-"} for i in range(count)]


def _style(colour: str, number: int, *, size: float) -> dict[str, Any]:
    return {
        "color": colour,
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": float(size),
        "markerfacecolor": "white",
    }
