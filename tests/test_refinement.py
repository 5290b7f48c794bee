"""Bounds that are refined without a knob: they hold, they close in, and they end when they are to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx import POMDP, Outcome, make, solve
from aixi_approx.pomdp.belief import Beliefs
from aixi_approx.pomdp.belief_graph import FINER, Cells, TooMany, explore
from aixi_approx.pomdp.clock import ENDLESS, Clock, OutOfTime
from aixi_approx.pomdp.controller import run_controller
from aixi_approx.pomdp.discounted import DiscountedPOMDP
from aixi_approx.pomdp.policy_iteration import blind_solution, solve_graph
from aixi_approx.pomdp.refinement import Refinement
from aixi_approx.pomdp.solver import best_reward, point_based, solutions


class Noisy(POMDP):
    """A world whose beliefs never come back: 3 or 4 states, 2 actions, 2 observations, all with noise."""

    actions = observations = (0, 1)
    rewards = (-1, 0, 0.5, 1)

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.count = int(random.integers(3, 5))
        self.moves = random.dirichlet(np.ones(self.count) / 2, (self.count, 2))
        self.shows = random.uniform(0.1, 0.9, self.count)
        self.pays = random.choice(self.rewards, (self.count, 2))
        super().__init__()

    def start(self) -> dict[int, float]:
        return dict.fromkeys(range(self.count), 1 / self.count)

    def outcomes(self, state: int, action: int) -> list[Outcome]:
        return [
            Outcome(float(p * (q if seen else 1 - q)), after, seen, float(self.pays[state, action]))
            for after, (p, q) in enumerate(zip(self.moves[state, action], self.shows, strict=True))
            for seen in (0, 1)
        ]


SEEDS = st.integers(0, 10**6)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=12)
def test_refined_bounds_hold_and_close_in(seed: int) -> None:
    pomdp = Noisy(seed)
    found = list(Refinement(pomdp, ENDLESS).up_to(150))
    fixed = solve_graph(pomdp, explore(pomdp, 0.05, max_beliefs=20_000))
    for each in found:
        assert each.lower <= fixed.upper + 1e-8
        assert each.upper >= fixed.lower - 1e-8
        assert each.lower <= each.upper
    gaps = [each.upper - max(earlier.lower for earlier in found[: i + 1]) for i, each in enumerate(found)]
    assert gaps[-1] <= gaps[0] + 1e-9
    assert min(gaps) <= max(1e-6, 0.9 * gaps[0])


@given(seed=SEEDS, discount=st.sampled_from([0.5, 0.9, 0.95]))
@settings(deadline=None, max_examples=15)
def test_two_ways_to_bound_a_discounted_value_agree(seed: int, discount: float) -> None:
    """Refined graphs of what begins anew, and vectors and points of what it is made of, have no code in common."""
    pomdp = DiscountedPOMDP(Noisy(seed), discount=discount)
    solver = point_based(pomdp)
    solver.improve(seconds=5, gap=1e-3)
    graph = list(Refinement(pomdp, ENDLESS).up_to(200))
    lower, upper = (pomdp.discounted_value(each) for each in (graph[-1].lower, min(each.upper for each in graph)))
    assert lower <= solver.upper + 1e-8
    assert upper >= solver.lower - 1e-8
    lifted = pomdp.lifted(solver.controller())
    earned = pomdp.discounted_value(run_controller(pomdp, lifted).reward)
    assert solver.lower - 1e-6 <= earned <= solver.upper + 1e-6


@given(seed=SEEDS)
@settings(deadline=None, max_examples=10)
def test_solutions_only_get_better(seed: int) -> None:
    for pomdp in (Noisy(seed), DiscountedPOMDP(Noisy(seed), discount=0.9)):
        found = []
        for each in solutions(pomdp, max_beliefs=300, seconds=2):
            found.append(each)
            if each.gap < 1e-3:
                break
        assert found
        for before, after in pairwise(found):
            assert after.lower >= before.lower
            assert after.upper <= before.upper
            assert after.gap < before.gap
        best = found[-1]
        assert best.run.reward >= best.lower - 1e-9
        assert best.run.reward <= best.upper + 1e-9


@given(
    seed=SEEDS,
    merge=st.sampled_from([1.0, 0.5, 0.1]),
    splits=st.integers(0, 3),
)
@settings(deadline=None, max_examples=40)
def test_cells_divide_beliefs_and_splitting_divides_them_further(seed: int, merge: float, splits: int) -> None:
    random = np.random.default_rng(seed)
    some = [random.dirichlet(np.ones(n) / 2) for n in random.integers(1, 4, 30)]
    beliefs = Beliefs(
        np.cumsum([0, *map(len, some)]), np.concatenate([np.arange(len(b)) for b in some]), np.concatenate(some)
    )
    cells, unit = Cells(merge), dict[bytes, float]()
    for _ in range(splits + 1):
        now = cells.of(beliefs)
        for i, j in product(range(30), repeat=2):
            if now[i] == now[j]:
                assert len(some[i]) == len(some[j])
                assert np.abs(some[i] - some[j]).max() <= unit.get(now[i], merge) + 1e-12
        split = set(random.choice(np.array(now, dtype=object), 5))
        before = [(i, now[i]) for i in range(30) if now[i] in split]
        cells.split |= split
        after = cells.of(beliefs)
        assert not cells.split & set(after)
        unit |= {after[i]: unit.get(cell, merge) / FINER for i, cell in before}


def test_where_nothing_is_merged_the_values_are_exact() -> None:
    assert solve(make("tiger")).exact
    assert not solve(Noisy(3), seconds=5).exact


def test_it_ends_at_the_gap_or_in_time() -> None:
    pomdp = Noisy(3)
    close = solve(pomdp, gap=0.01)
    assert close.gap <= 0.01
    assert solve(pomdp, gap=1.0).graph.size <= close.graph.size
    hard = make("bandit:30")
    began = time.perf_counter()
    bounds = solve(hard, seconds=0.5)
    assert time.perf_counter() - began < 15, "one step of it takes a second or two"
    assert bounds.lower <= bounds.upper
    with pytest.raises(ValueError, match="there are bounds and a policy, but no values"):
        solve(hard, seconds=1e-9).action_values()


def test_what_is_known_at_once_holds() -> None:
    for pomdp in (make("tiger"), make("tiger?discount=0.9"), Noisy(2)):
        first, exact = blind_solution(pomdp), solve(pomdp)
        assert first.lower <= exact.upper + 1e-9
        assert first.upper >= exact.lower - 1e-9
        assert first.lower <= first.run.reward <= first.upper


def test_progress_is_told_and_can_be_interrupted() -> None:
    told: list[tuple[float, float, int]] = []
    solve(Noisy(3), gap=0.01, watch=lambda *bounds: told.append(bounds))
    assert told == sorted(told, key=lambda each: each[0])
    assert all(lower <= upper for lower, upper, _ in told)

    def interrupt(*_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(Noisy(3), watch=interrupt)


@pytest.mark.parametrize("wrong", [{"gap": -1}, {"gap": float("nan")}, {"seconds": 0}, {"max_beliefs": 0}])
def test_wrong_requests_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        solve(Noisy(1), **wrong)  # type: ignore[arg-type]


def test_a_clock_stops() -> None:
    clock = Clock(0.0)
    with pytest.raises(OutOfTime):
        clock.check()
    clock = Clock(0.05)
    with clock.stopped():
        time.sleep(0.1)
    clock.check()
    assert 0 < clock.left <= 0.05
    with pytest.raises(OutOfTime):
        explore(make("tiger"), 1e-10, max_beliefs=100, clock=Clock(-1.0))


def test_memory_is_bounded_not_only_the_number_of_beliefs() -> None:
    with pytest.raises(TooMany):
        explore(make("rocksample:4-4"), 1e-10, max_beliefs=2)
    with pytest.raises(TooMany):  # two beliefs, each over 2^4 sets of good rocks, and many more in what follows
        explore(make("rocksample:5-7"), 1.0, max_beliefs=5)


def test_what_is_nearly_solved_has_a_best_reward() -> None:
    pomdp = next(each for each in map(Noisy, range(20)) if not solve(each, seconds=1).exact)
    known = best_reward(pomdp)
    assert known is None or known == pytest.approx(solve(pomdp, gap=1e-4).lower, abs=2e-3)


HARD = """
class Hard(__import__('aixi_approx').POMDP):
    actions, observations, min_reward, max_reward = (0, 1, 2), (0, 1, 2), -9, 9
    def start(self): return {i: 1/12 for i in range(12)}
    def outcomes(self, state, action):
        import math
        w = [[(1 + math.sin(7*state + 3*action + 5*s + 2*o)) for o in range(3)] for s in range(12)]
        total = sum(map(sum, w))
        return [(w[s][o]/total, s, o, (state*action*5 + 3*s) % 19 - 9) for s in range(12) for o in range(3)]
