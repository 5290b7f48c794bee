"""Conformance: whether an environment is what it says it is, found out by random play and by asking twice.

What an agent takes for granted: percepts are as declared; a run is a function of the seed, in any instance and in any
process; to look changes nothing; and what a finite definition says is true.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from aixi_approx.builder import build_agent
from aixi_approx.coding import bits_for
from aixi_approx.conformance.determinism import (
    Answer,
    answer,
    check_generators,
    check_replays,
    check_seeds,
    difference,
    draw_actions,
    elsewhere,
    play,
    seeded_generators,
    shared_generators,
)
from aixi_approx.conformance.diagnostic import FAILED, NOTE, PASSED, Diagnostic
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.envs import maker, name_of
from aixi_approx.interaction import MAX_CYCLES, evaluation_seed
from aixi_approx.planner import MAX_SIMULATIONS
from aixi_approx.pomdp.belief import believe
from aixi_approx.pomdp.definition import POMDP, Outcome, outcomes_at
from aixi_approx.pomdp.solver import solve
from aixi_approx.validation import as_integer

SEEDS = 3  # that are played, and one as large as those of evaluations
FEW = 200  # cycles where each takes long: in other processes, pictures, beliefs
MANY = 10_000  # names are not looked through, states and beliefs not solved for, where there are more
PAIRS = 2_000  # of state and action that are asked for their outcomes again, about


def check_environment(
    environment: str | Callable[[], Environment] | Environment | Any, cycles: int = 1_000, *, seed: int = 0
) -> list[Diagnostic]:
    """Play in an environment at random, and return what was found: passed, failed, or a note that is no fault.

    >>> [finding for finding in check_environment("tiger", cycles=100) if finding.result == "failed"]
    []

    Parameters
    ----------
    environment
        A name as `make` takes it; what makes a new instance, a class or a function without parameters; or an instance
        that has a name. Whether other processes see the same can only be checked with a name.
    cycles
        Of each play; there are about ten.
    seed
        Of the first play; the next seeds are played, too.

    Raises
    ------
    EnvironmentFault
        If there is no environment of that name. One that can't be built is a finding.
    """
    as_integer("cycles", cycles, 1, MAX_CYCLES)
    with redirect_stdout(io.StringIO()) as printed, seeded_generators(seed):
        name = None if callable(environment) else name_of(environment)
        new = maker(environment if name is None else name)
        findings = list(_examine(new, name, cycles, seed))
    if lines := printed.getvalue().splitlines():
        what = f"it prints {len(lines):,} lines, first {lines[0]!r:.60}: `aixi` passes them on to stderr"
        findings.append(Diagnostic("printing", NOTE, what))
    return findings


def _examine(new: Callable[[], Environment], name: str | None, cycles: int, seed: int) -> Iterator[Diagnostic]:
    before = shared_generators()
    try:
        environment = new()
    except EnvironmentFault as fault:
        yield Diagnostic("declaration", FAILED, str(fault))
        return
    yield from _declaration(environment)
    if environment.approximations:
        yield Diagnostic("original", NOTE, f"not as in the original: {environment.approximations}")
    seeds = [*range(seed, seed + SEEDS), evaluation_seed(seed)]
    with elsewhere(name, seed, cycles=min(cycles, FEW)) as processes:
        faults, began = dict[str, str](), time.perf_counter()
        plays = [
            play(environment, each, actions=draw_actions(environment, cycles, seed=each), faults=faults)
            for each in seeds
        ]
        seconds = time.perf_counter() - began
        yield from (Diagnostic("steps", FAILED, fault) for fault in faults.values())
        if not faults:
            yield Diagnostic("steps", PASSED, f"{len(seeds) * cycles:,} cycles of random play with {len(seeds)} seeds")
        replays = list(check_generators(environment, before))
        if not replays and not faults:
            replays = list(
                _guarded("same seed", check_replays(new, environment, seed=seed, first=plays[0], processes=processes))
            )
        yield from replays
    repeats = not faults and all(finding.result != FAILED for finding in replays)
    if repeats:
        yield from check_seeds(environment, seeds, first=plays[0])
    yield from _render(environment, seed, plays[0] if repeats else [])
    if isinstance(environment, POMDP):
        definition = list(_definition(environment, seed))
        yield from definition
        if definition[-1].result == PASSED:
            yield from _optimum(environment)
    else:
        yield Diagnostic("definition", NOTE, "it is no POMDP: `aixi solve` and --model true do not work here")
    yield from _waste(environment, [percept for percepts in plays for percept in percepts if percept])
    if not faults:
        yield Diagnostic("speed", NOTE, f"{len(seeds) * cycles / seconds:,.0f} cycles per second")


def _guarded(check: str, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Pass findings on; a fault of the environment is the last one."""
    try:
        yield from findings
    except EnvironmentFault as fault:
        yield Diagnostic(check, FAILED, str(fault))


