"""The curve of search without running it: forecast scores beside those that real searches reach.

    python benchmarks/scaling/forecast.py [ENVIRONMENT ...] [--picture docs/law-forecast.png]

An agent that knows its environment searches with 10 to 10,000 simulations by rhouct, which is POUCT there, C = sqrt 2.
Its score (0 the random agent, 1 the best) is forecast by `aixi_approx.laboratory.forecast` and measured by the exact
regret of its decisions. Ten minutes on two cores; rows that stand in benchmarks/results/scaling/forecast.jsonl are not
measured again. `--check`: a few seconds, to see that it works. `--exchange` shows where errors come from: 200 real
searches are run at each belief, and what they find takes the place of one part of the forecast after another.

The algorithm, written down before any search in a test environment was run, and unchanged since:

1. For each belief, each number h of cycles to go and each number n of simulations on a grid, compute the expected sum
   of the returns of n simulations through that node, and its variance, from those with h - 1 cycles to go.
2. A node's first simulation is a random rollout (mean and variance exactly known), the next take each action once,
   later ones the action with the largest upper bound of UCB at its expected mean.
3. k simulations of an action make k P(percept) simulations of the node behind a percept. The variance of their sum: of
   the percepts, of what is behind them, of the random order of untried actions; and the linear response of UCB to luck.
4. At the root, the mean of an action is that of K independent rollout returns, tilted to the expected mean, with K from
   the variance. The probability of each action is that its mean is the largest, ties being broken at random.
5. These probabilities make the graph of all beliefs a Markov chain. What it earns in the long run is the score.

No constant is fitted. The interval spans the forecasts at half and at twice the simulations, widened by 0.02: the
forecast may be wrong by as much as a wrong effective number of simulations by a factor of two would make it, which is
what whole numbers, random counts and everything else that is left out amount to at most, if the account is right.

Hypothesis. In at least five of the seven test environments all seven measured scores lie in their intervals. The median
over these environments of the root mean square error is below 0.05. In at least six of them the error is smaller than
those of the baseline (exact gaps within the horizon, the noise of rollouts, an equal share of the simulations, no tree)
and of the null (nothing changes after 10 simulations, where the null is told the score).

It was developed on tiger, locks:1, corridor:4 and nim:16-perfect alone. They are shown apart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "search"))

from exact_regret import Cell, Row, complete, losses, markdown, measure, over, seconds_of

from aixi_approx.builder import as_spec
from aixi_approx.envs import make
from aixi_approx.laboratory.best_mean import chances
from aixi_approx.laboratory.forecast import SIMULATIONS, Forecast, exact_solution, forecast, score_of
from aixi_approx.laboratory.mean_field import root_means
from aixi_approx.laboratory.plot_forecast import draw_forecasts
from aixi_approx.laboratory.rollout_returns import rollout_returns
from aixi_approx.laws.estimate import Estimate
from aixi_approx.planners.pouct import POUCT
from aixi_approx.planners.tree_search import SQRT_2
from aixi_approx.pomdp.belief import Belief
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import Solution
from aixi_approx.randomness import stream

DEVELOPMENT = {"tiger": 4, "locks:1": None, "corridor:4": 8, "nim:16-perfect": 4}  # horizons as in families.toml
TEST = {
    "corridor:6": 12,
    "locks:2": None,  # its own horizon
    "nim:24-perfect": 6,
    "bandit:2": 2,
    "t-maze:2": None,
    "rocksample:2-1": None,
    "hex:2-perfect": None,
}
SEEDS = 10
DECISIONS, MANY, FEWER = 300, 1_000, 100  # of each seed; with more simulations than MANY, FEWER
EXCHANGED = 200  # searches at each belief
EXCHANGE_AT = (10, 30, 100)  # simulations, at least as many as actions
ROWS = Path(__file__).parents[1] / "results" / "scaling" / "forecast.jsonl"

Numbers = NDArray[np.float64]


class Curve(NamedTuple):
    """What was forecast and measured in an environment."""

    name: str
    forecast: Forecast
    measured: list[Estimate]

    @property
    def score(self) -> Numbers:
        """Measured scores."""
        return np.array([one.mean for one in self.measured])

    def error(self, forecast: Numbers) -> float:
        """Return the root mean square error of a forecast."""
        return float(np.sqrt(np.mean((forecast - self.score) ** 2)))

    @property
    def inside(self) -> int:
        """How many measured scores lie in their intervals."""
        return int(((self.score >= self.forecast.low) & (self.score <= self.forecast.high)).sum())


def cells(name: str, horizon: int | None, simulations: Sequence[int], seeds: int) -> list[Cell]:
    """Return what is to be measured in an environment."""
    planner = "rhouct" if horizon is None else f"rhouct+horizon:{horizon}"
    return [Cell(name, planner, n, seeds, DECISIONS if n <= MANY else FEWER) for n in simulations]


def curve(rows: Sequence[Row]) -> Curve:
    """Return the curve of the rows of an environment."""
    name, planner = rows[0]["environment"], as_spec(rows[0]["planner"])
    found = forecast(make(name), planner.horizon, simulations=[row["simulations"] for row in rows])
    return Curve(name, found, [over([1 - loss for loss in losses(row)]) for row in rows])


def table(curves: Sequence[Curve]) -> str:
    """Return measured and forecast scores, and their errors."""
    simulations = curves[0].forecast.simulations
    lines = []
    for one in curves:
        count = f"{one.inside} of {len(simulations)}"
        errors = [one.error(some) for some in (one.forecast.score, one.forecast.baseline, one.score[:1])]
        lines.append([one.name, "measured", *(f"{score:.3f}" for score in one.score), "", "", ""])
        lines.append(["", "forecast", *(f"{score:.3f}" for score in one.forecast.score), f"{errors[0]:.3f}", count, ""])
        lines.append(["", "baseline", *(f"{s:.3f}" for s in one.forecast.baseline), f"{errors[1]:.3f}", "", ""])
        lines[-2][-1] = f"{errors[2]:.3f}"
    head = ["environment", "score", *(f"{n:,}" for n in simulations), "rms error", "inside", "null's error"]
    return markdown(head, lines)


def verdict(curves: Sequence[Curve]) -> str:
    """Return how the hypothesis fares."""
    whole = sum(one.inside == len(one.measured) for one in curves)
    errors = [one.error(one.forecast.score) for one in curves]
    better = sum(
        error < min(one.error(one.forecast.baseline), one.error(one.score[:1]))
        for error, one in zip(errors, curves, strict=True)
    )
    return (
        f"All scores inside in {whole} of {len(curves)} environments; median error {np.median(errors):.3f}; "
        f"better than baseline and null in {better}."
    )


class Searches(NamedTuple):
    """What real searches find at each of B beliefs, on average: float64[B, A] each."""

    mean: Numbers
    deviation: Numbers
    share: Numbers  # of the searches that take an action


class KnownBelief(NamedTuple):
    """What POUCT searches from."""

    pomdp: POMDP
    belief: Belief


def searches(solution: Solution, horizon: int, simulations: int) -> Searches:
    """Search many times at each belief."""
    pomdp, found = solution.pomdp, list[tuple[Numbers, Numbers, Numbers]]()
    planner = POUCT(pomdp, horizon)
    for node in range(solution.graph.size):
        here = KnownBelief(pomdp, solution.graph.belief(node))
        results = [planner.search(here, stream(seed), simulations=simulations) for seed in range(EXCHANGED)]
        values = np.array([one.value for one in results])
        share = np.bincount([one.action for one in results], minlength=len(pomdp.actions)) / EXCHANGED
        found.append((values.mean(axis=0), values.std(axis=0), share))
    return Searches(*(np.array(part) for part in zip(*found, strict=True)))


def exchange(one: Curve, horizon: int | None, simulations: Sequence[int]) -> list[list[str]]:
    """Return the scores of an environment with one part after another from real searches, line by line."""
    solution = exact_solution(make(one.name))
    cycles = horizon or solution.pomdp.settings.horizon
    rollouts = rollout_returns(solution, cycles)
    lines = []
    for n in simulations:
        at = one.forecast.simulations.index(n)
        foreseen = root_means(solution, rollouts, simulations=[n], ucb=SQRT_2)
        real = searches(solution, cycles, n)
        policies = [
            chances(real.mean, foreseen.deviation[:, 0], returns=rollouts[-1]),
            chances(real.mean, real.deviation, returns=rollouts[-1]),
            real.share,
        ]
        scores = [one.score[at], one.forecast.score[at], *(score_of(solution, policy) for policy in policies)]
        lines.append([one.name, f"{n:,}", *(f"{score:.3f}" for score in scores)])
    return lines


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw one panel for each environment."""
    titles = [f"{one.name}{' (development)' if one.name in DEVELOPMENT else ''}" for one in curves]
    found = dict(zip(titles, (one.forecast for one in curves), strict=True))
    measured = dict(zip(titles, (one.measured for one in curves), strict=True))
    draw_forecasts(found, measured).savefig(path, dpi=130)


