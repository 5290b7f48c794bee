"""What a search loses in the long run, exactly where that can be computed: shared by the programs of this folder.

An agent decides a number of times in an environment, always by its search. From the exact solution follows what each of
its actions loses in the long run, its regret. By the performance difference lemma the mean regret is the reward per
cycle that the agent misses (see `aixi_approx.laboratory.regret`), but without the noise of percepts. Divided by the
distance between the best agent and the random one it is the *loss*: 0 for the best, 1 for the random agent.

Where there are too many beliefs to solve, the expected rewards of the actions take its place, over more decisions. Some
environments have a known optimum then, and so a loss; the others have no loss, only a reward per cycle.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress

from aixi_approx.agent import Agent
from aixi_approx.builder import as_spec, build_agent, build_planner
from aixi_approx.display.palette import BLUE, GREEN, ORANGE, SKY, VERMILION
from aixi_approx.envs import make
from aixi_approx.execution.engines import engine
from aixi_approx.execution.folder import JsonLines
from aixi_approx.execution.tasks import Task, run_all
from aixi_approx.interaction import evaluation_seed
from aixi_approx.laboratory.plot_parts import SMALL, TITLE, finish, short
from aixi_approx.laws.estimate import Estimate, average
from aixi_approx.pomdp.belief import after
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solution import SAME, Solution
from aixi_approx.pomdp.solver import solve_soon
from aixi_approx.predictors import make_predictor
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

Row = dict[str, Any]

OLD, NEW, SAMPLED = "rhouct", "dpuct", "dpuct+leaves:sampled"
SEEDS = 10
UNSOLVED = ("bandit:10", *(f"rocksample:{size}" for size in ("3-2", "4-3", "4-4", "5-5", "7-8")))
BY_REWARD = 4  # times as many decisions there, where rewards, not regrets, tell the loss
FOLDER = Path(__file__).parents[1] / "results" / "search"

MERGES = (SAME, 1e-4, 1e-3)  # of beliefs: values of actions are exact up to about this times the rewards
COARSE = (0.1,)  # good for the reward of an agent, where its bounds meet, but not for single decisions
MAX_STATES, MAX_BELIEFS = 10_000, 40_000  # beyond which solving takes too long

COLOURS = (VERMILION, BLUE, SKY, ORANGE, GREEN)
MARKERS = ("o", "s", "^", "D", "v")
IN_WORDS = {  # planners, as pictures name them
    "rhouct": "rhoUCT, as in JAIR 2011",
    "rhouct+policy:learned": "rhoUCT, learned rollouts",
    "dpuct": "DP-UCT",
    "dpuct+leaves:sampled": "DP-UCT, sampled leaves",
    "dpuct+policy:learned": "DP-UCT, follows its policy",
    "dpuct+policy:learned+rule:prior": "DP-UCT, policy as prior",
    "self-aixi": "Self-AIXI",
    "policy-alone": "policy alone",
}


# ------------------------------------------------------------------------------------------ what is known beforehand


class Known(NamedTuple):
    """An environment, and all that is known of it exactly."""

    pomdp: POMDP
    solution: Solution | None
    """With the values of actions; None if there are too many beliefs."""
    coarse: Solution | None
    """With the reward of agents; it may be the same."""
    optimum: float | None
    random: float

    def price(self, horizon: int) -> float | None:
        """Return the loss of a perfect search to a horizon, which is the horizon's own; None if unknown."""
        if self.coarse is None or self.optimum is None:
            return None
        return (self.optimum - self.coarse.receding_reward(horizon)) / (self.optimum - self.random)

    def worth(self, node: int, action: int, *, predictor: Any) -> float:
        """Return the reward per cycle that an action stands for: the optimum without its regret, or what it expects."""
        if self.solution:
            values = self.solution.action_values(node)
            return self.solution.reward - float(values.max() - values[action])
        if not isinstance(predictor, TrueModel):
            raise ValueError(f"{self.pomdp.name} is not solved: its losses need the true model")
        answers = after(self.pomdp, predictor.belief, action=action)
        return sum(probability * percept.reward for percept, probability, _ in answers)