def _declaration(environment: Environment) -> Iterator[Diagnostic]:
    """Names and settings; all else was checked when it was built."""
    coding, schedule, faults = environment.coding, environment.schedule, []
    for part in ("actions", "observations"):
        names = getattr(environment, part)
        if len(names) <= MANY and not isinstance(names, range):
            try:
                name, times = Counter(names).most_common(1)[0]
            except TypeError as error:
                faults.append(f"`{part}`: {error}: write text, numbers or tuples")
            else:
                faults += [f"{name!r} stands in `{part}` {times} times: give each a name of its own"] * (times > 1)
    try:
        build_agent(environment)
        as_integer("cycles", schedule.cycles, 0, MAX_CYCLES)
        as_integer("evaluation_simulations", schedule.evaluation_simulations, 1, MAX_SIMULATIONS)
    except (ValueError, TypeError, MemoryError) as error:
        mend = "mend it in `settings = Settings(...)` or `schedule = Schedule(...)`"
        faults.append(f"no agent can be built: {error}: {mend}")
    yield from (Diagnostic("declaration", FAILED, f"{environment.name}: {fault}") for fault in faults)
    if not faults:
        numbers = f"actions {coding.actions:,}, observations {len(environment.observations):,}"
        rewards = f"rewards {coding.rewards_in_words()}"
        bits = f"bits {coding.action_bits}+{coding.reward_bits}+{coding.observation_bits}"
        yield Diagnostic("declaration", PASSED, f"{numbers}, {rewards}; {bits}")


def _render(environment: Environment, seed: int, first: list[Answer]) -> Iterator[Diagnostic]:
    """Whether pictures are text, the same twice, and change nothing of what came of the first play."""
    if type(environment).render is Environment.render:
        yield Diagnostic("render", NOTE, "it draws no picture: `render` returns one, for --watch")
        return
    found: list[Answer] = []
    where = f"seed {seed}"
    try:
        environment.checked_reset(seed)
        for cycle, action in enumerate(draw_actions(environment, FEW, seed=seed)):
            if environment.checked_render() != environment.checked_render():
                what = f"{environment.name}: render() gives two pictures of one state ({where})"
                yield Diagnostic("render", FAILED, f"{what}: draw what is there, and nothing that is random or counts")
                return
            where = f"after cycle {cycle}, seed {seed}"
            found.append(answer(environment, action))
    except EnvironmentFault as fault:
        yield Diagnostic("render", FAILED, f"{fault} ({where})")
        return
    if where := difference(seed, first, found=found):
        what = f"{environment.name}: render() changes what comes after it: {where}"
        yield Diagnostic("render", FAILED, f"{what}: it is to look only")
    else:
        yield Diagnostic("render", PASSED, "pictures are text, and change nothing")


