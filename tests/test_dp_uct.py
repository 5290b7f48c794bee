"""DP-UCT against its twins: a plain search on the same random stream, expectimax, itself without the memo."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor, expectimax
from reference_dp import PlainDPSearch
from test_rho_uct import live, same

from aixi_approx.builder import build_agent, build_planner
from aixi_approx.coding import Coding, decode
from aixi_approx.envs import make
from aixi_approx.planner import SearchResult
from aixi_approx.planner_spec import PLAIN_RULES, STOPS
from aixi_approx.planners import dp_uct
from aixi_approx.planners.dp_uct import DPUCT
from aixi_approx.planners.pouct import FlatPOUCT, OnePlyPOUCT
from aixi_approx.planners.rho_uct import FlatMonteCarlo, OnePly, RhoUCT
from aixi_approx.planners.tree_search import ROOT
from aixi_approx.predictor import Predictor, PredictorError
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import below, draw, stream
from aixi_approx.rollout import RolloutError

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
from my_rollout import Again, Polite

NAMES = ("coin-flip", "1d-maze", "tiger", "kuhn-poker", "biased-rps", "4x4-grid", "cheese-maze")
SMALL = (("coin-flip", 3), ("1d-maze", 3), ("kuhn-poker", 2), ("biased-rps", 2), ("tiger", 1))  # for expectimax
ROLLOUTS = {"uniform": None, "polite": Polite, "again": Again}

BIT = Coding(actions=2, action_bits=1, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)
RICH = Coding(actions=1, action_bits=1, reward_bits=5, observation_bits=1, min_reward=0, max_reward=31)


class Known(Predictor):
    """Rewards of known probabilities after each action, whatever came before; all observations are likely alike."""

    certain = True

    def __init__(self, coding: Coding, *chances: Mapping[int, float]) -> None:
        self.coding, self.action_bits, self.percept_bits = coding, coding.action_bits, coding.percept_bits
        self.chances, self.bits = chances, list[int]()

    def predict(self) -> float:
        here = self.bits[len(self.bits) // self.coding.cycle_bits * self.coding.cycle_bits :]
        action, reward = decode(here[: self.action_bits]), here[self.action_bits :]
        if len(reward) >= self.coding.reward_bits:
            return 0.5
        left = self.coding.reward_bits - len(reward)
        likely = {code: p for code, p in self.chances[action].items() if code >> left == decode(reward)}
        return sum(p for code, p in likely.items() if code >> (left - 1) & 1) / sum(likely.values())

    def update(self, bit: int) -> float:
        one = self.predict()
        self.append(bit)
        return one if bit else 1 - one

    def append(self, bit: int) -> None:
        self.bits.append(bit)

    def mark(self) -> int:
        return len(self.bits)

    def revert(self, mark: int) -> None:
        del self.bits[mark:]


def agree(found: SearchResult, plain: PlainDPSearch) -> None:
    actions = range(len(found.visits))
    assert found.visits.tolist() == [plain.visits.get((a,), 0) for a in actions]
    value = [plain.value.get((a,), np.nan) for a in actions]
    assert np.allclose(found.value, value, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert found.value[found.action] == np.nanmax(found.value)


# ---------------------------------------------------------------------------------------------- the twins


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 60),
    horizon=st.integers(1, 4),
    simulations=st.integers(1, 200),
    ucb=st.sampled_from([0.0, 0.3, 0.5, 2.0**0.5]),
    rule=st.sampled_from(PLAIN_RULES),
    rollout=st.sampled_from(sorted(ROLLOUTS)),
    stop=st.sampled_from(STOPS),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=150)
def test_equals_the_plain_search(
    name: str, cycles: int, horizon: int, simulations: int, ucb: float, rule: str, rollout: str, stop: str, seed: int
) -> None:
    coding, tree = live(name, cycles)
    one, other = (ROLLOUTS[rollout] and ROLLOUTS[rollout](coding) for _ in range(2))
    planner = DPUCT(coding, horizon, simulations=simulations, ucb=ucb, rule=rule, rollout=one, stop=stop)
    found = planner.search(tree, stream(seed))
    plain = PlainDPSearch(coding, horizon, ucb, rule, tree, stream(seed), other)
    assert found.simulations == plain.run(simulations, stop=stop == "certain")
    agree(found, plain)


@pytest.mark.parametrize("rule", PLAIN_RULES)
@pytest.mark.parametrize("name", ["tiger", "kuhn-poker", "cheese-maze"])
def test_equals_the_plain_search_over_thousands_of_simulations(name: str, rule: str) -> None:
    coding, tree = live(name, 100)
    found = DPUCT(coding, 3, simulations=3_000, ucb=0.3, rule=rule).search(tree, stream(1))
    plain = PlainDPSearch(coding, 3, 0.3, rule, tree, stream(1))
    plain.run(3_000)
    agree(found, plain)


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_equals_the_plain_search_where_the_bits_of_a_percept_hang_together(horizon: int) -> None:
    """Learning one of them changes what is predicted of the next."""

    class Frequency(Known):
        independent_bits = certain = False
        counts = (1, 1)

        def predict(self) -> float:
            return self.counts[1] / sum(self.counts)

        def update(self, bit: int) -> float:
            p = self.counts[bit] / sum(self.counts)
            self.counts = (self.counts[0] + 1 - bit, self.counts[1] + bit)
            return p

        def append(self, bit: int) -> None:
            pass

        def mark(self) -> int:
            return self.counts[0] * 1_000 + self.counts[1]

        def revert(self, mark: int) -> None:
            self.counts = divmod(mark, 1_000)

    coding = make("biased-rps").coding
    found, asked = (
        DPUCT(coding, horizon, simulations=200, memo=memo).search(Frequency(coding), stream(1))
        for memo in (True, False)
    )
    plain = PlainDPSearch(coding, horizon, 0.5, "ucb", Frequency(coding), stream(1))
    plain.run(200)
    agree(found, plain)
    assert same(found, asked)


def test_the_constant_of_ucb_depends_on_the_rule() -> None:
    coding, tree = live("kuhn-poker", 50)
    for rule, ucb in (("ucb", 0.5), ("spread", 1.0)):
        given = DPUCT(coding, 3, simulations=300, rule=rule, ucb=ucb).search(tree, stream(1))
        assert same(DPUCT(coding, 3, simulations=300, rule=rule).search(tree, stream(1)), given)


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 60),
    horizon=st.integers(1, 5),
    simulations=st.integers(1, 400),
    rule=st.sampled_from(PLAIN_RULES),
    stop=st.sampled_from(STOPS),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=60)
def test_the_memo_changes_nothing_and_the_search_changes_nothing(
    name: str, cycles: int, horizon: int, simulations: int, rule: str, stop: str, seed: int
) -> None:
    coding, tree = live(name, cycles)
    before = tree.snapshot()
    kept, asked = (
        DPUCT(coding, horizon, simulations=simulations, rule=rule, stop=stop, memo=memo).search(tree, stream(seed))
        for memo in (True, False)
    )
    assert same(kept, asked)
    assert tree.snapshot() == before


@pytest.mark.parametrize("rollout", sorted(ROLLOUTS))
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("name", ["1d-maze", "tiger", "kuhn-poker", "cheese-maze"])
def test_the_memo_carried_over_cycles_changes_nothing(name: str, stop: str, rollout: str) -> None:
    coding, tree = live(name, 50)
    environment = make(name)
    carrying, fresh = (
        DPUCT(
            coding,
            4,
            simulations=200,
            stop=stop,
            memo=memo,
            rollout=ROLLOUTS[rollout] and ROLLOUTS[rollout](coding),
        )
        for memo in (True, False)
    )
    carried = stopped = 0
    for t in range(25):
        one, other = (planner.search(tree, stream(3, t)) for planner in (carrying, fresh))
        assert same(one, other)
        stopped += one.simulations < 200
        for action in (one.action, 0)[: 1 + (t % 3 == 0)]:  # an exploring cycle goes by without a search
            bits = coding.cycle(action, *environment.step(action))
            for planner in (carrying, fresh):
                planner.advance(action, bits[coding.action_bits :])
            tree.learn(bits)
        carried += carrying._root > ROOT
    assert carried > 5
    assert stopped == 0 if stop == "never" else stopped > 0 or name != "1d-maze"


def test_the_memo_spares_the_predictor_work() -> None:
    def work(*, memo: bool) -> int:
        coding, tree = live("tiger", 50)
        before = tree.work.bits
        DPUCT(coding, 3, simulations=300, memo=memo).search(tree, stream(1))
        return tree.work.bits - before

    assert work(memo=True) < work(memo=False) / 2


@pytest.mark.parametrize("name", NAMES)
def test_learning_what_is_not_asked_for_again_would_change_nothing(name: str) -> None:
    coding, tree = live(name, 100)
    skipped = DPUCT(coding, 3, simulations=300).search(tree, stream(1))
    tree.independent_bits = False
    assert same(DPUCT(coding, 3, simulations=300).search(tree, stream(1)), skipped)


def test_a_predictor_in_python_gives_the_same_search() -> None:
    coding, tree = live("kuhn-poker", 10, depth=4)
    plain = PlainPredictor(4, coding.action_bits, coding.percept_bits)
    environment = make("kuhn-poker")
    environment.reset(1)
    for action in np.random.default_rng(1).integers(coding.actions, size=10):
        plain.learn(coding.cycle(int(action), *environment.step(int(action))))
    one, other = (DPUCT(coding, 3, simulations=25).search(predictor, stream(5)) for predictor in (tree, plain))
    assert one.visits.tolist() == other.visits.tolist()
    assert np.allclose(one.value, other.value, rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize("rule", ["ucb", "spread"])
@pytest.mark.parametrize(("name", "horizon"), SMALL)
def test_tends_to_expectimax(name: str, horizon: int, rule: str) -> None:
    coding, tree = live(name, 200, depth=8)
    exact = np.array(expectimax(coding, tree, horizon))
    scale = horizon * (coding.max_reward - coding.min_reward)
    errors = []
    for simulations in (100, 3_000, 100_000):
        planner = DPUCT(coding, horizon, simulations=simulations, rule=rule)
        found = [planner.search(tree, stream(seed, simulations)) for seed in range(3)]
        errors.append(np.mean([abs(f.value[f.action] - exact.max()) / scale for f in found]))
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.003
    assert all(exact[f.action] > exact.max() - 0.003 * scale for f in found)


@pytest.mark.parametrize(("name", "horizon"), SMALL)
def test_is_closer_to_expectimax_than_rhouct(name: str, horizon: int) -> None:
    coding, tree = live(name, 200, depth=8)
    exact = np.array(expectimax(coding, tree, horizon))

    def error(planner: DPUCT | RhoUCT) -> float:
        found = [planner.search(tree, stream(seed)) for seed in range(40)]
        return float(np.mean([abs(f.value.max() - exact.max()) for f in found]))

    ours, theirs = (error(kind(coding, horizon, simulations=100, ucb=0.3)) for kind in (DPUCT, RhoUCT))
    assert ours < 0.75 * theirs


# ---------------------------------------------------------------------------------------------- rewards


def test_a_rare_reward_counts_before_it_is_sampled() -> None:
    chances = {31: 1 / 50, 1: 49 / 50}
    exact = sum(code * p for code, p in chances.items())
    for seed in range(20):
        for horizon in (1, 3):
            found = DPUCT(RICH, horizon, simulations=1).search(Known(RICH, chances), stream(seed))
            assert found.value[0] == pytest.approx(horizon * exact)


def test_a_rarer_one_counts_once_it_is_sampled_and_that_is_as_often_as_it_should_be() -> None:
    chances = {31: 1 / 100, 1: 99 / 100}
    exact = sum(code * p for code, p in chances.items())
    sampled = set()
    for seed in range(12):
        random = stream(seed)
        below(random, RICH.actions)
        offset = draw(random)  # of the first bit, which is 1 in the reward 31 alone
        for simulations in (1, 10, 50, 90, 100, 101, 500):
            found = DPUCT(RICH, 1, simulations=simulations).search(Known(RICH, chances), stream(seed))
            known = simulations / 100 + offset >= 1
            assert found.value[0] == pytest.approx(exact if known else 1.0, abs=1e-9)
            sampled.add((simulations, known))
    assert sampled > {(1, False), (50, True), (50, False), (100, True)}


@pytest.mark.parametrize(("bits", "at_once"), [(6, True), (7, False)])
def test_what_is_as_rare_as_may_be_counts(bits: int, at_once: bool) -> None:
    """Of 64 rewards, all are summed up; of 128, only those that came."""
    coding = Coding(1, 1, bits, 1, 0, (1 << bits) - 1)
    tree, mean = FactoredContextTree(2, 1, bits + 1), ((1 << bits) - 1) / 2
    first = DPUCT(coding, 1, simulations=1).search(tree, stream(1)).value[0]
    assert (first == mean) == at_once
    assert DPUCT(coding, 1, simulations=3_000).search(tree, stream(1)).value[0] == pytest.approx(mean)


def test_a_reward_beyond_the_largest_counts_as_the_largest() -> None:
    coding = Coding(actions=2, action_bits=1, reward_bits=3, observation_bits=1, min_reward=-2, max_reward=1)
    mean = np.mean([min(-2 + code, 1) for code in range(8)])
    value = DPUCT(coding, 1, simulations=2).search(FactoredContextTree(2, 1, 4), stream(1)).value
    assert value == pytest.approx([mean] * 2)
    coding = Coding(actions=1, action_bits=1, reward_bits=7, observation_bits=1, min_reward=-2, max_reward=1)
    found = DPUCT(coding, 1, simulations=3_000).search(FactoredContextTree(2, 1, 8), stream(1))  # each is a rare one
    assert found.value[0] == pytest.approx((-2 - 1 + 125) / 128)


@pytest.mark.parametrize("bits", [0, 1])
@pytest.mark.parametrize("rule", PLAIN_RULES)
def test_one_reward(rule: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coding may give it no bit at all."""
    monkeypatch.setattr(dp_uct, "FIRST_ROOM", 1)
    coding = Coding(actions=2, action_bits=1, reward_bits=bits, observation_bits=3, min_reward=3, max_reward=3)
    for horizon in (1, 2, 3):
        tree = FactoredContextTree(4, 1, coding.percept_bits)
        found = DPUCT(coding, horizon, simulations=500, rule=rule, ucb=0.5).search(tree, stream(1))
        assert found.value == pytest.approx([3 * horizon] * 2)
        plain = PlainDPSearch(coding, horizon, 0.5, rule, tree, stream(1))
        plain.run(500)
        agree(found, plain)