@lru_cache(maxsize=2)
def known(name: str) -> Known:
    """Solve an environment, as far as that can be done soon."""
    pomdp = make(name)
    if not isinstance(pomdp, POMDP) or pomdp.random_reward is None:
        raise ValueError(f"{name} is no finite environment with a random agent to compare with")
    small = pomdp.size <= MAX_STATES
    solution = solve_soon(pomdp, MAX_BELIEFS, merges=MERGES) if small else None
    coarse = solution or (solve_soon(pomdp, MAX_BELIEFS, merges=COARSE) if small else None)
    optimum = coarse.reward if coarse else pomdp.optimum
    return Known(pomdp, solution, coarse, optimum, pomdp.random_reward)


# ------------------------------------------------------------------------------------------ measuring


class Played(NamedTuple):
    """What an agent did in a number of decisions."""

    reward: float  # per cycle, by `Known.worth`
    made: int  # simulations in all, which may be fewer than allowed
    seconds: float  # of the searches


class Cell(NamedTuple):
    """What is measured at a time: a planner that knows the environment, at a number of simulations."""

    environment: str
    planner: str
    simulations: int
    seeds: int
    decisions: int  # of each seed


def play(agent: Agent, rules: Known, *, decisions: int, simulations: int) -> Played:
    """Let an agent decide in an environment without exploring or learning; it is unchanged afterwards."""
    pomdp, solution = rules.pomdp, rules.solution
    rewards, made, seconds, node = [], 0, 0.0, 0
    pomdp.checked_reset(evaluation_seed(agent.seed))
    with agent.evaluation():
        agent.restart()
        for _ in range(decisions):
            began = time.process_time()
            decision = agent.act(explore=False, simulations=simulations)
            action, search = decision.action, decision.search
            seconds += time.process_time() - began
            made += search.simulations if search else 0
            rewards.append(rules.worth(node, action, predictor=agent.predictor))
            percept = pomdp.checked_step(action)
            agent.observe(action, percept, learn=False)
            if solution:
                node = solution.follow(node, action, percept=percept)
    return Played(mean(rewards), made, seconds)


def regrets(name: str, model: str, planner: str, simulations: int, *, seed: int, decisions: int) -> Played:
    """Let an agent with a model and a planner decide in an environment."""
    rules = known(name)
    agent = build_agent(rules.pomdp, model, planner=planner, seed=seed)
    return play(agent, rules, decisions=decisions, simulations=simulations)


def measure(cell: Cell) -> Row:
    """Measure all seeds of a cell."""
    rules, horizon = known(cell.environment), horizon_of(cell.environment, cell.planner)
    played = [
        regrets(cell.environment, "true", cell.planner, cell.simulations, seed=seed, decisions=cell.decisions)
        for seed in range(cell.seeds)
    ]
    return {
        **cell._asdict(),
        "horizon": horizon,
        "by": "regret" if rules.solution else "reward",
        "optimum": rules.optimum,
        "random": rules.random,
        "price": rules.price(horizon),
        "rewards": [one.reward for one in played],
        "made": sum(one.made for one in played),
        "seconds": sum(one.seconds for one in played),
    }


def horizon_of(name: str, planner: str) -> int:
    """Return the cycles that a planner looks ahead in an environment."""
    return as_spec(planner).horizon or make(name).settings.horizon


def decisions_for(name: str, simulations: int, times: int = 1) -> int:
    """Return how many decisions of a seed tell a loss: fewer where each takes long, more where rewards tell it."""
    count = next((n for most, n in ((100, 200), (1_000, 80), (10_000, 30)) if simulations <= most), 10)
    return count * times * (BY_REWARD if name in UNSOLVED and simulations <= 10_000 else 1)


def losses(row: Row) -> list[float]:
    """Return the loss of each seed; nothing where the optimum is not known."""
    if row["optimum"] is None:
        return []
    span = row["optimum"] - row["random"]
    return [(row["optimum"] - reward) / span for reward in row["rewards"]]


def over(values: Sequence[float]) -> Estimate:
    """Return the mean of independent values with its 95 % interval, by Student's t."""
    return average(values, batches=max(2, len(values)))


def half(estimate: Estimate) -> float:
    """Return half the width of an interval."""
    return (estimate.high - estimate.low) / 2


# ------------------------------------------------------------------------------------------ running


@cache
def seconds_per_simulation(name: str, planner: str, model: str = "true", simulations: int = 500) -> float:
    """Time a search once, after another that may compile its kernels."""
    environment = make(name)
    settings = environment.settings
    search = build_planner(environment, planner, model=model, settings=settings)
    predictor = make_predictor(model, environment, settings=settings)
    search.search(predictor, stream(0), simulations=2)
    began = time.process_time()
    search.search(predictor, stream(1), simulations=simulations)
    return (time.process_time() - began) / simulations


