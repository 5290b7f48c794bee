"""Pictures: colours that the colour-blind tell apart, letters that can be read, legends that hide nothing."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Line
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from test_results import FULL, VARIANTS, planes

from aixi_approx.display.palette import COLOURS, line_styles, ordered_styles
from aixi_approx.jair2011.figures import learning_curves, pacman_curves, search_curves
from aixi_approx.jair2011.tables import points
from aixi_approx.laboratory.plot_environment import LINES, _regret, draw_one
from aixi_approx.laboratory.plot_families import draw_all
from aixi_approx.laboratory.plot_law import LawCurve, draw_law
from aixi_approx.laboratory.plot_parts import EITHER, PART_COLOURS, ROOM, label_contours
from aixi_approx.laboratory.plot_train_test import draw_train_test
from aixi_approx.laboratory.regret import PARTS
from aixi_approx.laboratory.results import LEVELS
from aixi_approx.laws.estimate import Estimate

Floats = NDArray[np.float64]

# ---------------------------------------------------------------------------------------------------- colours

# What dichromats see, on linear RGB, severity 1: Machado, Oliveira, Fernandes 2009 ("A physiologically-based model for
# simulation of color vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15).
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# OKLab (Ottosson 2020, "A perceptual color space for image processing").
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
APART = 0.07  # of colours drawn together, in OKLab; 0.02 is just noticeable side by side (CSS Color Module 4, 13.2)


def perceived(colour: str, sight: Floats) -> Floats:
    """A colour in OKLab, as somebody sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # sRGB, IEC 61966-2-1
    return LAB @ np.cbrt(CONES @ np.clip(sight @ linear, 0, 1))


def apart(one: str, other: str) -> float:
    """How far two colours are from each other, to those who tell them worst."""
    return min(float(np.linalg.norm(perceived(one, s) - perceived(other, s))) for s in SIGHT.values())


def test_the_measure_knows_what_it_is_for() -> None:
    assert perceived("white", SIGHT["all colours"]) == pytest.approx([1, 0, 0], abs=1e-4)
    for sight in SIGHT.values():
        assert perceived("white", sight) == pytest.approx([1, 0, 0], abs=1e-3), "grey stays grey"
    assert apart("tab:orange", "tab:green") < 0.02
    assert apart("tab:green", "tab:red") < APART
    assert np.linalg.norm(np.subtract(*(perceived(c, SIGHT["all colours"]) for c in ("tab:green", "tab:red")))) > 0.2


@pytest.mark.parametrize(
    "colours",
    [
        COLOURS,
        tuple(PART_COLOURS.values()),
        *(tuple(style["color"] for style in ordered_styles(count)) for count in (LINES, len(LEVELS))),
    ],
)
def test_colours_drawn_together_are_told_apart(colours: tuple[str, ...]) -> None:
    for one, other in combinations(colours, 2):
        assert apart(one, other) > APART, (one, other)
    for colour in colours:
        if colour != PART_COLOURS["exploration"]:  # which has a black edge
            assert apart(colour, "white") > 0.2


@pytest.mark.parametrize("styles", [line_styles, ordered_styles])
def test_each_line_has_a_style_of_its_own(styles: object) -> None:
    for count in (1, 2, 7, 30):
        found = styles(count)  # type: ignore[operator]
        assert len(found) == count
        assert len({(style["color"], style["marker"], style["linestyle"]) for style in found}) == count
        sizes = [style["markersize"] for style in found]
        assert sizes == sorted(sizes, reverse=True), "what is drawn later hides less"
        assert len(set(sizes)) == count


# ---------------------------------------------------------------------------------------------------- layout

PIXELS = 900  # the width of a picture on a page
LEAST = 9.9  # pixels of the smallest letters there


def laid_out(figure: Figure) -> Figure:
    """A figure as a page shows it."""
    figure.set_dpi(PIXELS / figure.get_figwidth())
    figure.draw_without_rendering()
    return figure