def test_explores_where_all_rewards_are_negative() -> None:
    coding = Coding(actions=2, action_bits=1, reward_bits=7, observation_bits=1, min_reward=-100, max_reward=0)
    for rule in ("ucb", "spread"):
        found = DPUCT(coding, 3, simulations=1_000, rule=rule).search(FactoredContextTree(4, 1, 8), stream(1))
        assert found.visits.min() > 100


def test_untried_actions_first_and_ties_at_random() -> None:
    coding = Coding(actions=4, action_bits=2, reward_bits=1, observation_bits=1, min_reward=0, max_reward=0)
    tree = FactoredContextTree(2, 2, 2)
    first, best = np.zeros(4), np.zeros(4)
    for seed in range(1_000):
        first += DPUCT(coding, 1, simulations=1).search(tree, stream(seed)).visits
        found = DPUCT(coding, 1, simulations=4).search(tree, stream(seed))
        assert found.visits.tolist() == [1, 1, 1, 1]
        best[found.action] += 1
    assert np.all(abs(first - 250) < 5 * 250**0.5)
    assert np.all(abs(best - 250) < 5 * 250**0.5)


# ---------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize(("simulations", "made"), [(8, 8), (15, 15), (17, 16), (100, 16), (400, 64), (4_000, 512)])
def test_a_search_that_is_settled_stops_after_an_eighth(simulations: int, made: int) -> None:
    sure = Known(BIT, {1: 1.0}, {0: 1.0})
    for seed in range(5):
        search = DPUCT(BIT, 1, simulations=simulations, rule="round-robin", stop="certain")
        found = search.search(sure, stream(seed))
        assert found.action == 0
        assert found.simulations == found.visits.sum() == made


