"""The picture of forecast scores, beside measured ones where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aixi_approx.display.picture import Picture
from aixi_approx.laboratory.forecast import Forecast
from aixi_approx.laboratory.plot_parts import SCORE, SIMULATIONS
from aixi_approx.laws.estimate import Estimate

ORANGE, BLUE, SKY = "#D55E00", "#0072B2", "#56B4E9"  # Okabe, Ito: told apart by colour-blind people


def draw_forecasts(found: Mapping[str, Forecast], measured: Mapping[str, Sequence[Estimate]] | None = None) -> Picture:
    """Draw forecasts, one panel each.

    Parameters
    ----------
    found : mapping of str to Forecast
        By title.
    measured : mapping of str to sequence of Estimate, optional
        Scores by title, for the simulations of the forecast.

    Returns
    -------
    Picture
        Of up to four columns.
    """
    columns = min(4, len(found))
    lines = -(-len(found) // columns)
    figure = Picture(figsize=(max(6.0, 3.1 * columns), 2.5 * lines + 0.7), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    for axes, (title, one) in zip(panels, found.items(), strict=False):
        n = one.simulations
        axes.fill_between(n, one.low, one.high, color=SKY, alpha=0.3, lw=0, label="its interval")
        axes.plot(n, one.baseline, ":", color="0.55", lw=1.2, label="baseline: gaps and noise, no tree")
        axes.plot(n, one.score, color=BLUE, lw=1.6, label="forecast, without a search")
        if measured and title in measured:
            mean, low, high = np.array(measured[title]).T
            bars = np.maximum(0, [mean - low, high - mean])
            axes.errorbar(n, mean, bars, fmt="o", color=ORANGE, ms=4, lw=1.2, label="measured, 95 %")
        axes.set_title(title, fontsize=9)
        axes.set(xscale="log")
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=8)
    least = min(float(one.score.min()) for one in found.values())
    panels[0].set_ylim(min(-0.1, least - 0.1), 1.12)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2 if columns < 3 else 4, fontsize=8)
    figure.supxlabel(SIMULATIONS, fontsize=9)
    figure.supylabel(SCORE, fontsize=9)
    return figure