def legends(figure: Figure) -> list[tuple[Bbox, set[Text]]]:
    """The legends, each as its place and its texts."""
    own = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    return [(each.get_window_extent(), set(each.findobj(Text))) for each in (*figure.legends, *own)]


def hidden(figure: Figure) -> Iterator[str]:
    """What a legend lies on."""
    for place, _ in legends(figure):
        for axes in figure.axes:
            inside = Bbox.intersection(place, axes.bbox)
            if inside is not None and inside.width > 0 and inside.height > 0:
                yield from (f"{artist} in {axes.get_title()}" for artist in drawn_in(axes) if meets(artist, inside))


def drawn_in(axes: Axes) -> list[object]:
    """The data of a panel."""
    return [*axes.lines, *axes.patches, *axes.collections, *axes.images, *axes.texts]


def meets(artist: object, place: Bbox) -> bool:
    """Whether something that is drawn is seen at a place."""
    if isinstance(artist, Line2D):
        path = artist.get_transform().transform_path(artist.get_path())
        joined = artist.get_linestyle() not in ("None", "none", "", " ")
        return (joined and path.intersects_bbox(place, filled=False)) or bool(place.count_contains(path.vertices))
    if isinstance(artist, PathCollection):
        return bool(place.count_contains(artist.get_offset_transform().transform(artist.get_offsets())))
    if isinstance(artist, Collection) and artist.get_paths():
        shapes: list[Line] = [artist.get_transform().transform_path(path) for path in artist.get_paths()]
        return any(len(shape.vertices) and shape.intersects_bbox(place, filled=True) for shape in shapes)
    return bool(place.overlaps(artist.get_window_extent()))  # type: ignore[attr-defined]


def texts(figure: Figure) -> list[Text]:
    """The texts that are seen, but for labels on what is drawn."""
    found: list[Text] = []
    for axes in figure.axes:
        if not axes.axison:
            found += axes.texts
            continue
        found += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]  # type: ignore[attr-defined]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            found += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_visible()]
    found += [text for _, members in legends(figure) for text in members]
    found += figure.texts  # the titles of the figure are among them
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def faults(figure: Figure) -> list[str]:
    """What can't be read or seen in a figure."""
    figure = laid_out(figure)
    found = [f"a legend hides {what}" for what in hidden(figure)]
    shown = texts(figure)
    every = [*shown, *(text for axes in figure.axes for text in axes.texts)]
    for text in every:
        pixels = text.get_fontsize() * figure.dpi / 72
        if pixels < LEAST:
            found.append(f"{text.get_text()!r} is {pixels:.1f} pixels high")
    places = [text.get_window_extent() for text in shown]
    canvas = figure.bbox.padded(1)
    for text, place in zip(shown, places, strict=True):
        if not (canvas.contains(*place.min) and canvas.contains(*place.max)):
            found.append(f"{text.get_text()!r} is cut off")
    for (one, here), (other, there) in combinations(zip(shown, places, strict=True), 2):
        common = Bbox.intersection(here, there)
        if common is not None and min(common.width, common.height) > 1:
            found.append(f"{one.get_text()!r} lies on {other.get_text()!r}")
    return found


def test_faults_are_found() -> None:
    figure = Figure(figsize=(9, 3))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], label="a line")
    left.legend(loc="center", fontsize=10)
    right.bar([0], [1], label="a bar")
    right.legend(loc="lower center", fontsize=6)
    right.set_ylabel("a label much longer than the panel is high, which is cut off at both of its ends", fontsize=10)
    figure.text(0.5, 0.5, "over", fontsize=10)
    figure.text(0.5, 0.5, "lies", fontsize=10)
    found = "\n".join(faults(figure))
    for fault in (
        "hides Line2D",
        "hides Rectangle",
        "'a bar' is 8.3 pixels high",
        "is cut off",
        "'over' lies on 'lies'",
    ):
        assert fault in found, fault
    good = Figure(figsize=(9, 3), layout="constrained")
    axes = good.subplots()
    axes.plot([0, 1], [0, 1], label="a line")
    axes.legend(loc="upper left", fontsize=10)
    assert faults(good) == []