@pytest.mark.parametrize(("rule", "ucb"), [("ucb", 2.0), ("spread", 2.0), ("round-robin", 0.0)])
def test_a_search_stops_where_one_action_is_better_and_not_where_all_are_equal(rule: str, ucb: float) -> None:
    """And it is then the search of as many simulations. Little is known of an action that is hardly ever tried."""
    how: dict[str, Any] = {"rule": rule, "ucb": ucb}
    for horizon in (1, 2, 3):
        for better, worse in ((0.9, 0.1), (0.8, 0.4)):
            model = Known(BIT, {1: worse, 0: 1 - worse}, {1: better, 0: 1 - better})
            for seed in range(10):
                found = DPUCT(BIT, horizon, simulations=4_000, stop="certain", **how).search(model, stream(seed))
                assert 500 <= found.simulations < 4_000
                assert found.action == 1
                again = DPUCT(BIT, horizon, simulations=found.simulations, **how).search(model, stream(seed))
                assert same(found, again)
        for p in (0.5, 0.0):
            model = Known(BIT, *[{1: p, 0: 1 - p}] * 2)
            for seed in range(10):
                found = DPUCT(BIT, horizon, simulations=1_000, stop="certain", **how).search(model, stream(seed))
                assert found.simulations == 1_000


def test_no_action_is_given_up_before_it_was_tried_twice() -> None:
    coding = Coding(actions=16, action_bits=4, reward_bits=1, observation_bits=1, min_reward=0, max_reward=1)
    model = Known(coding, {1: 1.0}, *[{0: 1.0}] * 15)
    found = DPUCT(coding, 1, simulations=64, ucb=0.0, stop="certain").search(model, stream(1))
    assert sorted(found.visits) == [1] * 15 + [49]


