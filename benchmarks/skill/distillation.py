"""How fast decisions become predictions: the surprise of a policy at the decisions of a search, over cycles.

    python benchmarks/skill/distillation.py [ENVIRONMENT ...] [--picture docs/skill-distillation.png]

Given the true environment, dpuct decides with 100 simulations, without being guided; its policy only learns. Where the
decisions are a function of the last bits of the history with k parameters, the surprise that has come up to cycle n, in
bits, grows like

    S(n) = a + (k / 2) log2 n + h n

(Rissanen 1984), h being the entropy of what the search does by chance, between equals or by noise. The mean surprise of
a decision beyond h, which is KL(search || policy), then falls like (k / 2) log2(e) / n. Constants are fitted to the
first 3,000 of 10,000 cycles; the rest tells the law from its rivals: a line through the last half of what was fitted,
and nothing more to come. Five seeds. Two minutes on two cores; `--quick`: some seconds.

Written down before the first full run: the law foresees S(10,000) better than either rival in the mean over the
environments, and its error is below a tenth of S(10,000) in at least five of six.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from pupil import FOLDER, Pupil, gathered, measure, seconds_of
from scipy.optimize import nnls

from exact_regret import COLOURS, Row, arguments, complete, markdown, save  # isort: skip
from matplotlib.figure import Figure

from aixi_approx.laboratory.plot_parts import WIDTH

NAMES = ("tiger", "nim:24-perfect", "corridor:6", "rocksample:2-1", "cheese-maze", "kuhn-poker")
UNGUIDED = "dpuct+policy:learned+rollout:uniform+rule:spread"
MARKS = sorted({round(10 ** (i / 8)) for i in range(8, 33)})  # 10 to 10,000
FITTED, SEEDS = 3_000, 5


def pupils(names: list[str], quick: bool) -> list[Pupil]:
    """Return the pupils."""
    marks = [1, 2, 5, 10, 20, 30] if quick else MARKS
    return [
        Pupil(
            environment=name,
            model="true",
            learner=UNGUIDED,
            simulations=10 if quick else 100,
            marks=", ".join(map(str, marks)),
            actors="",
            decisions=1,
            seed=seed,
        )
        for name in names
        for seed in range(2 if quick else SEEDS)
    ]


def features(cycles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is multiplied by a, k and h."""
    return np.stack([np.ones(len(cycles)), 0.5 * np.log2(cycles), cycles], axis=1)


def fit(cycles: NDArray[np.float64], surprise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a, k and h, none negative, by least squares of relative errors."""
    weight = 1.0 / np.maximum(surprise, 1.0)
    return nnls(features(cycles) * weight[:, None], surprise * weight)[0]


def curve(rows: list[Row]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cycles and the mean surprise up to each."""
    cycles = np.array([result["cycles"] for result in rows[0]["results"]], dtype=float)
    return cycles, np.array([mean(row["results"][i]["surprise"] for row in rows) for i in range(len(cycles))])


def foreseen(cycles: NDArray[np.float64], surprise: NDArray[np.float64], fitted: float) -> dict[str, float]:
    """Return what each form says of the last cycle, from the first ones."""
    early = cycles <= fitted
    half = early & (cycles >= fitted / 2)
    slope = np.polyfit(cycles[half], surprise[half], 1) if half.sum() > 1 else np.array([0.0, surprise[early][-1]])
    return {
        "law": float((features(cycles[-1:]) @ fit(cycles[early], surprise[early]))[0]),
        "a line": float(np.polyval(slope, cycles[-1])),
        "nothing more": float(surprise[early][-1]),
    }


def table(groups: dict[tuple[str], list[Row]], fitted: float) -> str:
    """Return constants and forecasts, in Markdown."""
    lines, errors = [], []
    for (name,), rows in groups.items():
        cycles, surprise = curve(rows)
        a, k, h = fit(cycles[cycles <= fitted], surprise[cycles <= fitted])
        said = foreseen(cycles, surprise, fitted)
        errors.append([abs(value - surprise[-1]) / surprise[-1] for value in said.values()])
        own = [f"{value:.1f} ({value / surprise[-1] - 1:+.0%})" for value in said.values()]
        lines.append([name, f"{a:.1f}", f"{k:.1f}", f"{h:.4f}", f"{surprise[-1]:.1f}", *own])
    means = [f"{mean(error):.0%}" for error in zip(*errors, strict=True)]
    lines.append(["mean error", "", "", "", "", *means])
    head = ["environment", "a", "k", "h", "S at the end, bits", "law", "a line", "nothing more"]
    return markdown(head, lines)


def draw(groups: dict[tuple[str], list[Row]], fitted: float, path: Path) -> None:
    """Draw the surprise of a decision beyond what is chance, over cycles, and the law."""
    figure = Figure(figsize=(WIDTH, 5.8), layout="constrained")
    panels = figure.subplots(-(-len(groups) // 3), 3, squeeze=False, sharex=True).flatten()
    for axes, ((name,), rows) in zip(panels, groups.items(), strict=False):
        cycles, surprise = curve(rows)
        constants = fit(cycles[cycles <= fitted], surprise[cycles <= fitted])
        axes.axvspan(cycles[0], fitted, color="0.92", lw=0)
        axes.plot(cycles, surprise, "o", ms=4, color=COLOURS[0], label="measured, mean of the seeds")
        law = r"$a + \frac{k}{2} \log_2 n + h n$, fitted to the grey part"
        axes.plot(cycles, features(cycles) @ constants, color=COLOURS[1], label=law)
        axes.set(title=f"{name}: k = {constants[1]:.0f}, h = {constants[2]:.3f}", xscale="log", ylim=(0, None))
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.supxlabel("decisions n that the policy has learned")
    figure.supylabel("surprise in all, bits")
    save(figure, panels[: len(groups)], path)


def main() -> None:
    """Measure what is missing, and print the table."""
    given = arguments(__doc__, "distillation", FOLDER)
    names = given.environments or list(NAMES[:2] if given.quick else NAMES)
    rows = complete(given.rows, pupils(names, given.quick), measure, seconds_of)
    groups = gathered(rows, "environment")
    fitted = 10 if given.quick else FITTED
    print(table(groups, fitted))
    if given.picture:
        draw(groups, fitted, given.picture)


if __name__ == "__main__":
    main()