@pytest.mark.parametrize("name", ["full", "partial", "nothing", "perfect"])
def test_one_environment_is_readable(name: str) -> None:
    assert faults(draw_one(VARIANTS[name])) == []


def test_what_is_prediction_or_decision_stands_between_both() -> None:
    axes = Figure().subplots()
    parts = np.full((2, 3, len(PARTS)), 0.1)
    either = np.array([[0.1, 0.2, -0.1], [0.3, 0.2, -0.3]])
    _regret(axes, np.array([1.0, 10.0, 100.0]), parts=parts, shown=("prediction", "decision"), either=either)
    unknown, decision = axes.containers[1:3]
    assert [unknown.get_label(), decision.get_label()] == [EITHER, "decision"]
    assert unknown[0].get_facecolor() == to_rgba(PART_COLOURS[EITHER])
    assert [bar.get_height() for bar in unknown] == pytest.approx([0.2, 0.2, -0.2])
    assert [bar.get_y() for bar in unknown] == pytest.approx([0.1, 0.1, 0.0])
    assert [bar.get_y() for bar in decision] == pytest.approx([0.3, 0.3, 0.1])
    assert [line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 3] == pytest.approx([0.6])
    without = Figure().subplots()
    _regret(without, np.array([1.0, 10.0, 100.0]), parts=parts, shown=("prediction", "decision"))
    assert EITHER not in without.get_legend_handles_labels()[1]


def test_all_environments_are_readable() -> None:
    assert faults(draw_all([FULL, VARIANTS["partial"], VARIANTS["unsolved"]])) == []


def law_curve(label: str, middle: float, **given: object) -> LawCurve:
    """Scores on a law from 1,000 to 10**8 bits, with intervals of a tenth."""
    compute = 10.0 ** np.arange(3, 9)
    score = 1 / (1 + middle / compute)
    curve = LawCurve(
        label=label,
        compute=compute,
        score=score,
        low=score - 0.05,
        high=score + 0.05,
        fitted=4,
        law=lambda x: 1 / (1 + middle / x),
        c50=Estimate(middle, middle / 2, middle * 2),
        gamma=Estimate(1.0, 0.9, 1.1),
        share=np.array([np.nan, 0.5, 0.4, 0.3, 0.2, 0.1]),
        share_low=np.full(6, 0.1),
        share_high=np.full(6, 0.6),
        unit="bits",
    )
    return curve._replace(**given)  # type: ignore[arg-type]