def test_a_search_with_a_time_may_be_settled_after_a_thousand_simulations() -> None:
    sure, fair = Known(BIT, {1: 1.0}, {0: 1.0}), Known(BIT, *[{1: 0.5, 0: 0.5}] * 2)
    for memo in (True, False):
        settled = DPUCT(BIT, 2, simulations=100_000, seconds=1e9, stop="certain", memo=memo).search(sure, stream(1))
        assert settled.simulations == 1_008
        assert same(DPUCT(BIT, 2, simulations=1_008).search(sure, stream(1)), settled)
    assert DPUCT(BIT, 2, simulations=3_000, seconds=1e9, stop="certain").search(fair, stream(1)).simulations == 3_000
    assert DPUCT(BIT, 2, seconds=1e-9, stop="certain").search(sure, stream(1)).simulations == 1


# ---------------------------------------------------------------------------------------------- chunks and room


@pytest.mark.parametrize("stop", STOPS)
def test_a_search_cut_into_chunks_is_the_same_search(stop: str) -> None:
    coding, tree = live("tiger", 50)
    whole = DPUCT(coding, 4, simulations=600, stop=stop).search(tree, stream(1))
    for first in (64, 1):
        cut = DPUCT(coding, 4, simulations=600, stop=stop)
        cut._slices.seconds, cut._slices._chunk = 0.0, first  # then one simulation at a time
        assert same(cut.search(tree, stream(1)), whole)


