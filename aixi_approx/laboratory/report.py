"""The report of a study: tables in Markdown, and the conclusions on each environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aixi_approx.estimate import Estimate, finite
from aixi_approx.laboratory.conclusions import conclusions, plus
from aixi_approx.laboratory.results import PARTS, Array, Results, levels_of, mean_over_seeds, seed_mean
from aixi_approx.laboratory.train_test import TrainTest, level_curve
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.trade_off import TradeOff, fit_trade_off


def report(found: Sequence[Results]) -> str:
    """Return all tables, and the conclusions on each environment, in Markdown.

    Parameters
    ----------
    found : sequence of Results
        Of a study; at least one.
    """
    parts = [_summary(found), *_models(found), _laws(found)]
    for f in found:
        parts += [
            f"## {f.title}",
            *_surface(f),
            *_regret(f),
            *_others(f),
            *_train_test(f),
            _predictor(f),
            _compute(f),
            "\n".join(f"- {s}" for s in conclusions(f)),
        ]
    return "\n\n".join(part for part in parts if part)


def _summary(found: Sequence[Results]) -> str:
    order = ("prediction", "decision", "distillation", "horizon", "exploration")
    parts = [part for part in order if any(part in f.parts for f in found)]
    lines = [
        "The most of both: the score, and what the agent loses of it, by part; what exploration would cost in",
        "addition, as much as it explores while it learns; k of the trade-off of search for learning",
        "",
        f"| environment | experience | simulations | score | {' | '.join(parts)} | k |",
        "|---|--:|--:|--:|" + "--:|" * (len(parts) + 1),
    ]
    for f in found:
        cells = [_number(mean_over_seeds(f.long_run[:, -1, -1, PARTS.index(part)] / f.span)) for part in parts]
        k = f.trade_off.k
        most = f"{f.experience[-1]:,.0f} | {f.simulations[-1]:,.0f} | {_number(mean_over_seeds(f.score[:, -1, -1]))}"
        lines.append(f"| {f.title} | {most} | {' | '.join(cells)} | {'' if k is None else _short(k)} |")
    return "\n".join(lines)


def _models(found: Sequence[Results]) -> list[str]:
    """Models that learn, side by side where there are several: differences are those of the same training runs."""
    first = {f.environment: f for f in reversed(found)}
    if len(first) == len(found):
        return []
    lines = [
        "Models compared on the experience of the same training runs: score with the most of both; its difference from",
        "the first model, and that of the log loss in bits per percept; 95 % over seeds",
        "",
        "| environment | model | score | difference | log loss, difference |",
        "|---|---|--:|--:|--:|",
    ]
    for f in found:
        base = first[f.environment]
        cells = [_number(mean_over_seeds(f.score[:, -1, -1]))]
        if f is not base:
            cells.append(_number(mean_over_seeds(f.score[:, -1, -1] - base.score[:, -1, -1])))
            cells.append(_number(mean_over_seeds(f.excess[f.depth][:, -1] - base.excess[base.depth][:, -1])))
        lines.append(f"| {f.environment} | {f.model} | {' | '.join([*cells, '', ''][:3])} |")
    return ["\n".join(lines)]


def _laws(found: Sequence[Results]) -> str:
    lines = [
        "Laws: fitted to the small half of the points and judged by their error at the large half (beside that of the",
        "last-value forecast); parameters fitted to all, with 95 % intervals over seeds",
        "",
        "| environment | what | error | last value | law | parameters |",
        "|---|---|--:|--:|---|---|",
    ]
    for f in found:
        for what, law in f.laws.items():
            lines.append(f"| {f.title} | {what} | {_fitted(law)} |")
    return "\n".join(lines)


def _fitted(law: Comparison) -> str:
    if not law.laws:
        return f"| | {law.why} | "
    first = law.best or law.laws[0]
    error, last_value = (_short(e, 2) for e in (first.error, law.persistence))
    if not law.best:
        return f"{error} | {last_value} | none; the nearest: {first.formula} | "
    parameters = ", ".join(f"{name} = {_short(value)}" for name, value in first.parameters.items())
    return f"{error} | {last_value} | {first.formula} | {parameters}"


def _short(value: Estimate, digits: int = 3) -> str:
    """A number with its interval, which may be open to one side; without it if it is open to both."""
    mean, low, high = (f"{each:.{digits}g}" for each in value)
    return f"{mean} ({low} to {high})" if np.isfinite(value[1:]).any() else mean


def _surface(f: Results) -> list[str]:
    what, values = ("score", f.score) if np.isfinite(f.score).any() else ("reward per cycle", f.reward)
    lines = [
        f"The surface: {what}, by experience (down) and simulations (across), 95 % over {_seeds(f)}",
        "",
        f"| cycles | {' | '.join(f'{n:,.0f}' for n in f.simulations)} |",
        "|--:|" + "--:|" * len(f.simulations),
    ]
    for e, cycles in enumerate(f.experience):
        cells = [_number(mean_over_seeds(values[:, e, n])) for n in range(len(f.simulations))]
        lines.append(f"| {cycles:,.0f} | {' | '.join(cells)} |")
    return ["\n".join(lines)]


def _seeds(f: Results) -> str:
    return f"{f.seeds} seed{'s' * (f.seeds != 1)}"


def _regret(f: Results) -> list[str]:
    if np.isnan(f.within_horizon).all() and np.isnan(f.long_run).all():
        return [
            "The regret can't be split into its parts: the values of actions in the true environment are not known."
        ]
    tables = []
    for along, axis, unit in (
        (f.experience, "experience", f"{f.simulations[-1]:,.0f} simulations"),
        (f.simulations, "simulations", f"{f.experience[-1]:,.0f} cycles"),
    ):
        index: Any = np.s_[:, :, -1] if axis == "experience" else np.s_[:, -1]
        lines = [
            f"Regret over {axis}, {unit}: reward per cycle lost in the long run, by part; and value lost within the",
            f"horizon of {f.horizon} cycles",
            "",
            f"| {axis} | {' | '.join([*f.parts, *(f'{part}, within' for part in f.parts[1:]), 'certified'])} |",
            "|--:|" + "--:|" * 2 * len(f.parts),
        ]
        for i, x in enumerate(along):
            places = [PARTS.index(part) for part in f.parts]
            cells = [_number(mean_over_seeds(f.long_run[index][:, i, p])) for p in places]
            cells += [_number(mean_over_seeds(f.within_horizon[index][:, i, p])) for p in places[1:]]
            lines.append(f"| {x:,.0f} | {' | '.join(cells)} | {_mean(f.certified[index][:, i])} |")
        tables.append("\n".join(lines))
    return tables


def _others(f: Results) -> list[str]:
    if not f.others:
        return []
    lines = [
        f"Variants: score after the most experience ({f.experience[-1]:,.0f} cycles; none for the true model)",
        "",
        f"| | {' | '.join(f'{n:,.0f}' for n in f.simulations)} |",
        "|---|" + "--:|" * len(f.simulations),
    ]
    for label, score in {"as above": f.score[:, -1], **f.others}.items():
        lines.append(
            f"| {label} | {' | '.join(_number(mean_over_seeds(score[:, n])) for n in range(len(f.simulations)))} |"
        )
    return ["\n".join(lines)]


def _train_test(f: Results) -> list[str]:
    tables = []
    for plane in f.train_test:
        mean = seed_mean(plane.score)
        curve = level_curve(plane.train, plane.test, mean_score=mean)
        alone = int(plane.test[0] == 0)
        of_level = [] if np.isnan(curve.level) else [f"for {curve.level:.3f}", "slope"]
        head = [*("alone" if n == 0 else f"{n:,.0f}" for n in plane.test), *["distillation"] * alone, *of_level]
        lines = [
            f"Train against test: score after {f.experience[-1]:,.0f} cycles of agents that learned with",
            f"`{plane.learner}`, by simulations while learning (down) and when acting (across; alone: the policy,",
            "without a search); what the policy alone loses by distillation; the simulations when acting for the score",
            "half-way between the lowest and the highest, and the slope of log10 of these over log10 of those while",
            f"learning, from the row above; 95 % over {_seeds(f)}",
            "",
            f"| while learning | {' | '.join(head)} |",
            "|--:|" + "--:|" * len(head),
        ]
        for i, count in enumerate(plane.train):
            cells = [_number(mean_over_seeds(plane.score[:, i, k])) for k in range(len(plane.test))]
            cells += [_number(mean_over_seeds(plane.distillation[:, i]))] if alone else []
            least, slope = curve.test[i], curve.slopes[i - 1] if i else None
            cells += ["" if least is None else f"{least:,.3g}", "" if slope is None else f"{slope:.2f}"][
                : len(of_level)
            ]
            lines.append(f"| {count:,.0f} | {' | '.join(cells)} |")
        tables += ["\n".join(lines), _stands_for(train_test_law(plane))]
    return tables


def _stands_for(trade: TradeOff) -> str:
    if trade.k is None:
        return f"How much search training replaces can't be told: {trade.why}."
    return (
        "One slope for all levels, from 0.5 to 0.9 of the way from the lowest score to the highest (-1.2 in Hex; Jones "
        f"2021): k = {_short(trade.k)}, R2 = {trade.r2:.2f}."
    )


def train_test_law(plane: TrainTest) -> TradeOff:
    """Return the one slope of the level curves of a plane, without the policy alone.

    Parameters
    ----------
    plane : TrainTest
        All or a part of it measured.
    """
    searching = seed_mean(plane.score)[:, plane.test > 0]
    return fit_trade_off(plane.train, plane.test, score=plane.score, levels=np.array(levels_of(searching)))


def _predictor(f: Results) -> str:
    lines = [
        "The predictor: log loss above the entropy, bits per percept up to there, by depth; what theory allows at",
        f"most, and the leaves of the best trees in hindsight, both of depth {f.depth}",
        "",
        f"| | {' | '.join(f'{cycles:,.0f}' for cycles in f.experience)} |",
        "|---|" + "--:|" * len(f.experience),
    ]
    rows = {
        f"depth {depth}": [_number(mean_over_seeds(column)) for column in excess.T]
        for depth, excess in f.excess.items()
    }
    rows["theory"] = [_mean(column, "{:.3f}") for column in f.allowance.T]
    rows["leaves"] = [_mean(column, "{:,.0f}") for column in f.leaves.T]
    return "\n".join([*lines, *(f"| {label} | {' | '.join(cells)} |" for label, cells in rows.items())])


def _compute(f: Results) -> str:
    lines = [
        f"Compute of a decision after {f.experience[-1]:,.0f} cycles: bits predicted or learned, nodes visited, time",
        "",
        f"| | {' | '.join(f'{n:,.0f}' for n in f.simulations)} |",
        "|---|" + "--:|" * len(f.simulations),
    ]
    for label, values in {"bits": f.bits, "nodes": f.visits, "ms": 1_000 * f.seconds}.items():
        cells = [_mean(values[:, -1, n], "{:,.3g}" if label == "ms" else "{:,.0f}") for n in range(len(f.simulations))]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _number(value: Estimate) -> str:
    return "" if np.isnan(value.mean) else plus(value)


def _mean(values: Array, form: str = "{:.2f}") -> str:
    mean = float(seed_mean(values))
    return "" if np.isnan(mean) else form.format(mean)


def as_json(found: Sequence[Results]) -> list[dict[str, Any]]:
    """Return results as JSON: means and intervals of each table, the laws and the conclusions.

    Parameters
    ----------
    found : sequence of Results
        Of a study.

    Returns
    -------
    list of dict
        One for each. Arrays have become lists over their axes but the first, of mean, low and high over seeds; None is
        unknown or infinite.
    """
    return [
        {
            "environment": f.environment,
            "model": f.model,
            "horizon": f.horizon,
            "depth": f.depth,
            "experience": f.experience.tolist(),
            "simulations": f.simulations.tolist(),
            "random_reward": f.random_reward,
            "optimum": f.optimum,
            "score": _grid(f.score),
            "reward": _grid(f.reward),
            "long_run": {part: _grid(f.long_run[..., i]) for i, part in enumerate(PARTS)},
            "within_horizon": {part: _grid(f.within_horizon[..., i]) for i, part in enumerate(PARTS)},
            **{what: _grid(getattr(f, what)) for what in ("simple_regret", "certified", "bits", "visits", "seconds")},
            **{what: _grid(getattr(f, what)) for what in ("allowance", "leaves")},
            "excess": {depth: _grid(values) for depth, values in f.excess.items()},
            "others": {label: _grid(values) for label, values in f.others.items()},
            "train_test": [_train_test_data(plane) for plane in f.train_test],
            "laws": {what: _law(law) for what, law in f.laws.items()},
            "trade_off": _trade_off(f.trade_off),
            "conclusions": conclusions(f),
        }
        for f in found
    ]


def _train_test_data(plane: TrainTest) -> dict[str, Any]:
    curve = level_curve(plane.train, plane.test, mean_score=seed_mean(plane.score))
    return {
        "learner": plane.learner,
        "train": plane.train.tolist(),
        "test": plane.test.tolist(),
        "score": _grid(plane.score),
        "distillation": _grid(plane.distillation),
        "level_curve": {**curve._asdict(), "level": finite(curve.level)},
        "trade_off": _trade_off(train_test_law(plane)),
    }


def _trade_off(trade: TradeOff) -> dict[str, Any]:
    line = {name: _interval(getattr(trade, name)) for name in ("a", "k", "c")}
    return {**line, "r2": finite(trade.r2), "why": trade.why}


def _grid(values: Array) -> Any:
    """Means and intervals over seeds, the first axis, as nested lists."""
    if values.ndim == 1:
        return _interval(mean_over_seeds(values))
    return [_grid(values[:, i]) for i in range(values.shape[1])]


def _interval(value: Estimate | None) -> dict[str, float | None] | None:
    return {name: finite(x) for name, x in value._asdict().items()} if value else None


def _law(law: Comparison) -> dict[str, Any]:
    return {
        "best": law.best and law.best.name,
        "why": law.why,
        "last_value": _interval(law.persistence),
        "laws": [
            {
                "name": fit.name,
                "formula": fit.formula,
                "error": _interval(fit.error),
                "residual": finite(fit.residual),
                "parameters": {name: _interval(value) for name, value in fit.parameters.items()},
            }
            for fit in law.laws
        ],
    }