def test_the_law_is_drawn_as_it_is() -> None:
    curves = [law_curve("tiger", 1e5), law_curve("locks:1", 3e5, fitted=6)]
    figure = draw_law(curves)
    assert faults(figure) == []
    scores, odds, shares, table = figure.axes
    lines = [line for line in scores.lines if len(line.get_xdata()) > 100]
    assert [(line.get_xdata()[0], line.get_xdata()[-1], line.get_linestyle()) for line in lines] == [
        (pytest.approx(1e3), pytest.approx(1e6), "-"),
        (pytest.approx(1e6), pytest.approx(1e8), "--"),
        (pytest.approx(1e3), pytest.approx(1e8), "-"),
    ]
    for line in lines:
        middle = 1e5 if line.get_color() == lines[0].get_color() else 3e5
        assert line.get_ydata() == pytest.approx(1 / (1 + middle / line.get_xdata()))
    measured = [line for line in scores.lines if line.get_linestyle() == "None" and line.get_marker() in "os"]
    hollow = [line.get_markerfacecolor() == "white" for line in measured]
    assert [list(line.get_xdata()) for line in measured if len(line.get_xdata())] == [
        [1e3, 1e4, 1e5, 1e6],
        [1e7, 1e8],
        [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
    ]
    assert hollow == [False, True, False, True]
    shown = np.concatenate([line.get_xydata() for line in odds.lines if line.get_linestyle() == "None"])
    shown = shown[np.isfinite(shown).all(axis=1)]
    there = [(curve.low > 0) & (curve.high < 1) for curve in curves]
    expected = [x / middle for middle, keep in zip((1e5, 3e5), there, strict=True) for x in curves[0].compute[keep]]
    points = shown[np.isclose(shown[:, 0], shown[:, 1])]
    assert sorted(points[:, 0]) == pytest.approx(sorted(expected)), "all lie on the diagonal"
    left_out = 12 - len(expected)
    assert 0 < left_out < 12
    assert f"{left_out} of 12 points left out" in odds.get_xlabel()
    assert list(shares.lines[0].get_ydata()) == [0.5, 0.4, 0.3, 0.2, 0.1], "what is not known is left out"
    said = [text.get_text() for text in table.texts]
    assert said[:2] == ["bits for ½", r"steepness $\gamma$"]
    assert said[2:5] == ["tiger", "100k (50k to 200k)", "1.00 (0.90 to 1.10)"]
    assert said[5:] == ["locks:1", "300k (150k to 600k)", "1.00 (0.90 to 1.10)"]


def test_a_law_of_anything_is_drawn() -> None:
    """No interval, no share, nothing fitted, no odds that can be told."""
    unknown = np.full(6, np.nan)
    curve = law_curve(
        "tiger", 1e5, fitted=0, low=np.full(6, -np.inf), high=np.full(6, np.inf), share=unknown,
        gamma=Estimate(1.0, -np.inf, np.inf),
    )  # fmt: skip
    figure = draw_law([curve])
    assert faults(figure) == []
    assert "6 of 6 points left out" in figure.axes[1].get_xlabel()
    assert figure.axes[3].texts[-1].get_text() == "1.00"
    assert faults(draw_law([law_curve(f"{i}", 10.0 ** (3 + i / 3)) for i in range(10)])) == []
    for wrong in ([], [curve, curve._replace(unit="seconds")]):
        with pytest.raises(ValueError, match="they must be one"):
            draw_law(wrong)


@pytest.mark.parametrize("closeness", [1, 3, 30])
def test_levels_stand_on_their_contours(closeness: int) -> None:
    """Two hills with a valley between; levels close to each other are not all written."""
    axes = Figure().subplots()
    x, y = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-1, 1, 41))
    height = np.minimum(np.abs(x), 1.5) - y**2 / 10
    levels = [0.8 + i / 4 / closeness for i in range(3)]
    label_contours(axes, axes.contour(x, y, height, levels=levels))
    place = (axes.transAxes - axes.transData).transform([text.get_position() for text in axes.texts])
    for text, (here, there) in zip(axes.texts, place, strict=True):
        assert min(abs(here), 1.5) - there**2 / 10 == pytest.approx(float(text.get_text()), abs=0.01)
    assert len({text.get_text() for text in axes.texts}) == len(axes.texts) == 3
    for one, other in combinations([text.get_position() for text in axes.texts], 2):
        assert np.linalg.norm(np.subtract(one, other)) > ROOM


def test_a_level_without_room_is_not_written() -> None:
    axes = Figure().subplots()
    x, y = np.meshgrid(np.linspace(0, 1, 11), np.linspace(0, 1, 11))
    lines = axes.contour(x, y, np.hypot(x - 0.5, y - 0.5), levels=[0.02, 0.03])
    label_contours(axes, lines)
    assert len(axes.texts) == 1


def test_train_against_test_is_readable() -> None:
    learn, act = np.meshgrid(np.arange(1, 4), np.arange(5), indexing="ij")
    score = np.concatenate([np.full((3, 1), 0.05), act / 10 + learn / 20], axis=1)
    figure = draw_train_test([planes(score + 0.001 * np.array([-1, 0, 1])[:, None, None])] * 3)
    assert figure is not None
    assert faults(figure) == []


# ---------------------------------------------------------------------------------------------------- programs

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
SOME = ("tiger", "cheese-maze", "locks:3")  # environments; all of them take minutes


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are written, without writing them."""
    found: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: found.append(figure))
    return found


def program(path: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program of the benchmarks as a module."""
    for folder in ("search", "skill"):
        monkeypatch.syspath_prepend(str(RESULTS.parent / folder))
    return SimpleNamespace(**runpy.run_path(str(RESULTS.parent / path)))


