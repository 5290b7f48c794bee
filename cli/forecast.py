"""Forecasts of the score of a search, for `aixi scale --forecast`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import FORMATS, notice, print_json, written
from aixi_approx.display.words import number

if TYPE_CHECKING:
    from aixi_approx.laboratory.forecast import Forecast

DPI = 120  # of pictures


def show_forecast(names: Sequence[str], *, horizon: int | None, as_json: bool, out: Path | None) -> None:
    """Print what searches of several sizes are forecast to score, and draw it.

    Parameters
    ----------
    names : sequence of str
        Environments, as `make` takes them.
    horizon : int or None
        Cycles that the search looks ahead; None stands for each environment's own.
    as_json : bool
        Whether to print one JSON object instead of tables.
    out : Path or None
        A picture to write, or a folder to write forecast.png to; None writes nothing.

    Raises
    ------
    click.UsageError
        If there is nothing to forecast: no environment is named, or one is no POMDP or has no exact solution.
    """
    from aixi_approx.envs import make
    from aixi_approx.laboratory.forecast import forecast
    from aixi_approx.laboratory.plot_forecast import draw_forecasts

    if not names:
        raise click.UsageError("name an environment to forecast the score of a search in")
    found: dict[str, Forecast] = {}
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        for name in names:
            environment = make(name)
            with notice(f"forecasting {environment.title}: following all that can be believed ...", after=2):
                try:
                    found[environment.title] = forecast(environment, horizon)
                except ValueError as error:
                    raise click.UsageError(str(error)) from error
    if out:
        picture = out if out.suffix.lower() in FORMATS else out / "forecast.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        with written(picture):
            draw_forecasts(found).savefig(picture, dpi=DPI)
    if as_json:
        print_json({title: _as_json(one) for title, one in found.items()})
        return
    for title, one in found.items():
        _print(title, one)
    if out:
        print(f"Written: {picture}.")


def _as_json(one: Forecast) -> dict[str, object]:
    arrays = {name: getattr(one, name).tolist() for name in ("score", "low", "high", "baseline")}
    return {"simulations": list(one.simulations), **arrays, "limit": one.limit}


def _print(title: str, one: Forecast) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("simulations", "score", "from", "to", "no tree"):
        table.add_column(column, justify="right", no_wrap=True)
    for i, n in enumerate(one.simulations):
        table.add_row(f"{n:,}", *(number(float(v[i])) for v in (one.score, one.low, one.high, one.baseline)))
    print(f"{title}: score of rhouct on the true model, forecast without a search; 0 random, 1 best")
    Console(highlight=False, markup=False).print(table)
    print(f"  a perfect search to the same horizon, equals at random: {number(one.limit)}\n")