def test_a_search_with_a_time_is_the_search_of_as_many_simulations() -> None:
    coding, tree = live("tiger", 50)
    before = tree.snapshot()
    for memo in (True, False):
        soon = DPUCT(coding, 4, simulations=1 << 30, memo=memo, seconds=1e-9).search(tree, stream(1))
        assert soon.simulations == soon.visits.sum() == 1
        assert same(DPUCT(coding, 4, simulations=1, memo=memo).search(tree, stream(1)), soon)
        whole = DPUCT(coding, 4, simulations=2_000, memo=memo).search(tree, stream(1))
        patient = DPUCT(coding, 4, simulations=2_000, memo=memo, seconds=1e9)
        assert same(patient.search(tree, stream(1), simulations=7), whole)
    some = DPUCT(coding, 4, simulations=1 << 30, seconds=0.02).search(tree, stream(1))
    assert same(DPUCT(coding, 4, simulations=some.simulations).search(tree, stream(1)), some)
    assert tree.snapshot() == before


def test_searches_one_after_another() -> None:
    coding, tree = live("kuhn-poker", 50)
    planner = DPUCT(coding, 3, simulations=100)
    for simulations in (50, 2_000, 3, 400):
        alone = DPUCT(coding, 3, simulations=simulations).search(tree, stream(1))
        assert same(planner.search(tree, stream(1), simulations=simulations), alone)
    assert planner.search(tree, stream(1)).simulations == 100