def seconds_of(cell: Cell) -> float:
    """Return about how long a cell takes, at most if its search can end early."""
    each = cell.simulations * seconds_per_simulation(cell.environment, cell.planner) + 3e-4
    return cell.seeds * cell.decisions * each


def complete(
    path: Path,
    cells: Sequence[Any],
    measure: Callable[[Any], Row],
    seconds: Callable[[Any], float],
    *,
    where: str = "2",
) -> list[Row]:
    """Measure the cells that have no row in a file yet, and return the rows of all, in order.

    Parameters
    ----------
    path : Path
        The file, to which rows are appended as they come.
    cells : sequence of named tuples
        Of numbers and texts; a row holds the fields of its cell.
    measure : callable
        Makes a row; at module level.
    seconds : callable
        How long a cell takes, about.
    where : str, default: "2"
        The engine: two processes.
    """
    kind = type(cells[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = JsonLines(path)
    rows = {kind(*(row[field] for field in kind._fields)): row for row in lines.read()}
    missing = [cell for cell in dict.fromkeys(cells) if cell not in rows]
    expected = {cell: seconds(cell) for cell in missing}
    workers = int(where) if where.isdecimal() else 1
    minutes = sum(expected.values()) / workers / 60
    print(f"{len(missing)} of {len(cells)} to measure, about {minutes:.1f} minutes", file=sys.stderr)
    with Progress(console=Console(stderr=True)) as bar, engine(where) as place:
        watched = bar.add_task("measuring", total=sum(expected.values()))

        def finish(task: Task, row: Row) -> Iterable[Task]:
            cell = task.arguments[0]
            lines.append(row)
            rows[cell] = row
            bar.advance(watched, expected[cell])
            return ()

        run_all(place, [Task(measure, (cell,)) for cell in missing], finish=finish)
    return [rows[cell] for cell in cells]


def arguments(text: str, name: str, folder: Path = FOLDER) -> argparse.Namespace:
    """Return the arguments, the same for all programs: where, which planners, what to write, and whether to be quick.

    Parameters
    ----------
    text : str
        The documentation of the program.
    name : str
        Of the program. A quick run writes its rows to a new temporary folder, unless told otherwise.
    folder : Path
        Where its rows stand.
    """
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="only these")
    parser.add_argument("--old", default=OLD, metavar="PLANNER", help="the search that is there")
    parser.add_argument("--new", default=NEW, metavar="PLANNER", help="the search to compare it with")
    parser.add_argument("--sampled", default=SAMPLED, metavar="PLANNER", help="the same with sampled leaves")
    parser.add_argument("--rows", type=Path, metavar="FILE", help=f"default: {folder.name}/{name}.jsonl in the results")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="a run of seconds, to see that it works")
    given = parser.parse_args()
    if given.rows is None:
        given.rows = (Path(tempfile.mkdtemp()) if given.quick else folder) / f"{name}.jsonl"
    return given


def in_words(planner: str) -> str:
    """Return the name of a planner as a reader of a picture understands it."""
    plain, _, constant = planner.partition("+ucb:")
    return f"{IN_WORDS[plain].partition(',')[0]}, constant {constant}" if constant else IN_WORDS.get(planner, planner)


def save(figure: Figure, panels: Sequence[Axes], path: Path) -> None:
    """Give all letters of a figure their size, panels their letters, axes of simulations plain numbers, and write it.

    Parameters
    ----------
    figure : Figure
        With a legend, or without.
    panels : sequence of Axes
        That something is drawn in.
    path : Path
        Where to write.
    """
    for axes in panels:
        if axes.get_xscale() == "log" and axes.xaxis.isDefault_majfmt:
            axes.xaxis.set_major_formatter(lambda value, _: short(value))
        axes.grid(alpha=0.3)
    finish(panels)
    for text in (*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())):
        text.set_fontsize(TITLE if text in figure.texts else SMALL)
    figure.savefig(path, dpi=130)


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table, its first column text and the others numbers."""
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1), *rows])


def shown(estimate: Estimate, digits: int = 3) -> str:
    """Return a mean with half its interval."""
    return f"{estimate.mean:.{digits}f} ± {half(estimate):.{digits}f}"