def main() -> None:
    """Measure what is missing, forecast, print the tables and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="only these, of those in the program")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="default: scaling/forecast.jsonl in the results")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--exchange", action="store_true", help="replace parts of the forecast by real searches")
    parser.add_argument("--check", action="store_true", help="a run of seconds, to see that it works")
    given = parser.parse_args()
    path = given.rows or (Path(tempfile.mkdtemp()) / ROWS.name if given.check else ROWS)
    horizons = TEST | DEVELOPMENT
    names = given.environments or (["t-maze:2", "nim:16-perfect"] if given.check else list(horizons))
    simulations, seeds = ((10, 30), 2) if given.check else (SIMULATIONS, SEEDS)
    wanted = [cell for name in names for cell in cells(name, horizons[name], simulations, seeds)]
    rows = complete(path, wanted, measure, seconds_of, where="here" if given.check else "2")
    curves = [curve(rows[i : i + len(simulations)]) for i in range(0, len(rows), len(simulations))]
    for title, some in (("Test", TEST), ("Development", DEVELOPMENT)):
        if kept := [one for one in curves if one.name in some]:
            print(f"{title}\n\n{table(kept)}\n\n{verdict(kept)}\n")
    if given.exchange:
        parts = ("means", "means and deviations", "choices")
        head = ["environment", "simulations", "measured", "forecast", *(f"with real {part}" for part in parts)]
        print(markdown(head, [line for one in curves for line in exchange(one, horizons[one.name], EXCHANGE_AT)]))
    if given.picture:
        draw(curves, given.picture)


if __name__ == "__main__":
    main()
