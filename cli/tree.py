"""`aixi tree`: the context trees of an agent in words, and how they grew."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aixi_approx.cli.options import as_json, at_least, moving, notice, plain, print_json, subject
from aixi_approx.experiments.progress import show_progress

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.introspection.context_trees import TreeInWords
    from aixi_approx.introspection.tree_growth import Growth
    from aixi_approx.viewer.growth import Experience


@click.command("tree", short_help="What an agent's context trees have found out, in words.")
@subject
@click.option("--cycle", type=at_least(1), help="The trees after so many cycles.  [default: after all]")
@click.option("--stages", type=at_least(1), default=5, show_default=True, help="How often to look as they grow.")
@click.option("--rules", type=at_least(1), default=8, show_default=True, help="Rules of each field, at most.")
@click.option("--cycles", type=at_least(1), help="Cycles of learning, if WHAT is an environment.")
@click.option("--depth", type=at_least(1), help="Bits of context of the predictor, if WHAT is an environment.")
@click.option("--seed", type=int, help="What learning is a function of, if WHAT is an environment.  [default: 0]")
@click.option("--trust", is_flag=True, help="Run code outside the package that a run or an agent names.")
@as_json
def command(
    what: str,
    cycle: int | None,
    stages: int,
    rules: int,
    cycles: int | None,
    depth: int | None,
    seed: int | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Say in words what the context trees of an agent have found out: which of the past matters for what.

    WHAT is the folder of a recorded run, the file of a saved agent, or an environment as in `aixi run`, where an agent
    learns first, with the settings of `aixi run`. Of all context trees that the agent mixes, these are the ones with
    the shortest code for what it learned. For reward and observation: the parts of the past that they look at, with
    the bits that this saves, and the most telling rules, with the number of cycles that each applies to; a percept is
    written with its reward first, so that the observation may depend on it. The stages show what was new after 1 % of
    the cycles, and so on.

    \b
    Examples:
      aixi tree tiger
      aixi tree run/ --stages 8
      aixi tree run/agent.aixi --cycle 1000 --rules 20
      aixi tree biased-rps --cycles 20000 --json
    """
    from aixi_approx.introspection.tree_growth import growth_between
    from aixi_approx.viewer.growth import grow
    from aixi_approx.viewer.growth import stages as spread

    given = {"cycles": cycles, "depth": depth, "seed": seed}
    with redirect_stdout(sys.stderr):  # what an environment prints is no result
        experience = _experience(what, {name: each for name, each in given.items() if each is not None}, trust)
    last = len(experience.cycles)
    if cycle is not None and cycle > last:
        raise click.ClickException(f"{what} has {last:,} cycles of learning: there is no cycle {cycle:,}")
    if cycle is not None and experience.final is not None:
        raise click.ClickException(
            f"{what} took in cycles that it did not learn, so it can't be redone: leave --cycle out"
        )
    trees: list[TreeInWords] = []
    with moving(f"learning the trees of {what} again") as say:
        for tree in grow(experience, spread(cycle or last, stages), rules=rules):
            trees.append(tree)
            say(f"{tree.cycle:,} cycles, {tree.leaves:,} leaves")
    growths = [growth_between(earlier, later) for earlier, later in zip([None, *trees[:-1]], trees, strict=True)]
    if as_json:
        _print_json(experience, trees, growths)
    else:
        _print(experience.environment, experience.before, trees, growths)


def _experience(what: str, given: dict[str, int], trust: bool) -> Experience:
    """What the agent learned from, of a run, an agent, or an environment in which it learns now."""
    from aixi_approx.viewer.growth import experience_of_agent, experience_of_run

    path = Path(what)
    if path.is_dir() or path.suffix == ".aixi":
        for name in given:
            raise click.UsageError(f"--{name} is for an environment, and {what} has learned already: leave it out")
        return experience_of_run(path, trust=trust) if path.is_dir() else experience_of_agent(path, trust=trust)
    if what.endswith("/"):
        raise click.ClickException(f"there is no folder {what}: name that of `aixi run ... --out`, or an environment")
    return _learn(what, given)


def _learn(name: str, given: dict[str, int]) -> Experience:
    """Let an agent learn in an environment."""
    from aixi_approx.envs import make
    from aixi_approx.experiments.running import compile_kernels
    from aixi_approx.viewer.growth import experience_of_learning

    environment = make(name)
    settings = environment.settings._replace(**{"depth": given["depth"]} if "depth" in given else {})
    cycles = given.get("cycles", environment.schedule.cycles)

    with notice("compiling the search, once; it is kept for next time ..."):
        compile_kernels()
    return experience_of_learning(
        environment, settings=settings, cycles=cycles, seed=given.get("seed", 0), watch=show_progress
    )


def _print_json(experience: Experience, trees: list[TreeInWords], growths: list[Growth]) -> None:
    stages = [{**tree.as_json(), "growth": growth.as_json()} for tree, growth in zip(trees, growths, strict=True)]
    print_json({"environment": experience.environment.title, "depth": experience.predictor.depth, "trees": stages})


def _print(environment: Environment, before: int, trees: list[TreeInWords], growths: list[Growth]) -> None:
    print(plain(f"The context trees of an agent in {environment.title}\n"))
    if before:
        print(f"It began with what was learned in {before:,} cycles, which are counted, too.\n")
    for tree, growth in zip(trees, growths, strict=True):
        if len(trees) > 1:
            print(f"after {tree.cycle:,} cycles: {tree.leaves:,} leaves, {tree.bits / tree.cycle:.3g} bits a cycle")
            for line in growth.sentences():
                print(plain(f"  {line}"))
    if len(trees) > 1:
        print()
    print(plain(trees[-1].text()))
