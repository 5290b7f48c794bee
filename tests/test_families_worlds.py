"""Corridor, RockSample and T-maze: their rules written a second time, their optima, the policies that reach them."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from math import log, sqrt

import numpy as np
import pytest
from reference import play
from test_environments import Controller, average_reward

from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs import make
from aixi_approx.envs.corridor import Corridor
from aixi_approx.envs.rocksample import RockSample, foreseen
from aixi_approx.envs.t_maze import TMaze
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.pomdp.solver import best_reward, solve

FAMILIES = {"corridor": Corridor, "rocksample": RockSample, "t-maze": TMaze}
QUICK = [f"{name}:{size}" for name, kind in FAMILIES.items() for size in kind.sizes if size != "7-8"]


# The contract, at every size that is soon built.


@pytest.fixture(scope="module", params=QUICK)
def world(request: pytest.FixtureRequest) -> POMDP:
    made = make(request.param)
    assert isinstance(made, POMDP)
    return made


def test_percepts_are_a_function_of_the_seed(world: POMDP) -> None:
    actions = np.random.default_rng(1).integers(len(world.actions), size=300).tolist()
    first = play(world, 1, actions)
    assert play(world, 1, actions) == first
    assert len(set(first)) > 1


def test_it_says_what_it_is(world: POMDP) -> None:
    assert type(world).__doc__
    assert world.hidden
    assert world.difficulty
    assert 4 <= len(world.sizes) <= 6


def test_random_play_is_worse_than_the_best(world: POMDP) -> None:
    best = world.optimum if world.optimum is not None else 10 / world.side
    assert world.random_reward < best


def test_pictures_tell_states_apart(world: POMDP) -> None:
    pictures: dict[str, int] = {}
    for state in range(min(world.size, 500)):
        world.current = state
        assert pictures.setdefault(world.checked_render(), state) == state


def test_pictures() -> None:
    corridor, maze, rocks = Corridor(3), TMaze(2), RockSample(3, 2)
    assert corridor.render() == "|A . . k"
    corridor.current = corridor.states.index((1, "key"))
    assert corridor.render() == "|. K . ."
    maze.current = maze.states.index((1, "right"))
    assert maze.render() == "  -\n.A.\n  +"
    rocks.current = rocks.states.index(((2, 1), (True, False)))
    assert rocks.render() == " . . o >\n . .R* >\n . . . >"


# The rules, from tables of what is where.


def compare(world: POMDP, rules: dict[tuple, list[tuple]]) -> None:
    """Rules: (state, action) to (probability, next state, observation, reward), in any order, with repetitions."""
    assert {state for state, _ in rules} == set(world.states)
    for (state, action), expected in rules.items():
        sums: dict[tuple, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for p, *rest in expected:
            sums[tuple(rest)][0] += p
        for p, *rest in world.outcomes(state, action):
            sums[tuple(rest)][1] += p
        for what, (p, q) in sums.items():
            assert p == pytest.approx(q, abs=1e-12), (state, action, what)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_rules_of_the_corridor(n: int) -> None:
    """The round is a circle of 2n places: 0 to n - 1 on the way to the key, n to 2n - 1 back."""

    def state(i: int) -> tuple[int, str]:
        return (i, "nothing") if i < n else (2 * n - i, "key")

    rules = {}
    for i in range(2 * n):
        ahead = "right" if i < n else "left"
        back = "left" if i < n else "right"
        there, behind = state((i + 1) % (2 * n)), state(i - 1)
        pays = int(i == 2 * n - 1)
        rules[state(i), ahead] = [
            (0.8, there, ("moved", there[1]), pays),
            (0.2, state(i), ("stood", state(i)[1]), 0),
        ]
        if i in (0, n):
            rules[state(i), back] = [(1, state(i), ("stood", state(i)[1]), 0)]
        else:
            rules[state(i), back] = [(0.8, behind, ("moved", behind[1]), 0), (0.2, state(i), ("stood", behind[1]), 0)]
    compare(Corridor(n), rules)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_rules_of_the_t_maze(n: int) -> None:
    rules = {}
    for i, way in product(range(n + 1), ("left", "right")):
        looks = [way] + ["corridor"] * (n - 1) + ["junction"]
        for action in ("forward", "left", "right"):
            rules[(i, way), action] = [(1, (i, way), looks[i], -1)]
        if i < n:
            rules[(i, way), "forward"] = [(1, (i + 1, way), looks[i + 1], 0)]
        else:
            for turn in ("left", "right"):
                pays = 4 if turn == way else -1
                rules[(i, way), turn] = [(0.5, (0, next_way), next_way, pays) for next_way in ("left", "right")]
    compare(TMaze(n), rules)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2), (4, 3)])
def test_rules_of_rocksample(n: int, k: int) -> None:
    """Rocks as a number in binary; cells as a number n * x + y."""
    world = RockSample(n, k)
    at = {n * x + y: i for i, (x, y) in enumerate(world.rocks)}
    qualities = list(product((False, True), repeat=k))
    moves = {"north": (1, n - 1), "south": (-1, 0)}  # step, and the row from which it is not possible
    rules = {}
    for cell, good in product(range(n * n), qualities):
        here, x, y = (divmod(cell, n), good), cell // n, cell % n
        for name, (step, edge) in moves.items():
            to = cell if y == edge else cell + step
            rules[here, name] = [(1, (divmod(to, n), good), "nothing", 0)]
        rules[here, "west"] = [(1, (divmod(cell - n if x else cell, n), good), "nothing", 0)]
        rules[here, "east"] = [(1, ((x + 1, y), good), "nothing", 0)]
        if x == n - 1:
            rules[here, "east"] = [(1 / len(qualities), ((0, n // 2), new), "nothing", 10) for new in qualities]
        rock = at.get(cell)
        after = tuple(g and i != rock for i, g in enumerate(good))
        pays = 0 if rock is None else 10 if good[rock] else -10
        rules[here, "sample"] = [(1, (divmod(cell, n), after), "nothing", pays)]
        for i, (rx, ry) in enumerate(world.rocks):
            efficiency = np.exp(-log(2) * sqrt((x - rx) ** 2 + (y - ry) ** 2) / 20)
            p = efficiency * good[i] + (1 - efficiency) / 2  # as the authors' files have it
            rules[here, f"check-{i + 1}"] = [(p, here, "good", 0), (1 - p, here, "bad", 0)]
    compare(world, rules)


def test_what_the_sensor_of_rocksample_tells() -> None:
    """Sure at the rock, right 3 times in 4 at 20 cells from it: 12 to the east and 16 to the north."""

    class Wide(RockSample):
        def layout(self) -> tuple[tuple[int, int], ...]:
            return ((0, 0),)

    world = Wide(4, 1)
    for where, right in ((0, 0), 1), ((12, 16), 0.75), ((3, 0), (1 + 0.5**0.15) / 2):
        for good in (False, True):
            told = {o.observation: o.probability for o in world.outcomes((where, (good,)), "check-1")}
            assert told["good" if good else "bad"] == pytest.approx(right)


@pytest.mark.parametrize("end", ["", "exit"])
@pytest.mark.parametrize(("n", "k"), [(2, 1), (2, 3), (3, 1), (3, 2), (3, 5), (4, 3), (4, 4), (6, 3)])
def test_the_tables_of_rocksample_are_those_of_the_walk(n: int, k: int, end: str) -> None:
    """Bit for bit, with the states in the same order."""
    world = RockSample(n, k, *filter(None, [end]))
    states, tables = POMDP._build(world)
    assert world.states == states
    for name, mine, walked in zip(tables._fields, world.tables, tables, strict=True):
        assert (mine.dtype, mine.tobytes()) == (walked.dtype, walked.tobytes()), name


def test_the_memory_of_rocksample_is_foreseen() -> None:
    """What is estimated before anything is built is what the tables take, within a hundredth but for the exit."""
    for name, ends in ("rocksample:5-5-exit", True), ("rocksample:4-4", False):
        world = make(name)
        tables = [*world.tables, *(world.inner.tables if ends else ())]
        assert foreseen(world.inner.side if ends else world.side, int(name[13]), ends=ends) == pytest.approx(
            sum(table.nbytes for table in tables), rel=0.03
        )


def test_layouts_of_rocksample() -> None:
    assert make("rocksample:4-3").rocks == ((3, 1), (2, 1), (1, 3))
    assert make("rocksample:5-5").rocks[:2] == ((2, 4), (0, 4))
    assert make("rocksample:5-6").rocks[:2] == ((1, 0), (2, 1))
    assert RockSample(11, 2).rocks == ((0, 3), (0, 7))
    for size, rocks in (2, 1), (2, 3), (3, 5), (6, 3):
        world = RockSample(size, rocks)
        assert len(set(world.rocks)) == rocks
        assert world.home not in world.rocks
        assert all(0 <= x < size and 0 <= y < size for x, y in world.rocks)
        assert world.size == size**2 * 2**rocks


# The optima.


@pytest.mark.parametrize("name", ["corridor:1", "corridor:2", "corridor:6", "t-maze:1", "t-maze:3", "t-maze:8"])
def test_declared_optima_are_solved_for(name: str) -> None:
    world = make(name)
    assert isinstance(world, POMDP)
    solution = solve(world)
    assert (solution.lower, solution.upper) == pytest.approx((world.optimum,) * 2, abs=1e-9)
    assert best_reward(world) == world.optimum


@pytest.mark.parametrize(
    ("name", "optimum"), [("rocksample:2-1", 5), ("rocksample:3-1", 10 / 3), ("rocksample:3-2", 10 / 3)]
)
def test_small_rocksamples_are_solved_on_a_coarse_graph(name: str, optimum: float) -> None:
    """There is so little way to the exit that no rock is worth the time."""
    assert best_reward(make(name)) == pytest.approx(optimum, abs=1e-9)
    assert average_reward(make(name), Controller(0, lambda _: "east", lambda *_: 0)) == pytest.approx(optimum)


def test_a_large_rocksample_is_not_solved() -> None:
    assert best_reward(make("rocksample:5-5"), max_beliefs=1000) is None


@pytest.mark.parametrize("n", [1, 2, 5])
def test_policies_reach_the_optimum(n: int) -> None:
    fetch = Controller("nothing", {"nothing": "right", "key": "left"}.get, lambda _, seen, reward: seen[1])
    assert average_reward(Corridor(n), fetch) == pytest.approx(2 / (5 * n))

    def walk(memory: tuple[int, str]) -> str:
        place, sign = memory
        return "forward" if place < n else sign

    def learn(memory: tuple[int, str], seen: str, reward: int) -> tuple[int, str]:
        return (0, seen) if seen in ("left", "right") else (memory[0] + 1, memory[1])

    assert average_reward(TMaze(n), Controller((0, "left"), walk, learn)) == pytest.approx(4 / (n + 1))
    guess = Controller(0, lambda place: "forward" if place < n else "left", lambda i, *_: (i + 1) % (n + 1))
    assert average_reward(TMaze(n), guess) == pytest.approx(1.5 / (n + 1))


def test_a_random_walk_in_the_corridor() -> None:
    for n in (1, 3, 8):
        assert Corridor(n).random_reward == pytest.approx(2 / (5 * n * (n + 1)))


@pytest.mark.parametrize("name", ["corridor:2", "corridor:6", "corridor:12", "t-maze:1", "t-maze:16"])
def test_the_horizon_is_long_enough(name: str) -> None:
    world = make(name)
    assert isinstance(world, POMDP)
    assert solve(world).receding_reward(world.settings.horizon) == pytest.approx(world.optimum, rel=1e-6)


# Wrong parameters.


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("corridor:0", "^corridor:0: the length of the corridor is 0: it must lie in 1 to 100$"),
        ("corridor:long", "^corridor:long: the length of the corridor is 'long': it must be a whole number$"),
        ("t-maze:101", "^t-maze:101: the length of the corridor is 101: it must lie in 1 to 100$"),
        ("rocksample:1-1", "^rocksample:1-1: the side of the grid is 1: it must lie in 2 to 20$"),
        ("rocksample:2-4", "^rocksample:2-4: the number of rocks is 4: it must lie in 1 to 3$"),
        ("rocksample:11-61", "^rocksample:11-61: the number of rocks is 61: it must lie in 1 to 60$"),
        ("rocksample:11-11", "GB, more than 1: take fewer rocks, or end at the exit: 11-11-exit$"),
        ("rocksample:15-15-exit", "^rocksample:15-15-exit: its tables would take about 26.9 GB, more than 1: take"),
        ("rocksample:20-60-exit", "^rocksample:20-60-exit: its tables would take about [.0-9]*e[+]15 GB, more than 1"),
        (
            "rocksample:4-3-2",
            "^rocksample:4-3-2: '2' is no way to end: write exit, as in rocksample:7-8-exit, or leave",
        ),
        ("rocksample:4-3-exit-2", "^rocksample:4-3-exit-2: 'exit-2' is no way to end: write exit"),
        ("t-maze:1-2", "^t-maze:1-2: its parameters are LENGTH, for example t-maze:1$"),
    ],
)
def test_wrong_parameters_are_one_line(name: str, message: str) -> None:
    with pytest.raises(EnvironmentFault, match=message):
        make(name)