"""


def test_the_command_prints_what_is_proved(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "hard.py").write_text(HARD)
    monkeypatch.chdir(tmp_path)
    aixi = [sys.executable, "-m", "aixi_approx", "solve"]
    out = subprocess.run(
        [*aixi, "hard.py:Hard", "--seconds", "3", "--json"], capture_output=True, text=True, check=True
    )
    result = json.loads(out.stdout)
    assert result["lower"] < result["upper"]
    assert (result["exact"], result["discount"]) == (False, None)
    running = subprocess.Popen(
        [*aixi, "hard.py:Hard", "--gap", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(6)
    running.send_signal(signal.SIGINT)
    output, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "no agent exceeds" in output or "proved so far: at least" in error


def test_the_command_knows_discounts() -> None:
    aixi = [sys.executable, "-m", "aixi_approx", "solve", "tiger"]
    out = subprocess.run([*aixi, "--discount", "0.95", "--json"], capture_output=True, text=True, check=True)
    result = json.loads(out.stdout)
    assert result["environment"] == "tiger?discount=0.95"
    assert result["lower_value"] == pytest.approx(19.3714, abs=1e-4)
    assert result["upper_value"] == pytest.approx(19.3714, abs=1e-4)
    out = subprocess.run([*aixi, "--discount", "0.95", "--reward-unseen"], capture_output=True, text=True, check=True)
    assert "if rewards are not seen" in out.stdout
    refused = subprocess.run([*aixi, "--reward-unseen"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "give a --discount" in refused.stderr
