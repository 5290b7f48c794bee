"""Replays: whether percepts are a function of the seed, found out by taking the same actions again.

Again in a new instance, after other play, in turn with another instance, and in other processes.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

import numpy as np

from aixi_approx.conformance.diagnostic import FAILED, NOTE, PASSED, Diagnostic
from aixi_approx.conformance.keeping import KEEP, round_trip
from aixi_approx.environment import Environment, EnvironmentFault, Percept
from aixi_approx.envs import maker
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.randomness import AGENT, below, stream

LEFT = (1, 2, 3, 5)  # cycles after which an instance is reset, so that what it keeps is not the same by chance
HASH_SEEDS = ("1", "2")  # of the other processes: sets of strings have another order in each
GENERATORS = {  # that all code shares, and what to use in their place
    "random": "random.Random(seed)",
    "numpy.random": "numpy.random.default_rng(seed)",
}

Answer = Percept | None  # None where a step failed


def draw_actions(environment: Environment, cycles: int, *, seed: int) -> list[int]:
    """Return actions at random; fewer cycles are the beginning of more."""
    source = stream(seed, AGENT)
    return [below(source, len(environment.actions)) for _ in range(cycles)]


def play(environment: Environment, seed: int, *, actions: Sequence[int], faults: dict[str, str]) -> list[Answer]:
    """Take actions after a reset; return what came of them.

    The first fault of each kind is added to `faults`: the kind, and a line that says what was wrong and where.
    """
    try:
        environment.checked_reset(seed)
    except EnvironmentFault as fault:
        faults.setdefault("reset", str(fault))
        return []
    answers: list[Answer] = []
    for cycle, action in enumerate(actions):
        try:
            answers.append(environment.checked_step(action))
        except EnvironmentFault as fault:
            answers.append(None)
            kind = re.search(r"step\(\d+\) (failed|returned|gave the \w+)", str(fault))
            where = f"action {environment.actions[action]!r}, cycle {cycle}, seed {seed}"
            faults.setdefault(kind[1] if kind else "", f"{fault} ({where})")
    return answers


def difference(seed: int, expected: Sequence[Answer], *, found: Sequence[Answer]) -> str:
    """Say where two plays of the same actions first differ; nothing if they do not.

    >>> difference(7, [Percept(1, 0), Percept(2, 5)], found=[Percept(1, 0), Percept(2, 6)])
    'seed 7, cycle 1: observation 2, reward 6 in place of observation 2, reward 5'
    """
    for cycle, (one, other) in enumerate(zip(expected, found, strict=False)):
        if one != other:
            return f"seed {seed}, cycle {cycle}: {_words(other)} in place of {_words(one)}"
    return ""


def _words(answer: Answer) -> str:
    return f"observation {answer.observation}, reward {answer.reward}" if answer else "a fault"


def shared_generators() -> dict[str, str]:
    """Return the state of the random generators that all code shares."""
    return {"random": str(random.getstate()), "numpy.random": str(np.random.get_state())}  # noqa: NPY002


@contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Seed the generators that all code shares, so that one who draws from them is told the same; then restore them."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed & (1 << 32) - 1)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def check_generators(environment: Environment, before: dict[str, str]) -> Iterator[Diagnostic]:
    """Find those of the shared generators that are no more in the state that they were in before."""
    for name, state in shared_generators().items():
        if state != before[name]:
            what = f"{environment.name}: it draws from the module `{name}`, which other instances and other code share"
            mend = f"let reset make a generator of its own, `self.random = {GENERATORS[name]}`"
            yield Diagnostic("same seed", FAILED, f"{what}: {mend}")


def check_replays(
    new: Callable[[], Environment],
    environment: Environment,
    *,
    seed: int,
    first: list[Answer],
    processes: Sequence[subprocess.Popen[str]],
) -> Iterator[Diagnostic]:
    """Play again what was played first, all without faults; end with the first one, from which others would follow.

    Parameters
    ----------
    new
        Makes a new instance.
    environment
        The instance that was played; other seeds were played after the first play.
    seed, first
        Of the first play, and what came of it.
    processes
        Of `elsewhere`.
    """
    actions, other = draw_actions(environment, len(first), seed=seed), new()
    if where := difference(seed, first, found=_again(other, seed, actions)):
        what = f"{environment.name}: a new instance answers the same actions otherwise: {where}"
        mend = "let reset make the generator, from the seed, and keep nothing that changes in the class or the module"
        yield Diagnostic("same seed", FAILED, f"{what}: {mend}")
        return
    for left in (len(first), *LEFT):
        _again(environment, seed + 1, actions[:left])
        if where := difference(seed, first, found=_again(environment, seed, actions[: 2 * left])):
            what = f"{environment.name}: after other play the same seed and actions give something else: {where}"
            yield Diagnostic("same seed", FAILED, f"{what}: let reset set all that step changes")
            return
    yield Diagnostic("same seed", PASSED, "the same percepts in a new instance, and again after other play")

    environment.checked_reset(seed)
    half = len(actions) // 2
    found = [answer(environment, action) for action in actions[:half]]
    if (kept := round_trip(environment.keep())) is not None:
        other.checked_reset(seed + 1)
        other.restore(kept)
        found += [answer(other, action) for action in actions[half:]]
        if where := difference(seed, first, found=found):
            what = f"{environment.name}: restore() of what keep() gave goes on otherwise: {where}"
            yield Diagnostic(KEEP, FAILED, f"{what}: keep all that reset and step change")
            return
        yield Diagnostic(KEEP, PASSED, "a new instance goes on where another stood")

    environment.checked_reset(seed)
    other.checked_reset(seed + 1)
    in_turn = []
    for action in actions:
        answer(other, action)
        in_turn.append(answer(environment, action))
    if where := difference(seed, first, found=in_turn):
        what = f"{environment.name}: with another instance played in turn, this one answers otherwise: {where}"
        yield Diagnostic("instances", FAILED, f"{what}: keep what changes in `self`, not in the class or the module")
        return
    yield Diagnostic("instances", PASSED, "two instances do not disturb each other")

    for process in processes:
        output, errors = process.communicate()
        if process.returncode:
            last = [f"exit code {process.returncode}", *errors.split("\n")][-2]
            yield Diagnostic("processes", FAILED, f"{environment.name}: in a new process it fails: {last}")
            return
        answers = [each and Percept(*each) for each in json.loads(output.splitlines()[-1])]
        if where := difference(seed, first, found=answers):
            what = f"{environment.name}: in another process the same actions are answered otherwise: {where}"
            mend = "sets have another order and hash() of text another value there: use tuples, or sorted()"
            yield Diagnostic("processes", FAILED, f"{what}: {mend}")
            return
    if processes:
        yield Diagnostic("processes", PASSED, "the same percepts in other processes")


def _again(environment: Environment, seed: int, actions: Sequence[int]) -> list[Answer]:
    """Play what was played without a fault; raise EnvironmentFault if there is one now."""
    faults = dict[str, str]()
    answers = play(environment, seed, actions=actions, faults=faults)
    for fault in faults.values():
        raise EnvironmentFault(f"{fault}, not so the first time: let reset set all that step changes")
    return answers


def check_seeds(environment: Environment, seeds: list[int], *, first: list[Answer]) -> Iterator[Diagnostic]:
    """Note that other seeds give the same as the first, unless a definition says that nothing is random."""
    if isinstance(environment, POMDP):
        tables = environment.tables
        if len(tables.start) == 1 and (np.diff(tables.first) == 1).all():
            return
    actions = draw_actions(environment, len(first), seed=seeds[0])
    if all(play(environment, seed, actions=actions, faults={}) == first for seed in seeds[1:]):
        what = f"the seeds {', '.join(map(str, seeds[:3]))} give the same percepts"
        yield Diagnostic("other seeds", NOTE, f"{what}: nothing is random in it, or reset does not use its seed")


def answer(environment: Environment, action: int) -> Answer:
    """Take a step; return what came of it."""
    try:
        return environment.checked_step(action)
    except EnvironmentFault:
        return None


@contextmanager
def elsewhere(name: str | None, seed: int, *, cycles: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Begin the first play in processes of their own, which end with the context; none if there is no name to say."""
    call = "print_first_play(sys.argv[1], int(sys.argv[2]), cycles=int(sys.argv[3]))"
    code = f"import sys; from {__name__} import print_first_play; {call}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(name), str(seed), str(cycles)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": hash_seed},
        )
        for hash_seed in (HASH_SEEDS if name else ())
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def print_first_play(name: str, seed: int, *, cycles: int) -> None:
    """Play the beginning of the first play, and print what came of it."""
    with redirect_stdout(io.StringIO()):
        environment = maker(name)()
        answers = play(environment, seed, actions=draw_actions(environment, cycles, seed=seed), faults={})
    print(json.dumps(answers))
