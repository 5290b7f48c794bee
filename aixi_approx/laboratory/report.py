"""The report of a study: tables in Markdown, and the conclusions on each environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from aixi_approx.laboratory.conclusions import between, conclusions, plus, when
from aixi_approx.laboratory.ladder import Ladder, find_ladders
from aixi_approx.laboratory.results import PARTS, Array, Results, levels_of, mean_over_seeds, seed_mean
from aixi_approx.laboratory.train_test import TrainTest, level_curve
from aixi_approx.laws.bootstrap import SURE, estimate
from aixi_approx.laws.estimate import Estimate, finite
from aixi_approx.laws.extrapolation import Comparison
from aixi_approx.laws.frontier import POINTS
from aixi_approx.laws.trade_off import TradeOff, fit_trade_off

DECISION_COUNTS = (100, 1_000, 10_000)  # that total compute is told for
SURELY = {"prediction, sure": "prediction", "decision, sure": "decision", "missed, sure": "simple_regret"}


def report(found: Sequence[Results]) -> str:
    """Return all tables, and the conclusions on each environment, in Markdown.

    Parameters
    ----------
    found : sequence of Results
        Of a study; at least one.
    """
    parts = [_summary(found), *_models(found), _laws(found), _tried(found), *map(_ladder, find_ladders(found))]
    for f in found:
        parts += [
            f"## {f.title}",
            *_surface(f),
            *_frontier(f),
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
        "Laws: fitted to the small half of the points. One that was frozen before the data is judged by all others;",
        "else one is chosen by the nearer of these and judged by the farther. Its error there, beside that of the",
        "last-value forecast and of other simple ones; parameters fitted to all, with 95 % intervals over seeds",
        "",
        "| environment | what | error | last value | other forecasts | when | law | parameters |",
        "|---|---|--:|--:|---|---|---|---|",
    ]
    for f in found:
        for what, law in f.laws.items():
            lines.append(f"| {f.title} | {what} | {_fitted(law)} |")
    return "\n".join(lines)


def _fitted(law: Comparison) -> str:
    if not law.laws:
        return f"| | | {when(law) if law.frozen else ''} | {law.why} | "
    first = law.laws[0]
    error, last_value = (_short(e, 2) for e in (first.error, law.persistence))
    others = {name: value for name, value in law.nulls.items() if value is not law.persistence}
    nulls = ", ".join(f"{name} {value.mean:.2g}" for name, value in others.items())
    cells = f"{error} | {last_value} | {nulls} | {when(law)}"
    if not _judged(law):
        return f"{cells} | can't be judged, too few seeds for an interval: {first.formula} | "
    if not law.best:
        return f"{cells} | does not hold: {first.formula} | "
    parameters = ", ".join(f"{name} = {_short(value)}" for name, value in first.parameters.items())
    return f"{cells} | {first.formula} | {parameters}"


def _judged(law: Comparison) -> bool:
    """Whether the error of a law has an interval."""
    return bool(law.laws) and bool(np.isfinite(law.laws[0].error.high))


def _tried(found: Sequence[Results]) -> str:
    """How many comparisons there were, and how many would hold by chance."""
    laws = [law for f in found for law in f.laws.values() if _judged(law)]
    frozen, chosen = ([law for law in laws if bool(law.frozen) is kind] for kind in (True, False))
    told = [
        f"{sum(law.best is not None for law in some)} of {len(some)} laws {what} hold"
        for some, what in ((frozen, "frozen before the data"), (chosen, "chosen among several on points of their own"))
        if some
    ]
    if not told:
        return ""
    return (
        f"{'; '.join(told)}. {sum(law.tried for law in laws):,} fits were compared in all. One that is no better than "
        f"the null forecasts passes in one of {1 / (1 - SURE):.0f} cases at most, so that no more than "
        f"{len(laws) * (1 - SURE):.1f} of {len(laws)} would hold by chance."
    )


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
            f"Regret over {axis}, {unit}: reward per cycle lost in the long run, by part. Sure: the bounds of the",
            "losses through prediction and decision, and of the value by its own model that the search missed. Wrong:",
            f"the share of decisions that lose anything. Within: value lost within the horizon of {f.horizon} cycles.",
            "Certified: the share of decisions whose best action by the model is beyond doubt",
            "",
            f"| {axis} | {' | '.join([*f.parts, *SURELY, 'wrong'])} | "
            f"{' | '.join([*(f'{part}, within' for part in f.parts[1:]), 'certified'])} |",
            "|--:|" + "--:|" * (2 * len(f.parts) + len(SURELY) + 1),
        ]
        for i, x in enumerate(along):
            places = [PARTS.index(part) for part in f.parts]
            cells = [_number(mean_over_seeds(f.long_run[index][:, i, p])) for p in places]
            cells += [_ends(seed_mean(f.bounds[what][index][:, i])) for what in SURELY.values()]
            cells += [_share(f.wrong[index][:, i], f.judged)]
            cells += [_number(mean_over_seeds(f.within_horizon[index][:, i, p])) for p in places[1:]]
            lines.append(f"| {x:,.0f} | {' | '.join(cells)} | {_mean(f.certified[index][:, i])} |")
        tables.append("\n".join(lines))
    return tables


def _others(f: Results) -> list[str]:
    if not f.others:
        return []
    lines = [
        f"Variants: score after the most experience ({f.experience[-1]:,.0f} cycles; none for the true model); and the",
        "difference from the first row with the most simulations, by seeds in pairs",
        "",
        f"| | {' | '.join(f'{n:,.0f}' for n in f.simulations)} | difference |",
        "|---|" + "--:|" * (len(f.simulations) + 1),
    ]
    for label, score in {"as above": f.score[:, -1], **f.others}.items():
        cells = [_number(mean_over_seeds(score[:, n])) for n in range(len(f.simulations))]
        cells.append("" if label == "as above" else _number(mean_over_seeds(score[:, -1] - f.score[:, -1, -1])))
        lines.append(f"| {label} | {' | '.join(cells)} |")
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
        f"most, and the leaves of the best trees in hindsight, both of depth {f.depth}; the total, its learning",
        "coefficient, what it grows by in nats for each unit of ln cycles since the column before, and what that is",
        "where the source is a finite tree with as many leaves (Watanabe 2009; Rissanen 1984)",
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
    rows["total bits"] = [_mean(column, "{:,.0f}") for column in f.total_excess.T]
    rows["coefficient"] = ["", *(_mean(column, "{:,.1f}") for column in f.learning_coefficient.T)]
    rows["leaves / 2"] = [_mean(column / 2, "{:,.1f}") for column in f.leaves.T]
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


def _frontier(f: Results) -> list[str]:
    tables = []
    for decisions in DECISION_COUNTS:
        at = f if decisions == f.decisions else replace(f, decisions=float(decisions))  # what was fitted is kept
        found, law = at.frontier, at.frontier_law
        if found is None:
            return []
        foreseen = law.laws[0].forecast(found.compute, small=True).mean if law.laws else np.full(POINTS, np.nan)
        lines = [
            f"Total compute of learning and {decisions:,} decisions, in {f.unit}: the best score, what",
            f"{law.laws[0].formula if law.laws else 'the law'} says that was fitted to the lower half; the share of",
            "learning that gives it, cycles and simulations; 95 % over seeds. Half of the seeds choose the split, and",
            "the other half say what it is worth, so that by chance it may fall with more compute. All splits were",
            f"measured up to {found.edge:.2g}",
            "",
            f"| {f.unit} | score | law | share of learning | cycles | simulations |",
            "|--:|--:|--:|--:|--:|--:|",
        ]
        for i in range(0, len(found.compute), 3):
            score, share, cycles, count = (
                estimate(each[:, i]) for each in (found.score, found.share, found.experience, found.simulations)
            )
            lines.append(
                f"| {found.compute[i]:.2g} | {between(score, '{:.3f}')} | {_mean(foreseen[i : i + 1], '{:.3f}')} | "
                f"{between(share, '{:.2f}')} | {between(cycles, '{:,.0f}')} | {between(count, '{:,.0f}')} |"
            )
        tables.append("\n".join(lines))
    return tables


def _ladder(ladder: Ladder) -> str:
    learned = "given the environment"
    if ladder.experience:
        learned = f"{ladder.model} after {ladder.experience:,.0f} cycles"
    lines = [
        f"## Ladder of {ladder.family}, {learned}",
        "",
        "Score over simulations, by size; the simulations with which it comes to a half, 95 % over seeds",
        "",
        f"| | {' | '.join(f'{n:,.0f}' for n in ladder.simulations)} | for a half |",
        "|---|" + "--:|" * (len(ladder.simulations) + 1),
    ]
    for k, name in enumerate(ladder.names):
        cells = [_mean(ladder.score[:, k, n], "{:.3f}") for n in range(len(ladder.simulations))]
        lines.append(f"| {name} | {' | '.join(cells)} | {'' if (half := ladder.half[k]) is None else _short(half)} |")
    mean = ladder.score.mean(axis=1)
    lines.append(f"| mean | {' | '.join(_mean(column, '{:.3f}') for column in mean.T)} | |")
    lines += ["", f"The mean over the sizes: {ladder.mean_law.why}."]
    for name, (rate, wrong) in ladder.growth.items():
        form = f"exp({rate.mean:.3g} size)" if name == "exponential" else f"size^{rate.mean:.3g}"
        interval = f" ({rate.low:.3g} to {rate.high:.3g})" if np.isfinite(rate.high) else ""
        lines.append(
            f"The simulations for a half as {form}{interval}, fitted to all sizes but the last, are {wrong:.2g} times "
            "what is measured there."
        )
    return "\n".join(lines)


def _ends(interval: Array) -> str:
    """Low and high."""
    return "" if np.isnan(interval).any() else f"{interval[0] + 0.0:.3f} to {interval[1] + 0.0:.3f}"


def _share(shares: Array, judged: int) -> str:
    """A share of the decisions, with the 95 % bounds of Clopper and Pearson (1934) as if these were independent."""
    told = _proportion(shares, judged)
    return "{mean:.3f} ({low:.3f} to {high:.3f})".format(**told) if told else ""


def _proportion(shares: Array, judged: int) -> dict[str, float] | None:
    known = shares[np.isfinite(shares)]
    if not len(known):
        return None
    count = judged * len(known)
    wrong = min(count, round(float(known.sum()) * judged))
    low, high = binomtest(wrong, count).proportion_ci(method="exact")
    return {"mean": wrong / count, "low": float(low), "high": float(high)}


def ladders_as_json(ladders: Sequence[Ladder]) -> list[dict[str, Any]]:
    """Return ladders as JSON.

    Parameters
    ----------
    ladders : sequence of Ladder
        Of a study.

    Returns
    -------
    list of dict
        One for each; None is unknown or infinite.
    """
    return [
        {
            "family": ladder.family,
            "model": ladder.model,
            "experience": ladder.experience,
            "names": ladder.names,
            "sizes": ladder.sizes.tolist(),
            "simulations": ladder.simulations.tolist(),
            "score": _grid(ladder.score),
            "half": [_interval(half) for half in ladder.half],
            "growth": {
                name: {"exponent": _interval(rate), "factor_at_the_largest": finite(wrong)}
                for name, (rate, wrong) in ladder.growth.items()
            },
            "mean_law": _law(ladder.mean_law),
        }
        for ladder in ladders
    ]


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
            "wrong": [[_proportion(each, f.judged) for each in row] for row in np.moveaxis(f.wrong, 0, -1)],
            "end": finite(f.end),
            "hypotheses": dict(f.hypotheses),
            "learning_coefficient": _grid(f.learning_coefficient),
            "bounds": {what: _grid(values) for what, values in f.bounds.items()},
            "learning": {unit: _grid(values) for unit, values in f.learning.items()},
            "frontier": _frontier_data(f),
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


def _frontier_data(f: Results) -> dict[str, Any] | None:
    if (found := f.frontier) is None:
        return None
    told = {name: [_interval(estimate(column)) for column in getattr(found, name).T] for name in found._fields[2:]}
    return {"decisions": f.decisions, "unit": f.unit, "compute": found.compute.tolist(), "edge": found.edge, **told}


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
        "frozen": law.frozen,
        "tried": law.tried,
        "nulls": {name: _interval(error) for name, error in law.nulls.items()},
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
