"""The point-based solver against exhaustive search, exact values of belief graphs, published values, and itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx import make
from aixi_approx.pomdp import point_based
from aixi_approx.pomdp.belief_graph import explore
from aixi_approx.pomdp.controller import Controller
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.pomdp.point_based import PointBased


class Small(POMDP):
    """A world of 2 to 4 states, 2 or 3 actions, and at most 6 percepts; some of its numbers are 0 or 1."""

    observations = (0, 1)
    min_reward, max_reward = -1, 1

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.count = int(random.integers(2, 5))
        self.actions = tuple(range(int(random.integers(2, 4))))
        self.table: dict[tuple[int, int], list[Outcome]] = {}
        for pair in product(range(self.count), self.actions):
            weights = random.dirichlet(np.ones(random.integers(1, 5)))
            outcomes = zip(weights.tolist(), random.integers((self.count, 2, 3), size=(len(weights), 3)), strict=True)
            self.table[pair] = [Outcome(p, int(s), int(o), int(r) - 1) for p, (s, o, r) in outcomes]
        chance = random.dirichlet(np.ones(self.count)) if random.random() < 0.7 else np.eye(self.count)[0]
        self.begin = {s: float(p) for s, p in enumerate(chance) if p}
        super().__init__()

    def start(self) -> dict[int, float]:
        return self.begin

    def outcomes(self, state: int, action: int) -> list[Outcome]:
        return self.table[state, action]


def exhaustive(pomdp: Small, belief: dict[int, float], horizon: int, discount: float, seen: bool) -> float:
    """The slow, obvious twin: the best discounted sum over a horizon by search through all futures."""
    if not horizon:
        return 0.0
    values = []
    for action in pomdp.actions:
        value, futures = 0.0, defaultdict[Any, defaultdict[int, float]](lambda: defaultdict(float))
        for state, p in belief.items():
            for q, after, observation, reward in pomdp.outcomes(state, action):
                value += p * q * reward
                futures[observation, reward if seen else None][after] += p * q
        values.append(
            value + discount * sum(exhaustive(pomdp, b, horizon - 1, discount, seen) for b in futures.values())
        )
    return max(values)


def solver_of(pomdp: POMDP, discount: float, **options: Any) -> PointBased:
    sizes = {"actions": len(pomdp.actions), "observations": len(pomdp.observations)}
    return PointBased(pomdp.tables, **sizes, discount=discount, **options)


def earns(pomdp: POMDP, controller: Controller, discount: float) -> float:
    """What a controller earns: one linear equation for each pair of a node and a state, reached or not."""
    tables, size, actions = pomdp.tables, len(pomdp.states), len(pomdp.actions)
    system, reward = np.eye(len(controller.action) * size), np.zeros(len(controller.action) * size)
    for node, action in enumerate(controller.action.tolist()):
        edges = slice(*controller.first[node : node + 2].tolist())
        codes = controller.percept[edges].tolist()
        assert codes == sorted(set(codes))
        to = dict(zip(codes, controller.node[edges].tolist(), strict=True))
        for state in range(size):
            for i in range(*tables.first[state * actions + action :][:2].tolist()):
                code = tables.code[i] * len(pomdp.observations) + tables.observation[i]
                system[node * size + state, to[code] * size + tables.state[i]] -= discount * tables.probability[i]
                reward[node * size + state] += tables.probability[i] * tables.reward[i]
    value = np.linalg.solve(system, reward)
    return float(tables.start @ value[: len(tables.start)])


SEEDS = st.integers(0, 10**6)
DISCOUNTS = st.sampled_from([0.0, 0.3, 0.6, 0.9])


@given(seed=SEEDS, discount=DISCOUNTS, seen=st.booleans())
@settings(deadline=None, max_examples=60)
def test_exhaustive_search_lies_between_the_bounds(seed: int, discount: float, seen: bool) -> None:
    pomdp, horizon = Small(seed), 4
    best = exhaustive(pomdp, pomdp.start(), horizon, discount, seen)
    tail = discount**horizon / (1 - discount)
    solver = solver_of(pomdp, discount, reward_seen=seen)
    for gap in (1.0, 0.1, 0.02):
        assert solver.lower - 1e-9 <= best + tail
        assert solver.upper + 1e-9 >= best - tail
        assert solver.improve(gap=gap) == "gap"
        assert -1e-9 <= solver.upper - solver.lower <= gap


@given(seed=SEEDS, discount=DISCOUNTS, seen=st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_controller_earns_the_lower_bound_and_no_more_than_the_upper_one(
    seed: int, discount: float, seen: bool
) -> None:
    pomdp = Small(seed)
    solver = solver_of(pomdp, discount, reward_seen=seen)
    for gap in (10.0, 0.1, 0.02):
        solver.improve(gap=gap)
        assert solver.lower - 1e-9 <= earns(pomdp, solver.controller(), discount) <= solver.upper + 1e-9


@given(seed=SEEDS, work=st.integers(1, 3_000))
@settings(deadline=None, max_examples=30)
def test_bounds_only_tighten_wherever_it_is_interrupted(seed: int, work: int) -> None:
    pomdp = Small(seed)
    whole, sliced = solver_of(pomdp, 0.9), solver_of(pomdp, 0.9)
    whole.improve(gap=0.05)
    bounds = [(sliced.lower, sliced.upper)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_based, "SLICE", work)
        while sliced.improve(0, gap=0.05) == "time":
            bounds.append((sliced.lower, sliced.upper))
            if not len(bounds) % 10:
                assert sliced.lower - 1e-9 <= earns(pomdp, sliced.controller(), 0.9) <= sliced.upper + 1e-9
    for (low, high), (lower, upper) in pairwise(bounds):
        assert low <= lower <= upper + 1e-9
        assert upper <= high
    assert lower_and_upper(sliced) == pytest.approx(lower_and_upper(whole), abs=0.05)


def lower_and_upper(solver: PointBased) -> tuple[float, float]:
    return solver.lower, solver.upper


@pytest.mark.parametrize("seen", [False, True])
def test_the_same_input_makes_the_same_trials(seen: bool) -> None:
    for seed in range(5):
        one, two = (solver_of(Small(seed), 0.9, reward_seen=seen) for _ in range(2))
        one.improve(gap=0.01)
        two.improve(gap=0.01)
        assert (lower_and_upper(one), one.trials) == (lower_and_upper(two), two.trials)
        assert all(map(np.array_equal, one.controller(), two.controller()))


@pytest.mark.parametrize("name", ["tiger", "4x4-grid", "1d-maze", "cheese-maze", "kuhn-poker", "locks:3", "coin-flip"])
@pytest.mark.parametrize("discount", [0.5, 0.95, 0.99])
def test_bounds_bracket_what_the_graph_of_beliefs_says(name: str, discount: float) -> None:
    pomdp = make(name)
    graph = explore(pomdp, 1e-10, max_beliefs=20_000)
    value = np.zeros(graph.size)
    for _ in range(int(40 / (1 - discount))):
        value = (graph.reward + discount * (graph.step @ value)).reshape(graph.size, -1).max(axis=1)
    solver = solver_of(pomdp, discount)
    scale = max(1.0, abs(float(value[0])))
    assert solver.improve(20, gap=1e-4 * scale) == "gap"
    assert solver.lower - 1e-7 * scale <= value[0] <= solver.upper + 1e-7 * scale
    controller = solver.controller()
    if len(controller.action) * pomdp.size < 1_000:
        assert solver.lower - 1e-9 * scale <= earns(pomdp, controller, discount) <= solver.upper + 1e-9 * scale


class Shuttle(POMDP):
    """A ferry between two stations, which it leaves and enters backwards (Chrisman 1992, in the numbers of the field).

    The station where it was last is the old one, the other the new one.
    """

    actions = ("turn", "forward", "back")
    observations = ("new ahead", "old ahead", "nothing", "in the old", "in the new")
    min_reward, max_reward = -3, 10
    turned: ClassVar = {"in new": "old", "in old": "old", "new": "new away", "old": "old away", "space": "space away"}
    ahead: ClassVar = {"in new": "old away", "in old": "old away", "old": "old", "space": "old", "new away": "space"}
    ahead |= {"old away": "space away", "space away": "new", "new": "new"}
    back: ClassVar = {
        "in new": {"in old": 1.0},
        "in old": {"in old": 1.0},
        "old": {"old": 0.4, "space": 0.3, "old away": 0.3},
        "space": {"space": 0.1, "new away": 0.8, "new": 0.1},
        "new away": {"in new": 0.7, "new away": 0.3},
        "old away": {"in old": 0.7, "old away": 0.3},
        "space away": {"old": 0.1, "old away": 0.8, "space away": 0.1},
        "new": {"new away": 0.3, "space away": 0.3, "new": 0.4},
    }
    sensor: ClassVar = {
        "in new": {"in the new": 1.0},
        "in old": {"in the old": 1.0},
        "old": {"old ahead": 1.0},
        "new": {"new ahead": 1.0},
        "space": {"old ahead": 0.7, "nothing": 0.3},
        "space away": {"new ahead": 0.7, "nothing": 0.3},
        "old away": {"nothing": 1.0},
        "new away": {"nothing": 1.0},
    }

    def start(self) -> dict[str, float]:
        return {"in old": 1}

    def outcomes(self, state: str, action: str) -> Iterator[Outcome]:
        other = {to: state for state, to in self.turned.items() if not state.startswith("in")}
        moves = {"turn": {(self.turned | other)[state]: 1.0}, "forward": {self.ahead[state]: 1.0}}
        for after, p in moves.get(action, self.back[state]).items():
            docks, bumps = (state, after) == ("new away", "in new"), action == "forward" and state == after
            for observation, q in self.sensor[after].items():
                yield Outcome(p * q, after, observation, 10 * docks - 3 * bumps)


class Maze(POMDP):
    """The 4x3 maze with two wall detectors (Parr, Russell 1995); rewards in units of 0.04.

    In the file that the field uses, a step to the east that slips south below the bad place goes back west.
    """

    actions, observations = ("n", "s", "e", "w"), ("left", "right", "neither", "both", "good", "bad")
    min_reward, max_reward = -25, 25
    steps: ClassVar = {"n": (-1, 0), "s": (1, 0), "e": (0, 1), "w": (0, -1)}
    seen = (
        ("left", "neither", "neither", "good"),
        ("both", "", "left", "bad"),
        ("left", "neither", "neither", "right"),
    )
    places = tuple((y, x) for y in range(3) for x in range(4) if (y, x) != (1, 1))

    def start(self) -> dict[tuple[int, int], float]:
        return {place: 1 / 9 for place in self.places if place not in ((0, 3), (1, 3))}

    def outcomes(self, state: tuple[int, int], action: str) -> Iterator[Outcome]:
        y, x = state
        reward = {"good": 25, "bad": -25}.get(self.seen[y][x], -1)
        if reward == -1:
            aside = "ew" if action in "ns" else "ns"
            tries = [
                ((y + self.steps[d][0], x + self.steps[d][1]), 0.8 if d == action else 0.1) for d in action + aside
            ]
            wall = (2, 1) if (state, action) == ((2, 2), "e") else state
            after = [(to if to in self.places else wall, p) for to, p in tries]
        else:
            after = list(self.start().items())
        for to, p in after:
            yield Outcome(p, to, self.seen[to[0]][to[1]], reward)


@pytest.mark.parametrize(
    ("pomdp", "value"),
    [(make("tiger"), 19.3714), (Shuttle(), 32.8897), (Maze(), 1.89 / 0.04)],
    ids=["tiger", "shuttle", "4x3"],
)
def test_published_values_are_met(pomdp: POMDP, value: float) -> None:
    solver = solver_of(pomdp, 0.95, reward_seen=False)
    assert solver.improve(20, gap=1e-3) == "gap"
    rounded = 0.005 / 0.04 if pomdp.name == "Maze" else 5e-5
    assert solver.lower - rounded <= value <= solver.upper + rounded


def test_it_stops_when_memory_is_used_up() -> None:
    solver = solver_of(Maze(), 0.99, most_memory=100_000)
    before = solver.lower, solver.upper
    assert solver.improve(20) == "memory"
    assert solver.memory <= 100_000
    assert before[0] < solver.lower < solver.upper < before[1]
    assert solver.lower - 1e-9 <= earns(solver_pomdp := Maze(), solver.controller(), 0.99)
    assert solver_pomdp.size == 11


def test_what_it_says_of_itself() -> None:
    solver = solver_of(Maze(), 0.95)
    assert (solver.points, solver.vectors, solver.trials) == (1, 4, 0)
    solver.improve(gap=0.5)
    assert min(solver.points, solver.vectors, solver.trials) > 1


@pytest.mark.parametrize("discount", [1.0, -0.1, 2, float("nan")])
def test_a_wrong_discount_is_one_line(discount: float) -> None:
    with pytest.raises(ValueError, match=r"^the discount is .*: it must lie in 0 to less than 1$"):
        solver_of(make("tiger"), discount)


class Still(POMDP):
    """Nothing ever pays."""

    actions, observations = ("a",), ("x",)
    min_reward, max_reward = 0, 1

    def start(self) -> dict[int, float]:
        return {0: 1}

    def outcomes(self, state: int, action: str) -> list[Outcome]:
        return [Outcome(1, 0, "x", 0)]


def test_where_nothing_pays() -> None:
    solver = solver_of(Still(), 0.9)
    assert solver.improve() == "gap"
    assert (solver.lower, solver.upper) == (0, 0)
    assert [part.tolist() for part in solver.controller()] == [[0], [0, 1], [0], [0]]


def test_an_interrupt_leaves_bounds_and_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    pomdp = Maze()
    solver, whole = solver_of(pomdp, 0.95), point_based._slice
    slices = iter(range(3))

    def interrupted(*arguments: Any) -> int:
        if next(slices, None) is None:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(point_based, "SLICE", 10_000)
    monkeypatch.setattr(point_based, "_slice", interrupted)
    with pytest.raises(KeyboardInterrupt):
        solver.improve()
    assert solver.lower < solver.upper
    assert solver.lower - 1e-9 <= earns(pomdp, solver.controller(), 0.95) <= solver.upper + 1e-9
    monkeypatch.setattr(point_based, "_slice", whole)
    assert solver.improve(gap=0.1) == "gap"
