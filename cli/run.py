"""`aixi run`: an agent learns in an environment from nothing, and is then evaluated."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.bar import bar
from aixi_approx.cli.options import as_json, at_least, notice, number, picture, print_json, size
from aixi_approx.cli.watch import watch as draw

if TYPE_CHECKING:
    from rich.table import Table

    from aixi_approx.environment import Environment
    from aixi_approx.experiments.run import Watcher
    from aixi_approx.interaction import Row

MODELS = ("ctw", "true")  # as in builder.py, which --help need not load
PLANNERS = ("rhouct", "one-ply", "expectimax", "majority:K", "pooled:K", "seconds:S", "q-learning", "random")
VOTING = ("majority", "pooled")
COUNTING = ("rhouct", "one-ply", *VOTING)  # planners that make a given number of simulations
SAMPLING = (*COUNTING, "seconds")
PLANNING = (*SAMPLING, "expectimax")
MEANINGFUL = {  # options that not every agent heeds: its models, its planners
    "depth": (("ctw",), PLANNING),
    "horizon": (MODELS, PLANNING),
    "simulations": (MODELS, COUNTING),
    "evaluation_simulations": (MODELS, COUNTING),
    "ucb": (MODELS, SAMPLING),
    "threads": (MODELS, VOTING),
}


@click.command("run", short_help="Let an agent learn, then evaluate it.")
@click.argument("environment")
@click.option(
    "--model", type=click.Choice(MODELS), default="ctw", show_default=True, help="What percepts are predicted with."
)
@click.option(
    "--planner",
    default="rhouct",
    show_default=True,
    metavar="PLANNER",
    help=f"How actions are decided on: {', '.join(PLANNERS[:-1])} or {PLANNERS[-1]}.",
)
@click.option("--cycles", type=at_least(0), help="Cycles of learning.")
@click.option("--depth", type=at_least(1), help="Bits of context of the predictor.")
@click.option("--horizon", type=at_least(1), help="Cycles that the search looks ahead.")
@click.option("--simulations", type=at_least(1), help="Simulations of each search while learning.")
@click.option(
    "--exploration",
    type=(click.FloatRange(0, 1), click.FloatRange(0, 1)),
    metavar="EPSILON DECAY",
    help="A random action with probability EPSILON * DECAY^cycle.",
)
@click.option("--ucb", type=click.FloatRange(min=0), help="Weight of exploration in the search.  [default: sqrt 2]")
@click.option("--memo/--no-memo", default=True, help="Keep probabilities within a search: faster, same result.")
@click.option(
    "--prune", type=click.FloatRange(0, 1), help="Least probable path that expectimax imagines.  [default: 0.0001]"
)
@click.option("--memory", type=at_least(0), help="Cycles that q-learning remembers.  [default: 2]")
@click.option("--evaluate", type=at_least(0), default=2_000, show_default=True, help="Cycles of greedy evaluation.")
@click.option("--evaluation-simulations", type=at_least(1), help="Simulations of each search in the evaluation.")
@click.option("--learn-in-evaluation", is_flag=True, help="Go on learning in the evaluation, without exploring.")
@click.option("--threads", type=at_least(1), help="In which majority:K and pooled:K search; same result.  [default: 1]")
@click.option("--seed", type=int, default=0, show_default=True, help="The run is a function of it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to, or to go on from.")
@click.option("--watch", is_flag=True, help="See the evaluation on stderr, at most ten cycles a second.")
@picture("Draw the reward over the cycles of learning to this file: .png, .svg or .pdf.")
@as_json
def command(
    environment: str,
    model: str,
    planner: str,
    exploration: tuple[float, float] | None,
    ucb: float | None,
    memo: bool,
    prune: float | None,
    memory: int | None,
    evaluate: int,
    learn_in_evaluation: bool,
    threads: int | None,
    seed: int,
    out: Path | None,
    watch: bool,
    picture: Path | None,
    as_json: bool,
    **given: int | None,
) -> None:
    """Let an agent learn in ENVIRONMENT from nothing, then evaluate it.

    ENVIRONMENT is a name that `aixi envs` lists, my_file.py:MyClass, or gym:ID for one of Gymnasium's. What is not
    given is taken from the environment, and `aixi envs --json` shows it. First the agent learns, acting at random now
    and then; then it acts greedily for some cycles without learning, and only these are scored. With --out, every
    cycle is written to DIR/learning.csv and DIR/evaluation.csv, and the same command goes on with a run that was
    stopped.

    An agent is a model and a planner. The model is a context-tree mixture that learns (ctw) or the environment itself
    (true). The planner is rhouct, its one-ply version, expectimax, which is exact and slow, or one that has no model:
    q-learning or random. majority:K and pooled:K share the simulations out among K searches that know nothing of each
    other, and let them vote or pool what they found; seconds:S simulates for S seconds a decision, which can't be
    repeated.

    \b
    Examples:
      aixi run tiger
      aixi run cheese-maze --watch
      aixi run kuhn-poker --cycles 20000 --seed 3 --out kuhn/
      aixi run tiger --model true
      aixi run tiger --planner majority:8 --simulations 4000 --threads 2
      aixi run "coin-flip>1d-maze@2000" --cycles 5000 --picture change.png
      aixi run 'gym:FrozenLake-v1?is_slippery=False'
    """
    from aixi_approx.builder import parsed
    from aixi_approx.envs import make
    from aixi_approx.experiments.recording import Recording
    from aixi_approx.experiments.run import Experiment, compile_kernels, run

    decides = parsed(planner)[0]
    asked = {**given, "ucb": ucb, "threads": threads}
    for name, (models, planners) in MEANINGFUL.items():
        if asked[name] is not None and (model not in models or decides not in planners):
            agent = f"{planner} with the model {model}" if decides in PLANNING else planner
            raise click.UsageError(f"--{name.replace('_', '-')} means nothing to {agent}: leave it out")
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        made = make(environment)
    environment = made.title
    settings = made.settings._replace(**{name: value for name, value in given.items() if value is not None})
    if exploration:
        settings = settings._replace(epsilon=exploration[0], decay=exploration[1])
    experiment = Experiment(
        environment,
        settings,
        evaluate,
        memo=memo,
        seed=seed,
        model=model,
        planner=planner,
        prune=prune,
        memory_cycles=memory,
        learn_in_evaluation=learn_in_evaluation,
    )
    if ucb is not None:
        experiment = experiment._replace(ucb=ucb)
    complete = bool(out and (out / "result.json").exists())
    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels(model, planner)
    try:
        learned: list[Row] = []
        with redirect_stdout(sys.stderr):
            result = run(experiment, out, _watcher(watch, learned), threads or 1)
    except KeyboardInterrupt:
        print(f"aixi: stopped; the same command goes on from {out}" if out else "aixi: stopped", file=sys.stderr)
        sys.exit(130)
    if picture:
        from aixi_approx.cli.curve import draw as draw_curve

        if complete and out:
            learned = Recording(out, experiment.options()).rows("learning")
        draw_curve(learned, result, picture)
    if as_json:
        print_json(result)
    else:
        _print_table(result)
        if out:
            print(f"Every cycle stands in {out}/learning.csv and {out}/evaluation.csv.")
        if complete:
            print(f"The run was complete; nothing was done again{', nor watched' * watch}.")


def _watcher(pictures: bool, learned: list[Row]) -> Watcher:
    """Return who shows a run, with bars or pictures of the evaluation, and collects the rows of learning."""

    def show(part: str, rows: Iterable[Row], cycles: int, environment: Environment) -> Iterator[Row]:
        if part == "learning":
            rows = _collect(rows, learned)
        if pictures and cycles and part == "evaluation":
            return draw(rows, cycles, environment)
        return bar(part, rows, cycles)

    return show


def _collect(rows: Iterable[Row], to: list[Row]) -> Iterator[Row]:
    """Pass rows on, and keep them."""
    for row in rows:
        to.append(row)
        yield row


def _print_table(result: dict[str, Any]) -> None:
    """Print what came of a run."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aixi_approx.experiments.run import LOSS_WINDOW

    settings = result["settings"]
    known = result["phases"] and result["evaluate"]
    where = f", evaluated in {result['phases'][-1]['environment']}" if known else ""
    print(f"{result['environment']} after {settings['cycles']:,} cycles{where}")
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("reward per cycle")
    table.add_column("", justify="right")
    table.add_column("")
    if result["evaluate"]:
        table.add_row(
            "this agent",
            number(result["reward"]),
            f"95 % in {number(result['reward_low'])} to {number(result['reward_high'])}",
        )
    table.add_row("random agent", number(result["random_reward"]), "")
    table.add_row("best achievable", number(result["optimum"]), "")
    if result["evaluate"] and result["score"] is not None:
        table.add_row("score", number(result["score"]), "0 = random, 1 = best")
    for phase in result["phases"]:
        table.add_section()
        _add_phase(table, phase)
    table.add_section()
    if result["log_loss_start"] is not None:
        window = min(LOSS_WINDOW, settings["cycles"])
        table.add_row("[bold]log loss", "", "bits per percept")
        if settings["cycles"] > window:
            table.add_row("at the start", number(result["log_loss_start"]), f"first {window:,} cycles")
        table.add_row("at the end", number(result["log_loss_end"]), f"last {window:,} cycles", end_section=True)
    table.add_row("[bold]cost", "", "")
    if result["nodes"] is not None:
        table.add_row("context-tree nodes", f"{result['nodes']:,}", size(result["memory"]))
    simulations = result["simulations_learning"] + result["simulations_evaluation"]
    if simulations:
        table.add_row("simulations", f"{simulations:,}", "")
    table.add_row("time", f"{result['learning_seconds'] + result['evaluation_seconds']:.1f} s", "")
    Console(emoji=False).print(table)
    if result.get("approximations"):
        print(f"Not as in the original: {result['approximations']}.")


def _add_phase(table: Table, phase: dict[str, Any]) -> None:
    """Add what became of an agent in one of several environments."""
    from aixi_approx.experiments.recovery import TOLERANCE

    table.add_row(f"[bold]{phase['environment']}", "score", f"cycles {phase['onset']:,} to {phase['end'] - 1:,}")
    table.add_row("at first", number(phase["score_first"]), f"reward {number(phase['reward_first'])}")
    table.add_row("at last", number(phase["score_last"]), f"reward {number(phase['reward_last'])}")
    if phase["onset"]:
        recovered, before = phase["recovered"], phase["score_before"]
        text = f"after {recovered:,} cycles" if recovered else "not within this time"
        known = before is not None and phase["score_last"] is not None
        table.add_row("recovered", "", f"{text}, to {before - TOLERANCE:.3f}" if known else "unknown")
