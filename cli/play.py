"""`aixi play`: people play an environment, and an agent beside them."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from signal import SIGINT
from typing import TYPE_CHECKING, Any

import click

from aixi_approx.cli.agent_options import MODELS
from aixi_approx.cli.options import as_json, at_least, notice, print_json
from aixi_approx.cli.signals import Stopped, answered
from aixi_approx.display.words import number, word
from aixi_approx.experiments.progress import show_progress

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row

INDENT = " " * 6


@click.command("play", short_help="Play yourself, the agent's score beside yours.")
@click.argument("environment")
@click.option("--rounds", type=at_least(1), help="End after this many cycles.  [default: when you say q]")
@click.option(
    "--model",
    metavar="MODEL",
    help=f"What the agent beside you knows: the rules (true), or what it has learned: {MODELS}.  [default: true if it "
    "can be, ctw if --blind]",
)
@click.option("--cycles", type=at_least(0), help="Cycles that it learns before.")
@click.option("--simulations", type=at_least(1), help="Simulations of each search of the agent.")
@click.option("--blind", is_flag=True, help="Be told as little as an agent that learns: no rules, no names.")
@click.option("--reveal", is_flag=True, help="See the environment as it is, what is hidden included.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="All luck is a function of it, and of the actions."
)
@as_json
def command(
    environment: str,
    rounds: int | None,
    model: str | None,
    cycles: int | None,
    simulations: int | None,
    blind: bool,
    reveal: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Play ENVIRONMENT yourself: be told its rules, then say an action in each cycle, and see what comes of it.

    ENVIRONMENT is a name that `aixi envs` lists, or its beginning, or my_file.py:MyClass. An agent plays a game of its
    own with the same seed, a cycle whenever you play one: it sees what you see, no more. An action is said by its
    name, a beginning of it that no other has, or its number. ? shows the rules again, q ends. All goes to stderr but
    the table at the end, so that answers can come from a program, as in the last example.

    \b
    Examples:
      aixi play kuhn
      aixi play tic-tac-toe --rounds 30
      aixi play tiger --blind
      printf 'bet\\npass\\nq\\n' | aixi play kuhn --json
    """
    if blind and reveal:
        raise click.UsageError("--blind hides what --reveal shows: give one of them")
    if model == "true" and cycles is not None:
        raise click.UsageError("the model true has nothing to learn: give no --cycles")

    from aixi_approx.envs import maker
    from aixi_approx.interaction import evaluation_seed
    from aixi_approx.laws.estimate import average, finite, normalised
    from aixi_approx.pomdp.definition import POMDP
    from aixi_approx.pomdp.solver import reward_range

    with redirect_stdout(sys.stderr):  # what the environment prints is no result
        new = maker(environment)
        mine, other = new(), new()
        environment = mine.title
        model = model or ("true" if isinstance(mine, POMDP) and not blind and cycles is None else "ctw")
        learned = 0 if model == "true" else mine.schedule.cycles if cycles is None else cycles
        agent = _agent(other, model, learned, simulations, seed)
        mine.checked_reset(evaluation_seed(seed))
        rewards = _converse(mine, agent, rounds, blind, reveal, _introduction(mine, blind, model, learned))
        random, optimum = reward_range(mine)
    means = [average(each).mean for each in zip(*rewards, strict=True)] or [math.nan, math.nan]
    you, its = ({"reward": mean, "score": normalised(mean, random, optimum=optimum)} for mean in means)
    result = {
        **{"environment": environment, "seed": seed, "cycles": len(rewards), "model": model, "learned": learned},
        **{name: finite(value) for name, value in you.items()},
        **{f"agent_{name}": finite(value) for name, value in its.items()},
        **{"random_reward": random, "optimum": optimum},
    }
    if as_json:
        print_json(result)
    else:
        _print_table(result)


def _agent(environment: Environment, model: str, cycles: int, simulations: int | None, seed: int) -> Iterator[Row]:
    """The cycles of an agent's evaluation, as `aixi run` has it, once it has learned."""
    from aixi_approx.builder import build_agent
    from aixi_approx.experiments.running import compile_kernels
    from aixi_approx.interaction import MAX_CYCLES, evaluate, interact

    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels(model)
    agent = build_agent(environment, model, seed=seed)
    environment.checked_reset(seed)
    for _ in show_progress("learning", interact(agent, environment, cycles=cycles), cycles=cycles):
        pass
    return evaluate(agent, environment, cycles=MAX_CYCLES, seed=seed, simulations=simulations)


