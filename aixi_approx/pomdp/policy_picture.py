"""A finite-state controller as a picture: boxes in layers from the start, arrows in lanes that never overlap.

A box is a node: its action and state, then a row for each next node with the percepts that lead there. The arrows to a
node have its colour. They leave a box on the right and enter on the left; what goes back to an earlier layer takes a
lane above all boxes. Lengths are points.
"""

from __future__ import annotations

import textwrap
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path as Line

from aixi_approx.display.palette import COLOURS as PALETTE
from aixi_approx.display.picture import Picture
from aixi_approx.display.words import two_digits
from aixi_approx.pomdp.policy_in_words import Arrow, describe, policy_title

if TYPE_CHECKING:
    from aixi_approx.pomdp.solution import Solution

DRAWN = 12  # nodes; of a longer policy, the first of them
FONT, LINE, LETTER = 9, 13, 5.4  # size, height of a line, width of a letter
PAD, LANE, GAP = 8, 9, 20  # margin in a box, between lanes, beside them and between boxes
SHADES = tuple(PALETTE[i % len(PALETTE)] for i in range(DRAWN))  # seven, and again: numbers tell the nodes, too
NOTE = (
    "A box is a node of the policy: begin in node 0 and take its action. In grey, the true state and its probability "
    "there. Below, what can be perceived then, observation and reward, its probability, and an arrow to the next node."
)


class Box(NamedTuple):
    """A node, laid out: its lines of text and its place; x and y of the upper left corner, y upwards."""

    title: str
    state: list[str]
    rows: list[tuple[list[str], Arrow]]
    x: float
    y: float
    width: float

    @property
    def height(self) -> float:
        """Height of the box."""
        return PAD + LINE * (1 + len(self.state) + sum(len(lines) for lines, _ in self.rows)) + PAD

    def row_y(self, row: int) -> float:
        """Return the middle of a row of percepts."""
        above = 1 + len(self.state) + sum(len(lines) for lines, _ in self.rows[:row])
        return self.y - PAD - LINE * (above + len(self.rows[row][0]) / 2)


def draw_policy(solution: Solution) -> Picture:
    """Draw the policy of a solution: at most its first 12 nodes.

    Parameters
    ----------
    solution : Solution
        Of a POMDP; its title stands above the picture.

    Returns
    -------
    Picture
        A figure, of which a notebook shows a PNG.
    """
    total = len(solution.controller.action)
    shown = min(DRAWN, total)
    boxes, layer = _unplaced(solution, shown)
    lanes = _lanes(boxes, layer)
    boxes, gap_x = _placed(boxes, layer, [len(targets) for targets in lanes])
    long = sorted({a.node for i, box in enumerate(boxes) for _, a in box.rows if _goes_back(i, a.node, layer)})
    top = max(box.y for box in boxes)
    bus = {target: top + GAP + LANE * k for k, target in enumerate(long)}
    lane_x = [{target: gap_x[g] + LANE * k for k, target in enumerate(targets)} for g, targets in enumerate(lanes)]

    bottom = min(box.y - box.height for box in boxes)
    right = gap_x[-1] + LANE * len(lanes[-1]) + GAP
    width = max(right, 420.0)
    name = solution.pomdp.title or solution.pomdp.name
    title = f"{name}: {policy_title(solution)}" + f", the first {shown} of its {total:,} nodes" * (shown < total)
    bounds = f"It earns {solution.lower:.9g} per cycle in the long run; no agent earns more than {solution.upper:.9g}."
    note = textwrap.wrap(NOTE, int(width / LETTER * 1.1))
    high = max([top, *bus.values()]) + GAP + 3 * LINE
    low = bottom - GAP - LINE * len(note)
    figure = Picture(figsize=((width + 2 * PAD) / 72, (high - low + 2 * PAD) / 72), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-PAD, width + PAD), ylim=(low - PAD, high + PAD))
    axes.axis("off")
    axes.text(0, high, title, fontsize=FONT + 2, weight="bold", va="top", parse_math=False)
    axes.text(0, high - 1.4 * LINE, bounds, fontsize=FONT, va="top")
    axes.text(0, low, "\n".join(note), fontsize=FONT - 1, color="0.35", va="bottom", linespacing=1.3)
    for i, box in enumerate(boxes):
        for row, (_, arrow) in enumerate(box.rows):
            begin = (box.x + box.width, box.row_y(row))
            if arrow.node >= shown:
                axes.annotate(
                    f"{arrow.node}", begin, (begin[0] + GAP, begin[1]), fontsize=FONT - 2, color="0.5", va="center",
                    arrowprops={"arrowstyle": "<-", "color": "0.5", "shrinkB": 0},
                )  # fmt: skip
                continue
            target, gap = boxes[arrow.node], layer[i] + 1
            end = (target.x, target.y - PAD - LINE / 2)
            leave, enter = lane_x[gap][arrow.node], lane_x[layer[arrow.node]][arrow.node]
            if _goes_back(i, arrow.node, layer):
                above = bus[arrow.node]
                line = [begin, (leave, begin[1]), (leave, above), (enter, above), (enter, end[1]), end]
            else:
                line = [begin, (leave, begin[1]), (leave, end[1]), end]
            _line(axes, line, SHADES[arrow.node])
    for i, box in enumerate(boxes):
        _box(axes, box, SHADES[i])
    return figure


