"""The plan of `aixi scale --plan`: how a budget of compute is best spent, by what a study measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import print_json

if TYPE_CHECKING:
    from aixi_approx.laboratory.budget import Advice
    from aixi_approx.laboratory.results import Results
    from aixi_approx.laws.estimate import Estimate


def show_plan(found: Sequence[Results], compute: float, *, as_json: bool) -> None:
    """Print what to do with a budget in each environment.

    Parameters
    ----------
    found : sequence of Results
        Of a study, with the decisions that are to be made and the unit of compute.
    compute : float
        The budget, of learning and all decisions.
    as_json : bool
        Whether to print JSON.

    Raises
    ------
    click.ClickException
        If it can't be said in any environment, with the reason in the first.
    """
    from aixi_approx.laboratory.budget import advise

    advice, refused = {}, {}
    for f in found:
        try:
            advice[f.title] = advise(f, compute)
        except ValueError as error:
            refused[f.title] = str(error)
    if not advice:
        raise click.UsageError(next(iter(refused.values())))
    if as_json:
        told = {title: {**each._asdict(), **_intervals(each)} for title, each in advice.items()}
        print_json({"plan": told, "refused": refused})
        return
    for title, each in advice.items():
        print(f"{title}: {compute:.3g} {each.unit}, {each.decisions:,.0f} decisions\n")
        for label, text in _lines(each):
            print(f"  {label:<22}{text}")
        print()
    for reason in refused.values():
        print(reason)


def _intervals(advice: Advice) -> dict[str, dict[str, float | None]]:
    from aixi_approx.laws.estimate import finite

    return {
        name: {end: finite(value) for end, value in getattr(advice, name)._asdict().items()}
        for name in ("experience", "simulations", "share", "score")
    }


def _lines(advice: Advice) -> list[tuple[str, str]]:
    lines = [
        ("learn from", f"{_with(advice.experience, '{:,.0f}')} cycles"),
        ("search", f"{_with(advice.simulations, '{:,.0f}')} simulations a decision"),
        ("share of learning", _with(advice.share, "{:.2f}")),
        ("score to expect", f"{_with(advice.score, '{:.3f}')}; {advice.source}"),
    ]
    if advice.score.mean <= 0:
        lines.append(("beware", "as good as acting at random, or worse: so little buys nothing there"))
    if advice.enough is not None and advice.enough < advice.compute:
        lines.append(("enough", f"{advice.enough:.3g} {advice.unit} come as near to the best score"))
    return lines


def _with(value: Estimate, form: str) -> str:
    from aixi_approx.laboratory.conclusions import between

    told = between(value, form)
    return told if isfinite(value.low) else f"{told} (no interval: it takes four agents)"