def rows_of(path: str, *names: str) -> list[dict[str, Any]]:
    """Rows that were measured, of some environments or all."""
    rows = [json.loads(line) for line in (RESULTS / path).read_text().splitlines()]
    return [row for row in rows if not names or row["environment"] in names]


def drawn_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program draw what was measured."""
    path = Path("picture.png")
    if name == "environments/search":
        module = program("environments/search.py", monkeypatch)
        rows = {(row["environment"], row["planner"], row["simulations"]): row for row in rows_of("search.jsonl")}
        module.draw(rows, ["locks", "nim", "t-maze", "matrix"], path=path)
        return
    if name == "environments/problems":
        module = program("environments/problems.py", monkeypatch)
        best, rows = (
            {row["problem"]: row["lower"] for row in rows_of("problems.jsonl")},
            rows_of("problems_agents.jsonl"),
        )
        module.draw([module.Scores(f"{each}.POMDP", rows, best[f"{each}.POMDP"]) for each in module.TEN], path)
        return
    module = program(f"{name}.py", monkeypatch)
    file = f"{name}.jsonl"
    if name == "search/families":
        planners = module.Planners("rhouct", ("rhouct", "rhouct+ucb:0.7"), "dpuct", "dpuct+leaves:sampled")
        found = module.Losses(rows_of(file, *SOME), planners)
        module.draw(found, path)
        module.draw_means(found, path)
    elif name == "search/decay":
        module.draw(
            [(curve, module.fit(curve)) for curve in module.curves(rows_of(file, "tiger", "locks:2", "bandit:3"))], path
        )
    elif name == "search/learned":
        module.draw(module.scores(rows_of(file)), path)
    elif name == "skill/distillation":
        module.draw(module.gathered(rows_of(file), "environment"), module.FITTED, path)
    elif name == "skill/rollouts":
        module.draw(rows_of(file), module.SIMULATIONS, path)
    elif name == "skill/take_off":
        groups = module.gathered(rows_of(file), "environment", "simulations", "learner", "taught", "quality", "frozen")
        wanted = module.pupils(["locks:3", "cheese-maze"], False)
        keys = {start: own[0] for start, own in wanted.items()}
        module.draw(
            {
                start: groups[key.environment, key.simulations, key.learner, key.taught, key.quality, key.frozen]
                for start, key in keys.items()
            },
            path,
        )
    else:
        rows = rows_of(file, "tiger", "kuhn-poker")
        module.draw(rows, path)
        module.draw_means({model: [row for row in rows if row["model"] == model] for model in ("true", "ctw")}, path)


@pytest.mark.parametrize(
    "name",
    [
        *("environments/search", "environments/problems"),
        *("search/families", "search/decay", "search/learned"),
        *("skill/distillation", "skill/rollouts", "skill/take_off", "skill/dial"),
    ],
)
def test_pictures_of_programs_are_readable(name: str, figures: list[Figure], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_by(name, monkeypatch)
    assert len(figures) == 1 + (name in ("search/families", "skill/dial"))
    for figure in figures:
        assert faults(figure) == []


def test_pictures_of_the_paper_are_readable() -> None:
    """Without the names of the machine: Pac-Man, and agents that are counted from one."""
    rows = rows_of("reproduction.jsonl", "1d-maze", "tiger", "kuhn-poker", "pacman")
    found = points(sorted(rows, key=lambda row: not row["learn"]))
    learning = {f"{learner}, seed 0": [0] * 12_000 for learner in ("rhouct", "q-learning")}
    figures = [learning_curves(found), search_curves(found), pacman_curves(found, learning)]
    for figure in figures:
        assert faults(figure) == []
    texts_of_legend = {text.get_text() for _, members in legends(figures[-1]) for text in members}
    assert {"MC-AIXI (rhoUCT), ours, agent 1", "Q-learning, ours, agent 1", "MC-AIXI, paper"} <= texts_of_legend