def _unplaced(solution: Solution, shown: int) -> tuple[list[Box], list[int]]:
    """The boxes without a place, and the layer of each: how many cycles after the start it can be met first."""
    boxes, layer = [], [0] * shown
    met = {0}
    for i in range(shown):
        node = describe(solution, i)
        rows = []
        for arrow in node.arrows:
            rows.append((textwrap.wrap(f"{arrow.label}  ({two_digits(arrow.probability)})", 30), arrow))
            if arrow.node < shown and arrow.node not in met:
                met.add(arrow.node)
                layer[arrow.node] = layer[i] + 1
        state = node.belief
        letters = max(len(line) for line in [node.action + " " * 8, *state, *(line for ls, _ in rows for line in ls)])
        boxes.append(Box(f"{i}  {node.action}", state, rows, 0, 0, letters * LETTER + 2 * PAD))
    return boxes, layer


def _goes_back(source: int, target: int, layer: list[int]) -> bool:
    return target < len(layer) and layer[target] <= layer[source]


def _lanes(boxes: list[Box], layer: list[int]) -> list[list[int]]:
    """The nodes that have a lane before each layer and after the last: those to which lines go up or down there."""
    lanes: list[set[int]] = [set() for _ in range(max(layer) + 2)]
    for i, box in enumerate(boxes):
        for _, arrow in box.rows:
            if arrow.node < len(boxes):
                lanes[layer[i] + 1].add(arrow.node)
                lanes[layer[arrow.node]].add(arrow.node)
    return [sorted(targets) for targets in lanes]


def _placed(boxes: list[Box], layer: list[int], lanes: list[int]) -> tuple[list[Box], list[float]]:
    """The boxes in columns, one for each layer, and x of the first lane before each and after the last."""
    placed, gap_x, x = list(boxes), [], 0.0
    for column, count in enumerate(lanes):
        gap_x.append(x + GAP)
        x += LANE * count + 2 * GAP
        here = [i for i in range(len(boxes)) if layer[i] == column]
        if not here:
            continue
        width = max(boxes[i].width for i in here)
        heights = [boxes[i].height + GAP for i in here]
        for i, down in zip(here, accumulate(heights, initial=0.0), strict=False):
            placed[i] = boxes[i]._replace(x=x, y=(sum(heights) - GAP) / 2 - down, width=width)
        x += width
    return placed, gap_x


def _line(axes: Axes, path: list[tuple[float, float]], colour: str) -> None:
    """An arrow along a path of straight pieces."""
    arrow = FancyArrowPatch(
        path=Line(path), arrowstyle="-|>", mutation_scale=9, color=colour, linewidth=1.3, joinstyle="round"
    )
    axes.add_patch(arrow)
    axes.plot(*path[0], "o", color=colour, markersize=3)


def _box(axes: Axes, box: Box, colour: str) -> None:
    """A box with its text."""
    corner = (box.x, box.y - box.height)
    outline = FancyBboxPatch(
        corner, box.width, box.height, boxstyle="round,pad=0,rounding_size=5", facecolor="white", edgecolor=colour
    )
    axes.add_patch(outline)
    head = Rectangle((box.x, box.y - PAD - LINE), box.width, PAD + LINE, facecolor=colour, alpha=0.18, edgecolor="none")
    head.set_clip_path(outline)
    axes.add_patch(head)
    y = box.y - PAD - LINE / 2
    axes.text(box.x + PAD, y, box.title, fontsize=FONT + 1, weight="bold", va="center", parse_math=False)
    for line in box.state:
        y -= LINE
        axes.text(box.x + PAD, y, line, fontsize=FONT, color="0.45", va="center", parse_math=False)
    for lines, _ in box.rows:
        for line in lines:
            y -= LINE
            axes.text(box.x + PAD, y, line, fontsize=FONT, va="center", parse_math=False)
