"""`aixi run`: an agent learns in an environment from nothing, and is then evaluated."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import (
    as_json,
    at_least,
    discount,
    html,
    memory,
    moving,
    notice,
    picture,
    plain,
    print_json,
    written,
)
from aixi_approx.cli.watch import watch as draw
from aixi_approx.experiments.progress import show_progress
from aixi_approx.planner_spec import DEFAULT, LEAVES, LESSONS, RULES, STOPS
from aixi_approx.planners import PLANNERS
from aixi_approx.predictors import PREDICTORS
from aixi_approx.rollouts import LEARNED, ROLLOUTS

MODELS = f"{', '.join(PREDICTORS)} or my_model.py:MyClass"
PLANNING = f"{', '.join(PLANNERS)} or my_planner.py:MyClass; with +majority:K, +pooled:K or +seconds:S"
POLICIES = f"{', '.join(name for name in ROLLOUTS if name != LEARNED)} or my_rollout.py:MyClass"
SEARCH = (  # options of the planner
    "policy",
    "lessons",
    "rollout",
    "leaves",
    "stop",
    "ucb",
    "rule",
    "memo",
    "prune",
    "memory_cycles",
    "levels",
)
DPI = 130  # of a picture

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.experiments.experiment import RunResult
    from aixi_approx.interaction import Row


@click.command("run", short_help="Let an agent learn, then evaluate it.")
@click.argument("environment")
@click.option("--model", default="ctw", show_default=True, metavar="MODEL", help=f"Predicts percepts: {MODELS}.")
@click.option("--planner", default=DEFAULT, show_default=True, metavar="PLANNER", help=f"Decides: {PLANNING}.")
@click.option("--policy", metavar="POLICY", help=f"Learns what searches find: {LEARNED} or my_policy.py:MyClass.")
@click.option("--lessons", type=click.Choice(LESSONS), help="Which decisions the policy learns.  [default: all]")
@click.option(
    "--teacher", type=click.Path(path_type=Path), metavar="DIR", help="A run whose actions the policy learns first."
)
@click.option(
    "--rollout", metavar="POLICY", help=f"Acts beyond the tree: {POLICIES}.  [default: the policy, or uniform]"
)
@discount
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
@click.option("--ucb", type=click.FloatRange(min=0), help="Weight of exploration.  [default: that of the planner]")
@click.option("--rule", type=click.Choice(RULES), help="How a search selects actions.  [default: that of the planner]")
@click.option("--leaves", type=click.Choice(LEAVES), help="Values of leaves, given the true model.  [default: exact]")
@click.option("--stop", type=click.Choice(STOPS), help="End a decision when its choice is certain.  [default: never]")
@click.option("--memo/--no-memo", default=None, help="Keep probabilities within a search: faster, same result.")
@click.option(
    "--prune", type=click.FloatRange(0, 1), help="Least probable path that expectimax imagines.  [default: 0.0001]"
)
@click.option("--memory-cycles", type=at_least(0), help="Cycles that make up a state of q-learning.  [default: 2]")
@click.option("--levels", type=at_least(2), help="Into how many aiqi divides a return at most.  [default: 1024]")
@click.option(
    "--evaluate", type=at_least(0), help="Cycles of greedy evaluation.  [default: 2000; --cycles if less, at least 100]"
)
@click.option(
    "--evaluation-simulations",
    type=at_least(0),
    help="Simulations of each search in the evaluation; 0: the policy acts alone.",
)
@click.option("--learn-in-evaluation", is_flag=True, help="Go on learning in the evaluation, without exploring.")
@memory("Bytes that model, policy and search may take, as in 500M; a model stops growing there.")
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A saved agent, or the folder of a run, whose knowledge it begins with.",
)
@click.option("--threads", type=at_least(1), help="Threads for majority:K and pooled:K; same result.  [default: 1]")
@click.option("--seed", type=int, default=0, show_default=True, help="The run is a function of it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write to, or to resume from.")
@click.option("--watch", is_flag=True, help="See the evaluation on stderr, at most ten cycles a second.")
@picture("Draw the reward over the cycles of learning to this file: .png, .svg or .pdf.")
@html
@as_json
def command(
    environment: str,
    model: str,
    planner: str,
    discount: float | None,
    exploration: tuple[float, float] | None,
    evaluate: int | None,
    learn_in_evaluation: bool,
    teacher: Path | None,
    start: Path | None,
    threads: int | None,
    seed: int,
    out: Path | None,
    watch: bool,
    picture: Path | None,
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Let an agent learn in ENVIRONMENT from nothing, then evaluate it.

    ENVIRONMENT is a name that `aixi envs` lists, my_file.py:MyClass, a file such as tiger.POMDP, gym:ID for one of
    Gymnasium's, or open_spiel:NAME for a game of OpenSpiel. Settings that are not given are those of the environment;
    `aixi envs --json` shows them. First the agent learns, sometimes acting
    at random; then it acts greedily without learning, and only these cycles are scored. With --out, every cycle is
    written to DIR/learning.csv and DIR/evaluation.csv, and the same command resumes a run that was stopped; with more
    --cycles or --evaluate it makes one longer. What the agent knows stands in DIR/agent.aixi, where --from finds it.

    An agent is a model and a planner. The model is a context-tree mixture that learns (ctw) or the environment itself
    (true). The planner is dpuct, the default; rhouct, the search of MC-AIXI in JAIR 2011; one-ply and flat, which
    choose only the first action of a simulation; expectimax, which is exact and slow; or one without a model:
    q-learning, aiqi (which predicts returns) or random. +majority:K and +pooled:K divide the simulations among K
    independent searches, which vote or pool their values; +seconds:S simulates for S seconds a decision, which can't be
    repeated. Your own model, planner, policy and rollout policy are named by file and class.

    With --policy learned, an agent keeps what its searches find: the policy learns their decisions, guides the searches
    that follow, and acts without any with --evaluation-simulations 0. --teacher DIR teaches it the actions of another
    run first. The planner self-aixi takes the action that is best if its policy does the rest; policy-alone does not
    search.

    \b
    Examples:
      aixi run tiger
      aixi run cheese-maze --watch
      aixi run tiger --html mind.html
      aixi run kuhn-poker --cycles 20000 --seed 3 --out kuhn/
      aixi run tiger --model true
      aixi run tiger --discount 0.95
      aixi run benchmarks/problems/shuttle.POMDP --model true --cycles 0
      aixi run tiger --planner rhouct
      aixi run tiger --simulations 5000 --stop certain
      aixi run nim:48-perfect --model true --policy learned --exploration 0 1 --simulations 300
      aixi run tiger --policy learned --simulations 500 --evaluation-simulations 0
      aixi run pacman --cycles 1000000 --out run/ --memory 500M
      aixi run pacman --from run/ --cycles 1000
      aixi run tiger --planner aiqi
      aixi run tiger --planner one-ply+majority:8 --simulations 4000 --threads 2
      aixi run tiger --model my_ngram.py:NGram --planner my_planner.py:Mine
      aixi run "coin-flip>1d-maze@2000" --cycles 5000 --picture change.png
      aixi run 'gym:FrozenLake-v1?is_slippery=False'
    """
    from aixi_approx.builder import options_taken
    from aixi_approx.experiments.collection import Collection
    from aixi_approx.experiments.experiment import Experiment, compile_kernels, run
    from aixi_approx.experiments.recording import recorded_rows
    from aixi_approx.planner_spec import PlannerSpec

    spec = PlannerSpec.parse(planner)
    if given["policy"] is not None and spec.policy is None:
        spec = spec._replace(policy=given.pop("policy"))
    asked = {name: value for name, value in {**given, "threads": threads}.items() if value is not None}
    taken = {"cycles", *options_taken(spec, model)}
    for name in asked:
        if name not in taken:
            agent = f"{spec.title} with the model {model}"
            flag = "memory" if name == "most_memory" else name.replace("_", "-")
            raise click.UsageError(f"--{flag} means nothing to {agent}: leave it out")
    if twice := [name for name in asked if name in spec.options() and name != "depth"]:
        raise click.UsageError(f"--{twice[0].replace('_', '-')} is in --planner {planner}, too: leave one out")
    spec = spec._replace(**{name: asked[name] for name in SEARCH if name in asked})
    options = {name: value for name, value in asked.items() if name not in (*SEARCH, "threads")}
    if exploration:
        options["epsilon"], options["decay"] = exploration
    if evaluate is None and out:
        evaluate = _recorded_evaluation(out)
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        experiment = Experiment.of(
            environment,
            model=model,
            planner=spec,
            discount=discount,
            evaluate=evaluate,
            learn_in_evaluation=learn_in_evaluation,
            seed=seed,
            teacher=teacher,
            start=start,
            **options,
        )
    before = _content(out)
    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels(model, spec)
    watcher = _draw_evaluation if watch else show_progress
    rows = Collection(watcher) if picture else None
    with ExitStack() as stack:
        folder = out or (Path(stack.enter_context(TemporaryDirectory())) if html else None)
        with redirect_stdout(sys.stderr):
            result = run(experiment, folder, watch=rows or watcher, threads=threads or 1)
        if html and folder:
            _write_page(folder, html, threads or 1)
    if picture and rows:
        learned = recorded_rows(out / "learning.csv") if out else rows.learning
        with written(picture):
            result.draw(learned).savefig(picture, dpi=DPI)
    if as_json:
        print_json(result.as_json())
    else:
        _print_table(result)
        if out:
            print(f"Every cycle stands in {out}/learning.csv and {out}/evaluation.csv.")
            if (out / "agent.aixi").exists():
                print(f"What it learned stands in {out}/agent.aixi, for --from and aixi_approx.load.")
        if before is not None and before == _content(out):
            print(f"The run was complete; nothing was done again{', nor watched' * watch}.")
        if html:
            print(f"A page that replays it stands in {html}: open it in a browser.")