@pytest.mark.parametrize("memo", [True, False])
def test_a_tree_that_grows_is_the_same_search(memo: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []
    enlarge = DPUCT._enlarge
    monkeypatch.setattr(DPUCT, "_enlarge", lambda self, *sizes: grown.append(sizes) or enlarge(self, *sizes))
    for name, rule in (("kuhn-poker", "spread"), ("1d-maze", "ucb"), ("cheese-maze", "ucb")):
        coding, tree = live(name, 50)
        results = []
        for room, times in ((10_000, 0), (1, 2)):
            monkeypatch.setattr(dp_uct, "FIRST_ROOM", room)
            grown.clear()
            results.append(
                DPUCT(coding, 5, simulations=4_000, rule=rule, memo=memo, stop="never").search(tree, stream(1))
            )
            assert (len(grown) >= times) if times else not grown
        assert same(*results)


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize(("name", "horizon"), [("coin-flip", 4), ("1d-maze", 4), ("4x4-grid", 5), ("kuhn-poker", 5)])
def test_a_tree_that_may_not_grow_goes_on_as_it_is(
    name: str, horizon: int, memo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DPUCT, "MOST_BYTES", 0)
    coding, tree = live(name, 200, depth=8)
    before = tree.snapshot()
    exact = RhoUCT(coding, horizon, simulations=20_000, ucb=0.3).search(tree, stream(1)).value  # nearly
    for room in (1, 100):
        monkeypatch.setattr(dp_uct, "FIRST_ROOM", room)
        planner = DPUCT(coding, horizon, simulations=4_000, memo=memo)
        found = planner.search(tree, stream(1))
        assert room == 100 or planner._tree.used[0] == len(planner._tree.total)  # it is full
        assert found.visits.sum() == found.simulations == 4_000
        assert tree.snapshot() == before
        assert np.all((horizon * coding.min_reward <= found.value) & (found.value <= horizon * coding.max_reward))
        if room == 100:
            assert exact[found.action] > exact.max() - 0.03 * horizon * (coding.max_reward - coding.min_reward)


def test_rare_rewards_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are rare, and there is no place to note that one came."""
    monkeypatch.setattr(DPUCT, "MOST_BYTES", 0)
    monkeypatch.setattr(dp_uct, "FIRST_ROOM", 1)
    coding = Coding(actions=16, action_bits=4, reward_bits=7, observation_bits=1, min_reward=0, max_reward=127)
    planner = DPUCT(coding, 1, simulations=3_000, rule="round-robin")
    found = planner.search(FactoredContextTree(2, 4, 8), stream(1))
    assert planner._tree.used[1] == len(planner._tree.probability)
    assert np.all((found.value >= 0) & (found.value <= 127))
    assert np.median(found.value) == pytest.approx(63.5, abs=5 * 37 / 187**0.5)


# ---------------------------------------------------------------------------------------------- rollouts


@pytest.mark.parametrize("policy", [Polite, Again])
def test_a_rollout_policy_acts_at_new_nodes(policy: type[Polite]) -> None:
    """Each simulation that finds one goes on with it: of its cycles, those at nodes that others made are chosen."""
    asked: list[int] = []

    class Counting(policy):  # type: ignore[misc, valid-type]
        def choose(self, u: float) -> int:
            asked.append(super().choose(u))
            return asked[-1]

    coding, tree = live("tiger", 50)
    planner = DPUCT(coding, 4, simulations=1, rollout=Counting(coding))
    assert planner.reads_history == policy.reads_history
    found = planner.search(tree, stream(1))
    assert len(asked) == 4
    assert found.visits[asked[0]] == 1
    asked.clear()
    planner.search(tree, stream(1), simulations=300)
    assert len(asked) == planner._tree.total[: planner._tree.used[0]].astype(bool).sum()  # once at each node


@pytest.mark.parametrize(
    ("operation", "wrong", "error", "message"),
    [
        ("choose", ZeroDivisionError("a mistake"), RolloutError, "failed in a search: ZeroDivisionError: a mistake"),
        ("choose", 3, RolloutError, "Broken.choose returned 3: there are actions 0 to 2"),
        *((each, ZeroDivisionError("a mistake"), RolloutError, "a mistake") for each in ("append", "mark", "revert")),
        *((each, KeyboardInterrupt("now"), KeyboardInterrupt, "now") for each in ("choose", "append")),
    ],
)
def test_a_policy_that_fails_is_one_clear_error(operation: str, wrong: Any, error: type, message: str) -> None:
    def fail(*_: Any) -> Any:
        if isinstance(wrong, BaseException):
            raise wrong
        return wrong

    coding, tree = live("tiger", 10)
    before = tree.snapshot()
    search = DPUCT(coding, 3, simulations=50, rollout=type("Broken", (Again,), {operation: fail})(coding))
    for _ in range(2):
        with pytest.raises(error, match=message) as caught:
            search.search(tree, stream(1))
        assert "\n" not in str(caught.value)
    assert tree.snapshot() == before


# ---------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("operation", ["predict", "update", "append"])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_predictor_that_fails_is_an_error_and_nothing_is_left_of_the_search(
    operation: str, error: type[BaseException]
) -> None:
    class Failing(PlainPredictor):
        left = 0

    def fail(self: Failing, *arguments: int) -> float:
        self.left -= 1
        if self.left < 0:
            raise error("a mistake in a predictor")
        return float(getattr(super(Failing, self), operation)(*arguments) or 0.0)

    setattr(Failing, operation, fail)
    coding = make("kuhn-poker").coding
    predictor = Failing(4, coding.action_bits, coding.percept_bits)
    search = DPUCT(coding, 3, simulations=60, memo=False)
    for left in (0, 1, 4, 9, 20, 33, 100):  # in the sums and after them
        predictor.left = left
        with pytest.raises(PredictorError if error is ZeroDivisionError else error, match="a mistake") as caught:
            search.search(predictor, stream(1))
        assert isinstance(caught.value.__cause__ or caught.value, error)
        assert (predictor.trees.history, predictor.marks) == ([], [])
    predictor.left = 10**9
    sound = PlainPredictor(4, coding.action_bits, coding.percept_bits)
    assert same(search.search(predictor, stream(1)), search.search(sound, stream(1)))


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize("wrong", [float("nan"), 2.0, -1e18])
def test_a_predictor_that_gives_no_probability_is_refused(wrong: float, memo: bool) -> None:
    class Wrong(PlainPredictor):
        left = 0

        def predict(self) -> float:
            self.left -= 1
            return super().predict() if self.left >= 0 else wrong

    coding = make("kuhn-poker").coding
    predictor = Wrong(4, coding.action_bits, coding.percept_bits)
    for left in range(60):  # wherever it is asked
        predictor.left = left
        with pytest.raises(PredictorError):
            DPUCT(coding, 3, simulations=100, memo=memo).search(predictor, stream(1))
        assert (predictor.trees.history, predictor.marks) == ([], [])


def test_a_predictor_that_failed_is_not_asked_again() -> None:
    """There would be thousands of rewards to ask for."""

    class Wrong(PlainPredictor):
        left = asked = 0

        def predict(self) -> float:
            self.asked += 1
            return 0.9 if self.asked <= self.left else 2.0

    coding = Coding(actions=2, action_bits=1, reward_bits=12, observation_bits=1, min_reward=0, max_reward=4095)
    for left in range(20):
        predictor = Wrong(2, 1, 13)
        predictor.left = left
        with pytest.raises(PredictorError):
            DPUCT(coding, 2, simulations=100).search(predictor, stream(1))
        assert predictor.asked == left + 1


@pytest.mark.parametrize("verb", ["mark", "revert"])
def test_a_mark_that_fails_is_noticed(verb: str) -> None:
    class Failing(PlainPredictor):
        left = 0

    def fail(self: Failing, *arguments: int) -> int:
        self.left -= 1
        if self.left < 0:
            raise ArithmeticError(verb)
        return getattr(super(Failing, self), verb)(*arguments)  # type: ignore[no-any-return]

    setattr(Failing, verb, fail)
    coding = make("kuhn-poker").coding
    for left in range(12):
        predictor = Failing(4, coding.action_bits, coding.percept_bits)
        predictor.left = left
        with pytest.raises(PredictorError, match=verb):
            DPUCT(coding, 3, simulations=100).search(predictor, stream(1))
        if verb == "mark":
            assert predictor.trees.history == []


def test_a_memo_of_another_history_is_dropped() -> None:
    coding, tree = live("tiger", 50)
    planner = DPUCT(coding, 3, simulations=200)
    planner.search(tree, stream(1))
    tree.learn(np.tile(coding.cycle(1, 0, -100), 30))
    assert same(planner.search(tree, stream(1)), DPUCT(coding, 3, simulations=200).search(tree, stream(1)))
    _, other = live("tiger", 90, seed=9)
    assert same(planner.search(other, stream(1)), DPUCT(coding, 3, simulations=200).search(other, stream(1)))


def test_a_predictor_of_other_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="the predictor reads"):
        DPUCT(make("tiger").coding, 2, simulations=10).search(FactoredContextTree(8, 1, 1), stream(1))


# ---------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    "wrong",
    [
        *({"horizon": 0}, {"horizon": 2.5}, {"simulations": 0}, {"ucb": -1.0}, {"ucb": float("nan")}),
        *({"seconds": 0}, {"seconds": float("nan")}, {"rule": "x"}, {"stop": "x"}),
    ],
)
def test_options_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))) as caught:
        DPUCT(make("tiger").coding, **{"horizon": 2, "simulations": 10, **wrong})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("planner", "model", "option"),
    [
        ("dpuct+leaves:exact", "ctw", "leaves"),
        ("dpuct+prune:0.1", "ctw", "prune"),
        ("rhouct+stop:certain", "ctw", "stop"),
        ("flat+rule:ucb", "ctw", "rule"),
        ("flat+ucb:0.5", "true", "ucb"),
    ],
)
def test_options_that_do_not_go_together(planner: str, model: str, option: str) -> None:
    with pytest.raises(ValueError, match=f"^{option} means nothing to .* with the model {model}: leave it out$"):
        build_agent(make("tiger"), model, planner=planner)


@pytest.mark.parametrize("join", ["majority", "pooled"])
def test_any_number_of_threads_is_one_search(join: str) -> None:
    coding, tree = live("kuhn-poker", 50)
    results = [
        build_planner("kuhn-poker", f"dpuct+{join}:4+horizon:3+simulations:801", threads=threads)
        for threads in (1, 2, 4)
    ]
    one, two, four = (planner.search(tree, stream(1)) for planner in results)
    assert one.simulations == one.visits.sum() == 801
    assert len(one.visits) == coding.actions
    assert same(one, two)
    assert same(one, four)


# ---------------------------------------------------------------------------------------------- flat


@pytest.mark.parametrize("name", ["tiger", "biased-rps", "4x4-grid"])
@pytest.mark.parametrize("simulations", [2, 50, 301])
def test_flat_tries_the_first_actions_in_turn(name: str, simulations: int) -> None:
    coding, tree = live(name, 50)
    environment = make(name)
    pairs = (
        (FlatMonteCarlo(coding, 3, simulations=simulations), OnePly(coding, 3, simulations=simulations), tree),
        (FlatPOUCT(environment, 3, simulations=simulations), OnePlyPOUCT(environment, 3, simulations=simulations), 0),
    )
    for flat, _, model in pairs:
        model = model or TrueModel(environment)
        found = flat.search(model, stream(1))
        assert found.visits.sum() == simulations
        assert np.ptp(found.visits) <= 1
        kind, of = (OnePly, coding) if model is tree else (OnePlyPOUCT, environment)
        turns = kind(of, 3, simulations=simulations, rule="round-robin")
        assert same(turns.search(model, stream(1)), found)
    if simulations == 301:
        visits = pairs[0][1].search(tree, stream(1)).visits
        assert np.ptp(visits) > 1  # UCB does not
