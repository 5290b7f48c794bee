"""What an agent is made of, where and for how long it learns, as options of the commands that let it learn."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.options import at_least, discount, memory
from aixi_approx.planner_spec import DEFAULT, LEAVES, LESSONS, RULES, STOPS
from aixi_approx.planners import PLANNERS
from aixi_approx.predictors import PREDICTORS
from aixi_approx.rollouts import LEARNED, ROLLOUTS

if TYPE_CHECKING:
    from aixi_approx.experiments.experiment import Experiment

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

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--model", default="ctw", show_default=True, metavar="MODEL", help=f"Predicts percepts: {MODELS}."),
    click.option("--planner", default=DEFAULT, show_default=True, metavar="PLANNER", help=f"Decides: {PLANNING}."),
    click.option("--policy", metavar="POLICY", help=f"Learns what searches find: {LEARNED} or my_policy.py:MyClass."),
    click.option("--lessons", type=click.Choice(LESSONS), help="Which decisions the policy learns.  [default: all]"),
    click.option(
        "--teacher", type=click.Path(path_type=Path), metavar="DIR", help="A run whose actions the policy learns first."
    ),
    click.option(
        "--rollout", metavar="POLICY", help=f"Acts beyond the tree: {POLICIES}.  [default: the policy, or uniform]"
    ),
    discount,
    click.option("--cycles", type=at_least(0), help="Cycles of learning."),
    click.option("--depth", type=at_least(1), help="Bits of context of the predictor."),
    click.option("--horizon", type=at_least(1), help="Cycles that the search looks ahead."),
    click.option("--simulations", type=at_least(1), help="Simulations of each search while learning."),
    click.option(
        "--exploration",
        type=(click.FloatRange(0, 1), click.FloatRange(0, 1)),
        metavar="EPSILON DECAY",
        help="A random action with probability EPSILON * DECAY^cycle.",
    ),
    click.option("--ucb", type=click.FloatRange(min=0), help="Weight of exploration.  [default: that of the planner]"),
    click.option(
        "--rule", type=click.Choice(RULES), help="How a search selects actions.  [default: that of the planner]"
    ),
    click.option(
        "--leaves", type=click.Choice(LEAVES), help="Values of leaves, given the true model.  [default: exact]"
    ),
    click.option(
        "--stop", type=click.Choice(STOPS), help="End a decision when its choice is certain.  [default: never]"
    ),
    click.option("--memo/--no-memo", default=None, help="Keep probabilities within a search: faster, same result."),
    click.option(
        "--prune", type=click.FloatRange(0, 1), help="Least probable path that expectimax imagines.  [default: 0.0001]"
    ),
    click.option("--memory-cycles", type=at_least(0), help="Cycles that make up a state of q-learning.  [default: 2]"),
    click.option("--levels", type=at_least(2), help="Into how many aiqi divides a return at most.  [default: 1024]"),
    click.option(
        "--evaluate",
        type=at_least(0),
        help="Cycles of greedy evaluation.  [default: 2000; --cycles if less, at least 100]",
    ),
    click.option(
        "--evaluation-simulations",
        type=at_least(0),
        help="Simulations of each search in the evaluation; 0: the policy acts alone.",
    ),
    click.option("--learn-in-evaluation", is_flag=True, help="Go on learning in the evaluation, without exploring."),
    memory("Bytes that model, policy and search may take, as in 500M; a model stops growing there."),
    click.option(
        "--from",
        "start",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A saved agent, or the folder of a run, whose knowledge it begins with.",
    ),
    click.option("--threads", type=at_least(1), help="Threads for majority:K and pooled:K; same result.  [default: 1]"),
    click.option("--seed", type=int, default=0, show_default=True, help="The run is a function of it."),
    click.option("--out", type=click.Path(path_type=Path), help="Folder to write to, or to resume from."),
)


def agent_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which hands all of them to `asked_experiment`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked_experiment(
    environment: str,
    *,
    model: str,
    planner: str,
    discount: float | None,
    exploration: tuple[float, float] | None,
    evaluate: int | None,
    learn_in_evaluation: bool,
    teacher: Path | None,
    start: Path | None,
    seed: int,
    out: Path | None,
    **given: Any,
) -> Experiment:
    """Return the experiment that the options ask for; `given` are those of model and planner.

    Raises
    ------
    click.UsageError
        If an option means nothing to such an agent, or is given twice.
    ValueError
        If one is out of range, or there is no such environment.
    """
    from aixi_approx.builder import options_taken
    from aixi_approx.experiments.experiment import Experiment
    from aixi_approx.planner_spec import PlannerSpec

    spec = PlannerSpec.parse(planner)
    if given["policy"] is not None and spec.policy is None:
        spec = spec._replace(policy=given.pop("policy"))
    asked = {name: value for name, value in given.items() if value is not None}
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
        return Experiment.of(
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


def _recorded_evaluation(out: Path) -> int | None:
    """The cycles of evaluation of the run that a folder holds, if it holds one."""
    try:
        found = json.loads((out / "manifest.json").read_bytes())["options"]["evaluate"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) else None