def _write_page(folder: Path, path: Path, threads: int) -> None:
    """Write the page of a recorded run."""
    from aixi_approx.viewer.page import write_page
    from aixi_approx.viewer.recorded_run import recorded_run
    from aixi_approx.viewer.scenes import mind

    recorded = recorded_run(folder, trust=True)
    with moving("rebuilding the run for its page") as say:

        def told(cycle: int) -> None:
            if cycle % 100 == 0:
                say(f"{cycle:,} of {recorded.cycles:,} cycles")

        with redirect_stdout(sys.stderr):
            content = mind(recorded, watch=told, threads=threads)
    with written(path):
        write_page(content, path)


def _recorded_evaluation(out: Path) -> int | None:
    """The cycles of evaluation of the run that a folder holds, if it holds one."""
    try:
        found = json.loads((out / "manifest.json").read_bytes())["options"]["evaluate"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) else None


def _content(out: Path | None) -> bytes | None:
    """The result that stands in a folder, if any."""
    path = out / "result.json" if out else None
    return path.read_bytes() if path and path.is_file() else None


def _draw_evaluation(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
    """Pass rows on, and show the evaluation in pictures."""
    if cycles and part == "evaluation":
        return draw(rows, cycles, environment=environment)
    return show_progress(part, rows, cycles=cycles)


def _print_table(result: RunResult) -> None:
    """Print what came of a run."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from aixi_approx.experiments import summary

    print(plain(summary.title(result)))
    first, *others = summary.sections(result)
    table = Table(box=box.SIMPLE_HEAD)
    for i, column in enumerate(first.head):
        table.add_column(column, justify="right" if i == 1 else "left")

    def add(cells: Iterable[str], style: str = "") -> None:
        table.add_row(*(Text(plain(cell), style=style if not i else "") for i, cell in enumerate(cells)))

    for line in first.lines:
        add(line)
    for section in others:
        table.add_section()
        add(section.head, "bold")
        for line in section.lines:
            add(line)
    add(("time", f"{result.learning_seconds + result.evaluation_seconds:.1f} s", ""))
    Console(emoji=False).print(table)
    if result.approximations:
        print(f"Not as in the original: {plain(result.approximations)}.")
