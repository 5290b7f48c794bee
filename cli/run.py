"""`aixi run`: an agent learns in an environment from nothing, and is then evaluated."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.agent_options import agent_options, asked_experiment
from aixi_approx.cli.options import as_json, html, moving, notice, picture, written
from aixi_approx.cli.outcome import print_outcome, recorded_outcome
from aixi_approx.cli.pictures import watch as draw
from aixi_approx.experiments.progress import show_progress

DPI = 130  # of a picture

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row


@click.command("run", short_help="Let an agent learn, then evaluate it.")
@click.argument("environment")
@agent_options
@click.option("--watch", is_flag=True, help="See the evaluation on stderr, at most ten cycles a second.")
@picture("Draw the reward over the cycles of learning to this file: .png, .svg or .pdf.")
@html
@as_json
def command(
    environment: str,
    threads: int | None,
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
    from aixi_approx.experiments.collection import Collection
    from aixi_approx.experiments.recording import recorded_rows
    from aixi_approx.experiments.running import compile_kernels, run

    experiment = asked_experiment(environment, threads=threads, out=out, **given)
    before = recorded_outcome(out)
    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels(experiment.model, experiment.planner)
    watcher = _draw_evaluation if watch else show_progress
    rows = Collection(watcher) if picture else None
    if html and not experiment.schedule.cycles + experiment.evaluate:
        raise click.UsageError("--html shows cycles, and there are none: ask for some, or leave it out")
    with ExitStack() as stack:
        folder = out or (Path(stack.enter_context(TemporaryDirectory())) if html else None)
        with redirect_stdout(sys.stderr):
            result = run(experiment, folder, watch=rows or watcher, threads=threads or 1)
        print_outcome(result, out, as_json=as_json)
        if before is not None and before == recorded_outcome(out) and not as_json:
            print(f"The run was complete; nothing was done again{', nor watched' * watch}.")
        if picture and rows:
            learned = recorded_rows(out / "learning.csv") if out else rows.learning
            with written(picture):
                result.draw(learned).savefig(picture, dpi=DPI)
        if html and folder:
            sys.stdout.flush()
            _write_page(folder, html, threads or 1)
            if not as_json:
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


def _draw_evaluation(part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
    """Pass rows on, and show the evaluation in pictures."""
    if cycles and part == "evaluation":
        return draw(rows, cycles, environment=environment)
    return show_progress(part, rows, cycles=cycles)