def _definition(pomdp: POMDP, seed: int) -> Iterator[Diagnostic]:
    """Whether the definition says the same when it is asked again, and a `step` of its own does as it says."""
    tables, actions = pomdp.tables, pomdp.actions
    pairs = len(pomdp.states) * len(actions)
    for row in range(0, pairs, 1 + pairs // PAIRS):
        state, action = pomdp.states[row // len(actions)], actions[row % len(actions)]
        if action not in pomdp.legal_in(state):  # stands for others
            continue
        held = [
            (tables.probability[i], pomdp.states[tables.state[i]], pomdp.observations[tables.observation[i]], reward)
            for i, reward in zip(range(*tables.first[row : row + 2]), tables.reward[tables.first[row] :], strict=False)
        ]
        now: list[object] = []
        try:
            for _ in range(2):
                now += [outcome for o in pomdp.outcomes(state, action) if (outcome := Outcome(*o)).probability]
        except Exception as error:
            now.append(error)
        if now != held * 2:
            what = f"outcomes({state!r}, {action!r}) differs from call to call"
            mend = "chance belongs in the probabilities, and what changes in the state"
            yield Diagnostic("definition", FAILED, f"{pomdp.name}: {what}: {mend}")
            return
    if type(pomdp).step is not POMDP.step or type(pomdp).reset is not POMDP.reset:
        taken = draw_actions(pomdp, FEW, seed=seed)
        percepts = [percept for percept in play(pomdp, seed, actions=taken, faults={}) if percept]
        try:
            if len(percepts) == len(taken):
                believe(pomdp, zip(taken, percepts, strict=True))
        except ValueError as error:
            what = f"`step` does not do what `outcomes` says: {error} (seed {seed})"
            yield Diagnostic("definition", FAILED, f"{what}: leave `step` and `reset` out, POMDP draws from `outcomes`")
            return
    yield Diagnostic("definition", PASSED, f"states {len(pomdp.states):,}; probabilities add up to 1")


def _optimum(pomdp: POMDP) -> Iterator[Diagnostic]:
    """Whether the declared optimum is that of the solver, if it is soon done, and not below random play."""
    declared, chance = pomdp.optimum, pomdp.random_reward
    lower, upper, solved = chance, float(pomdp.max_reward), False
    if pomdp.size <= MANY:
        try:
            solution = solve(pomdp, max_beliefs=MANY)
            lower, upper, solved = solution.lower, solution.upper, True
        except ValueError:  # too many beliefs
            pass
    if not solved:
        what = f"not solved for, there are more than {MANY:,} states or beliefs"
        yield Diagnostic("optimum", NOTE, f"{what}: `aixi solve` may do it with --max-beliefs or --merge")
    who = "the best agent" if solved else "a random agent"
    slack = 1e-4 * max(1.0, abs(lower))
    if declared is None:
        yield Diagnostic("optimum", NOTE, f"none is declared; {who} earns {lower:.6g} a cycle")
    elif not lower - slack <= declared <= upper + slack:
        what = f"optimum is declared as {declared:.9g}, but {who} earns {lower:.9g} and none more than {upper:.9g}"
        yield Diagnostic("optimum", FAILED, f"{pomdp.name}: {what}: declare what `aixi solve` says, or leave it out")
    else:
        yield Diagnostic("optimum", PASSED, f"{declared:.6g} a cycle; a random agent earns {chance:.6g}")
    if upper <= chance + slack:
        yield Diagnostic("optimum", NOTE, "a random agent earns as much as the best: there is nothing to be learned")


def _waste(environment: Environment, percepts: list[Percept]) -> Iterator[Diagnostic]:
    """Notes on actions, observations and rewards that could be left out."""
    observations, rewards = {p.observation for p in percepts}, {p.reward for p in percepts}
    how = "came in random play"
    if isinstance(environment, POMDP):
        tables, count = environment.tables, len(environment.actions)
        observations, rewards = set(tables.observation.tolist()), set(tables.reward.tolist())
        how = "can come"
        known: dict[bytes, object] = {}
        for action, name in enumerate(environment.actions):
            position, outcome = outcomes_at(tables, np.arange(environment.size) * count + action)
            effect = b"".join(column.tobytes() for column in (position, *(each[outcome] for each in tables[2:])))
            if effect in known:
                yield Diagnostic("actions", NOTE, f"{name!r} does the same as {known[effect]!r} in every state")
            known.setdefault(effect, name)
    declared = len(environment.observations)
    if 0 < len(observations) < declared:
        yield Diagnostic("observations", NOTE, f"{len(observations):,} of the {declared:,} that are declared {how}")
    coding = environment.coding
    count = len(rewards) if coding.rewards else int(max(rewards, default=0) - min(rewards, default=0)) + 1
    if rewards and (fewer := bits_for(count)) < coding.reward_bits:
        what = f"{min(rewards):g} to {max(rewards):g} {how}, declared are {coding.rewards_in_words()}"
        yield Diagnostic("rewards", NOTE, f"{what}: bits {fewer} would do")
