"""`aixi explain`: decisions of an agent, with what it expects, what it plans, and what is true."""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import as_json, at_least, discount, moving, notice, plain, print_json, subject
from aixi_approx.planner_spec import DEFAULT

if TYPE_CHECKING:
    from aixi_approx.introspection.explanation import Explanation

SAID = 10_000  # cycles from one sign of life to the next
EVALUATED = 10  # cycles of an agent that has just learned; the last of them are explained


@click.command("explain", short_help="Why an agent decides as it does, and what that loses.")
@subject
@click.option("--cycle", type=at_least(0), help="Of a run: the cycle that is explained.  [default: the last]")
@click.option("--decisions", type=at_least(1), default=1, show_default=True, help="Decisions up to there.")
@click.option("--steps", type=at_least(0), default=5, show_default=True, help="Cycles that it is asked to plan.")
@click.option("--model", help="Of a new agent, as in `aixi run`.  [default: ctw]")
@click.option("--planner", help=f"Of a new agent, as in `aixi run`.  [default: {DEFAULT}]")
@discount
@click.option("--cycles", type=at_least(0), help="Cycles that a new agent learns.")
@click.option("--depth", type=at_least(1), help="Bits of context of a new agent.")
@click.option("--horizon", type=at_least(1), help="Cycles that a new agent looks ahead.")
@click.option("--simulations", type=at_least(1), help="Simulations of each search of a new agent while it learns.")
@click.option("--seed", type=int, help="What a new agent is a function of.  [default: 0]")
@click.option("--trust", is_flag=True, help="Run code outside the package that a run or an agent names.")
@as_json
def command(what: str, cycle: int | None, decisions: int, steps: int, trust: bool, as_json: bool, **given: Any) -> None:
    """Explain decisions of an agent: what it expects of each action, what it plans, what came, what is true.

    WHAT is the folder of a recorded run, of which any cycle can be explained, as the agent is rebuilt exactly as it
    was; the file of a saved agent, whose next decision is explained; or an environment as in `aixi run`, where an agent
    learns first.

    For each action: the value that the search found, the expected sum of rewards over the horizon, with two standard
    errors; the simulations that began with it; the probability by the policy, if the agent learns one; the exact value
    where the environment is known; the reward and the percepts that the model expects next. Then the same in words,
    with what the decision loses, split into its causes.

    \b
    Examples:
      aixi explain tiger
      aixi explain tiger --cycles 2000 --decisions 3
      aixi explain run/ --cycle 1234
      aixi explain run/agent.aixi --json
    """
    asked = {name: value for name, value in given.items() if value is not None}
    path = Path(what)
    if (path.is_dir() or path.suffix == ".aixi") and asked:
        raise click.UsageError(f"--{next(iter(asked))} is for a new agent, and that of {what} has lived: leave it out")
    if path.suffix == ".aixi" and cycle is not None:
        raise click.UsageError(f"{what} holds an agent, not its past: leave --cycle out, or name the folder of a run")
    if what.endswith("/") and not path.is_dir():
        raise click.ClickException(f"there is no folder {what}: name that of `aixi run ... --out`, or an environment")
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        if path.suffix == ".aixi":
            told = [_of_agent(path, steps, trust)]
        elif path.is_dir():
            told = _of_run(path, cycle, decisions, steps, trust)
        else:
            told = _of_new(what, asked, cycle, decisions, steps)
    if as_json:
        print_json({"of": what, "decisions": [each.as_json() for each in told]})
        return
    for number, each in enumerate(told):
        _print(each, first=not number)


def _of_agent(path: Path, steps: int, trust: bool) -> Explanation:
    """The next decision of a saved agent."""
    from aixi_approx.builder import load
    from aixi_approx.viewer.recorded_run import check_recipe

    check_recipe(path, trust=trust)
    return load(path, trust=True).explain(steps=steps)


def _of_run(folder: Path, cycle: int | None, decisions: int, steps: int, trust: bool) -> list[Explanation]:
    """Decisions of a run, up to a cycle."""
    from aixi_approx.viewer.recorded_run import recorded_run
    from aixi_approx.viewer.replay import replay

    run = recorded_run(folder, trust=trust)
    last = run.cycles - 1 if cycle is None else cycle
    if last >= run.cycles:
        raise click.ClickException(f"{folder} has the cycles 0 to {run.cycles - 1}: there is no cycle {last}")
    wanted, told = range(max(0, last - decisions + 1), last + 1), []
    with moving("rebuilding the agent as it was") as say:
        for done in replay(run, wanted, first=wanted.start, steps=steps):
            if done.row.cycle % SAID == 0:
                say(f"cycle {done.row.cycle:,}")
            if done.explanation is not None:
                told.append(done.explanation)
            if done.row.cycle == last:
                break
    return told


def _of_new(name: str, asked: dict[str, Any], cycle: int | None, decisions: int, steps: int) -> list[Explanation]:
    """Decisions of an agent that learns now."""
    from aixi_approx.experiments.experiment import Experiment
    from aixi_approx.experiments.progress import show_progress
    from aixi_approx.experiments.running import compile_kernels, run

    experiment = Experiment.of(name, evaluate=max(EVALUATED, decisions), **asked)
    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels(experiment.model, experiment.planner)
    with tempfile.TemporaryDirectory() as folder:
        run(experiment, Path(folder), watch=show_progress)
        return _of_run(Path(folder), cycle, decisions, steps, trust=True)


def _print(told: Explanation, *, first: bool) -> None:
    """Print a decision as a table and in words."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from aixi_approx.introspection.sentences import interval_in_words

    print(plain(f"{'' if first else chr(10)}cycle {told.cycle:,}: {told.name}{', to explore' * told.explored}"))
    exact = None if told.truth is None else told.truth.within
    exactly = f"exact, {told.horizon} cycle{'s' * (told.horizon != 1)}"
    shown = {
        "value": any(each.value is not None for each in told.actions),
        "+-": any(interval_in_words(each) for each in told.actions),
        "visits": any(each.visits for each in told.actions),
        "policy": any(each.prior is not None for each in told.actions),
        exactly: exact is not None,
        "expected reward": any(each.prediction is not None for each in told.actions),
    }
    columns = [name for name, known in shown.items() if known]
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for each in told.actions:
        prediction = each.prediction
        cells = {
            "value": "" if each.value is None else f"{each.value:.3f}",
            "+-": interval_in_words(each).removeprefix("+- "),
            "visits": f"{each.visits:,}",
            "policy": "" if each.prior is None else f"{each.prior:.3f}",
            exactly: "" if exact is None else f"{exact[each.action]:.3f}",
            "expected reward": "" if prediction is None else f"{prediction.reward:.3f}",
        }
        row = [f"{'>' if each.action == told.action else ' '} {each.name}", *(cells[column] for column in columns)]
        style = "bold" if each.action == told.action else ""
        table.add_row(*(Text(plain(cell), style=style) for cell in row))
    Console(emoji=False).print(table)
    for line in told.sentences():
        click.echo(plain(line))