def _introduction(environment: Environment, blind: bool, model: str, learned: int) -> str:
    """What is said before the first action."""
    rewards = f"rewards: {environment.coding.rewards_in_words()}"
    if blind:
        told = f"observations 0 to {len(environment.observations) - 1}, {rewards}"
        rules = f"Actions 0 to {len(environment.actions) - 1}, {told}: find out what they mean."
    else:
        words = [word(name) for name in environment.actions]
        names = ", ".join(name if name == str(i) else f"{i} {name}" for i, name in enumerate(words))
        rules = f"{environment.rules}\n\nactions: {names}\n{rewards}"
    agent = "knows the rules" if model == "true" else f"has learned from {learned:,} cycles"
    closing = "Nothing is seen before the first action. ? shows this again, q ends."
    return f"{rules}\n\nAn agent that {agent} plays beside you, in a game of its own.\n{closing}\n"


def _converse(
    environment: Environment, agent: Iterator[Row], rounds: int | None, blind: bool, reveal: bool, introduction: str
) -> list[tuple[float, float]]:
    """Play until the end; return the rewards of the player and of the agent."""
    coding = environment.coding
    width = max(len(f"{reward:+}") for reward in coding.rewards or (coding.min_reward, coding.max_reward))
    draws = reveal or (environment.hidden == "nothing" and not blind)
    names = [str(i) if blind else word(name) for i, name in enumerate(environment.actions)]
    drawn = ""
    rewards: list[tuple[float, float]] = []
    _say(introduction)
    if reveal:
        _say(drawn := _picture(environment))
    while len(rewards) != rounds:
        try:
            action = _ask(len(rewards) + 1, names, introduction)
        except KeyboardInterrupt as stop:
            if isinstance(stop, Stopped) and stop.number != SIGINT:
                raise
            answered()
            _say("")
            break
        if action is None:
            break
        percept = environment.checked_step(action)
        rewards.append((percept.reward, next(agent).reward))
        you, its = (sum(each) / len(rewards) for each in zip(*rewards, strict=True))
        seen = percept.observation if blind else word(environment.observations[percept.observation])
        means = f"mean: you {you:+{width + 4}.3f}, agent {its:+{width + 4}.3f}"
        _say(f"{INDENT}reward {percept.reward:+{width}}   {means}   you see: {seen}")
        if draws and (picture := _picture(environment)) != drawn:
            _say(drawn := picture)
    return rewards


def _ask(cycle: int, names: list[str], introduction: str) -> int | None:
    """Ask until an action is said; None at the end."""
    while True:
        print(f"{cycle:4}> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        said = line.strip().lower()
        if not sys.stdin.isatty() or not line:
            _say(said)
        fit = matching(said, names)
        if not line or (said == "q" and fit != [said]):
            return None
        if said == "?":
            _say(f"\n{introduction}")
        elif len(fit) == 1:
            return names.index(fit[0])
        elif said:
            what = f"which one: {', '.join(fit)}?" if fit else f"there are {', '.join(names[:12])}"
            _say(f"{INDENT}{said!r} is {'several actions' if fit else 'no action'}: {what}")


def matching(said: str, names: list[str]) -> list[str]:
    """Return the names that may be meant: the one that was said, or of that number, or all that begin so.

    >>> [matching(said, ["listen", "open-left", "open-right"]) for said in ("l", "2", "open", "stay")]
    [['listen'], ['open-right'], ['open-left', 'open-right'], []]
    """
    exact = [name for name in names if name.lower() == said]
    if not exact and said.isdecimal():
        exact = names[int(said) : int(said) + 1]
    return exact or [name for name in names if name.lower().startswith(said)]


def _picture(environment: Environment) -> str:
    return "\n".join(f"{INDENT}{line}" for line in environment.checked_render().splitlines())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print_table(result: dict[str, Any]) -> None:
    """Print how it ended."""
    cycles = f"after {result['cycles']:,} cycle{'s' * (result['cycles'] != 1)}"
    print(f"{cycles:22}  reward per cycle     score")
    for who, prefix in (("you", ""), ("the agent", "agent_")):
        print(f"{who:22}  {number(result[prefix + 'reward']):>16}  {number(result[prefix + 'score']):>8}")
    known = result["agent_score"] is not None
    for who, key, score in (("a random agent", "random_reward", 0), ("best achievable", "optimum", 1)):
        print(f"{who:22}  {number(result[key]):>16}  {number(score if known else None):>8}")
