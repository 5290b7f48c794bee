"""Gymnasium's environments here: spaces and rewards as bits, episodes as one life, tables that tell the truth."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.stats import chi2

from aixi_approx import Percept, check_environment, make, mc_aixi, solve
from aixi_approx.cli import main
from aixi_approx.coding import bits_for
from aixi_approx.environment import EnvironmentFault
from aixi_approx.envs.from_gymnasium import GymEnvironment, GymTable
from aixi_approx.envs.gymnasium_original import MAX_BITS
from aixi_approx.envs.gymnasium_spaces import Observations, SpaceCode, flat
from aixi_approx.envs.reward_scale import MAX_VALUES, Declared, RewardScale


class Count(gymnasium.Env[Any, Any]):
    """Shows the cycles of the episode, which ends after so many; pays `reward`, and `last` at the end."""

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, length: int = 3, reward: Any = 1, last: Any = 5, space: Any = None, fails: int = -1) -> None:
        self.length, self.reward, self.last, self.fails = length, reward, last, fails
        self.observation_space = spaces.Discrete(8) if space is None else space
        self.action_space = spaces.Discrete(2, start=1)
        self.actions: list[Any] = []
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.cycle = 0
        return self.shown(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.actions.append(action)
        self.cycle += 1
        self.steps += 1
        if self.steps - 1 == self.fails:
            raise KeyError("lost")
        ended = self.cycle == self.length
        reward = self.last if ended else self.reward
        return self.shown(), reward(self) if callable(reward) else reward, ended, False, {}

    def shown(self) -> Any:
        return self.cycle


class Walk(Count):
    """Shows two numbers that go up and down, without ends."""

    def shown(self) -> Any:
        return np.array([math.sin(self.steps), 3.0 * math.cos(self.steps)], dtype=np.float32)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(gymnasium.registry)
    gymnasium.register("test/Count-v0", Count, max_episode_steps=7)
    gymnasium.register("test/Walk-v0", Walk, kwargs={"space": spaces.Box(-np.inf, np.inf, (2,))})
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def register(name: str, kind: type[Count], **options: Any) -> str:
    gymnasium.register(f"test/{name}-v0", kind, kwargs=options)
    return f"gym:test/{name}-v0"


# Spaces.

ENDS = st.sampled_from([-3, -1, 0, 2, 5])
LEAVES = st.one_of(
    st.builds(spaces.Discrete, st.integers(1, 20), start=ENDS),
    st.builds(spaces.MultiDiscrete, st.lists(st.integers(1, 9), min_size=1, max_size=3)),
    st.builds(spaces.MultiDiscrete, st.just([[2, 3], [4, 5]])),
    st.just(spaces.MultiDiscrete([2, 3], start=[5, -1])),
    st.builds(spaces.MultiBinary, st.one_of(st.integers(1, 4), st.just((2, 2)))),
    st.builds(lambda a, b: spaces.Box(min(a, b), max(a, b), (2,), np.int8), ENDS, ENDS),
    st.builds(lambda a, b: spaces.Box(a, a + b, (2, 1), np.float32), ENDS, st.sampled_from([0.1, 1, 1000])),
    st.builds(lambda a, b: spaces.Box(a, a + b, (), np.float64), ENDS, st.sampled_from([0, 0.1, 1 / 3])),
    st.just(spaces.Box(0, 100_000, (), np.int64)),
)


def joined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Tuples and Dicts of spaces."""
    return st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from("abc"), parts, min_size=1, max_size=3).map(spaces.Dict),
    )


SPACES = st.one_of(LEAVES, joined(LEAVES), joined(joined(LEAVES)))


@given(SPACES, st.integers(0, 1000), st.integers(2, 40), st.booleans())
def test_an_observation_is_what_its_number_says(space: Any, seed: int, bins: int, ended: bool) -> None:
    space.seed(seed)
    value = space.sample()
    code = SpaceCode(space, bins)
    assume(code.bits <= MAX_BITS)  # more are refused
    observations = Observations(code)
    number = observations.index((ended, value))
    assert 0 <= number < len(observations) == 2 ** (1 + sum(bits_for(n.count) for n in code.numbers))
    assert number >> code.bits == ended
    plain = observations[number]
    assert hash(plain) == hash(plain)
    assert observations.index(plain) == number
    assert plain in observations
    before, after = list(flat(space, value)), list(flat(space, plain[1]))
    for x, y, n in zip(before, after, code.numbers, strict=True):
        assert abs(x - y) <= (n.step / 2 * (1 + 1e-6) if n.rounded else 0)


@given(SPACES, st.integers(2, 40), st.data())
def test_a_value_belongs_to_its_space_and_has_its_indices(space: Any, bins: int, data: st.DataObject) -> None:
    code = SpaceCode(space, bins)
    indices = [data.draw(st.integers(0, number.count - 1)) for number in code.numbers]
    value = code.value(indices)
    assert value in space
    if not any(n.rounded and n.step < 1 and n.first == int(n.first) for n in code.numbers):
        assert code.indices(value) == indices
    assert code.decode(code.encode(code.plain(indices))) == indices


def test_bits_stand_in_the_order_of_the_parts() -> None:
    space = spaces.Dict({"a": spaces.Discrete(3, start=5), "b": spaces.MultiBinary(2), "c": spaces.Discrete(5)})
    observations = Observations(SpaceCode(space))
    value = {"a": 7, "b": np.array([0, 1], dtype=np.int8), "c": 4}
    assert observations.index((False, value)) == 0b0_10_0_1_100
    assert observations.index((True, value)) == 0b1_10_0_1_100
    assert observations[0b1_10_0_1_100] == (True, (("a", 7), ("b", (0, 1)), ("c", 4)))
    assert observations[0b0_11_0_1_111] == (False, (("a", "?3"), ("b", (0, 1)), ("c", "?7")))
    assert (False, (("a", 8), ("b", (0, 1)), ("c", 4))) not in observations
    with pytest.raises(IndexError, match="no observation 256, there are 0 to 255"):
        observations[256]


def test_numbers_go_to_the_nearest_of_evenly_spaced_points_and_beyond_the_ends_to_the_end() -> None:
    code = SpaceCode(spaces.Box(-1, 1, (1,), np.float64), bins=5)
    points = [-1, -0.5, 0, 0.5, 1]
    for x in np.linspace(-1.5, 1.5, 77):
        assert code.indices([x]) == [int(np.argmin([abs(x - p) for p in points]))] or abs(x * 4 % 1) < 1e-9
    assert [code.value([i]).item() for i in range(5)] == points
    assert str(code) == "number 0 to 5 values from -1 to 1"
    for wrong in ([math.nan], [1, 2]):
        with pytest.raises(ValueError, match=r"NaN|2 numbers where"):
            code.indices(wrong)


def test_ends_are_those_of_random_play_where_there_are_none() -> None:
    env = make("gym:test/Walk-v0?bins=3")
    assert [env.observations[i][1] for i in (0b0000, 0b0101, 0b1010)] == [
        (pytest.approx(x, abs=1e-4), pytest.approx(3 * x, abs=1e-4)) for x in (-1, 0, 1)
    ]
    assert "number 1 to 3 values from -3 to 3" in env.approximations


# Rewards.


@pytest.mark.parametrize(
    ("text", "values", "ranges"),
    [
        ("-10..20", (), ((-10, 20),)),
        ("100,-1,0", (-1, 0, 100), ()),
        ("(-1, 0, 100)", (-1, 0, 100), ()),
        ("-1..0,99.5..100,7", (7,), ((-1, 0), (99.5, 100))),
    ],
)
def test_rewards_are_declared_as_values_and_ranges(text: str, values: Any, ranges: Any) -> None:
    assert Declared.read(text) == (values, ranges)


@pytest.mark.parametrize("text", ["3", "2..1", "a", "1..", "0,inf", "0..nan", "", "1,,2"])
def test_what_declares_no_rewards_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write the range as rewards=-10\.\.20, all values as rewards=-1,0,100"):
        Declared.read(text)


@pytest.mark.parametrize(
    ("rewards", "declared", "unit", "count"),
    [
        ([0, 1], "0..1", 1, 2),
        ([-100, -1], "-100..-1", 1, 100),
        ([0, 0.5, -1], "-1..0.5", 0.5, 4),
        ([1, 0.75], "0.75..1", 0.05, 6),
        ([np.float32(0.1), 0], "0..0.5", 0.1, 6),
        ([1, -0.5, -0.01], "-0.5..1", 0.01, 151),
        ([0, 1000], "0..1000", 5, 201),
        ([0], "0..255", 1, 256),
        ([0], "0..256", 2, 129),
        ([-0.05, 99.95], "-0.1..0,99.9..100", 0.05, 6),
        ([-0.001, 100], "-0.1..0,100", 0.001, 102),
    ],
)
def test_the_unit_of_rewards(rewards: list[float], declared: str, unit: float, count: int) -> None:
    scale = RewardScale(rewards, Declared.read(declared))
    assert (scale.unit, len(scale.values)) == (pytest.approx(unit), count)
    assert not scale.rounds
    assert [scale.coded(r) for r in rewards] == pytest.approx(rewards)


def test_a_range_that_no_unit_fits_is_rounded() -> None:
    scale = RewardScale([-16.2736, -3.123456, -1e-5], Declared.read("-16.2736..0"))
    assert (scale.unit, scale.values[0], scale.values[-1], scale.rounds) == (0.1, -16.3, 0, True)
    assert str(scale) == "rewards are rounded to multiples of 0.1"


REWARDS = st.lists(st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=8)


@given(REWARDS)
@example([1e8, 1e8 + 1])
@example([0.1, float(np.float32(0.1))])
def test_few_rewards_are_the_values_each_with_a_code(rewards: list[float]) -> None:
    scale = RewardScale(rewards)
    assert list(scale.values) == sorted(scale.values)
    assert len(scale.values) <= len(set(rewards))
    for reward in rewards:
        assert scale.coded(reward) in scale.values
        assert scale.coded(reward) == pytest.approx(reward, rel=3e-7)
    assert not str(scale)


@given(REWARDS, st.floats(0, 1), st.one_of(st.none(), st.floats(1e2, 1e3)))
def test_no_reward_in_the_range_is_off_by_more_than_half_a_unit(
    rewards: list[float], share: float, unit: float | None
) -> None:
    ends = min(rewards), max(rewards)
    assume(ends[0] < ends[1])
    scale = RewardScale(rewards, Declared((), (ends,)), unit=unit)
    assert scale.unit
    for reward in (*rewards, ends[0] + share * (ends[1] - ends[0])):
        told = scale.coded(reward)
        if told in scale.values:
            assert abs(told - reward) <= scale.unit / 2 * (1 + 1e-5) + 1e-6 * abs(reward)
        else:
            assert not scale.rounds
            assert reward not in rewards
    assert unit or len(scale.values) <= MAX_VALUES
    assert ("rounded" in str(scale)) == scale.rounds
    if unit is None and scale.rounds:  # 1, 2, 5, 10: the next is at most 2.5 times as large
        assert scale.unit <= max(1e-6, 2.52 * (ends[1] - ends[0]) / MAX_VALUES)


def test_a_reward_that_is_none_of_the_values_is_told_as_it_is_and_how_to_mend_it() -> None:
    seen = RewardScale([0.0, 0.5])
    assert [seen.coded(r) for r in (0.0, 0.5000000001, 9.0, 0.25, -math.inf)] == [0, 0.5, 9, 0.25, -math.inf]
    assert seen.fault(0.5, "?") == ""
    assert seen.fault(9.0, "?") == "which random play has not seen: add ?rewards=0,0.5,9 to its name"
    assert seen.fault(0.25, "&").endswith("add &rewards=0,0.25,0.5 to its name")
    many = RewardScale(range(100))
    assert many.fault(-7, "?").endswith("add ?rewards=-7..99 to its name")
    table = RewardScale([0, 1], certain=True)
    assert table.fault(2, "?").startswith("which its table does not have")
    asked = RewardScale([0], Declared.read("-1..0,5"))
    assert asked.fault(7, "&").endswith("write rewards=-1..0,5,7, or &clip=True")
    assert asked.fault(-0.5, "&") == "which lies between multiples of 1: round it by &unit=1, or a finer one"
    with pytest.raises(ValueError, match=r"random play got 7, which rewards=0,1 does not declare: write rewards=0,1,7"):
        RewardScale([0, 7], Declared.read("0,1"))
    with pytest.raises(ValueError, match="NaN"):
        seen.coded(math.nan)
    for wrong in (math.inf, 1e300):
        with pytest.raises(ValueError, match="too large, or not numbers"):
            RewardScale([0, wrong])
    with pytest.raises(ValueError, match=r"unit is 1e-06: that makes more than 65,536 values"):
        RewardScale([0, 1], unit=1e-6)


@pytest.mark.parametrize("reward", [9.0, 1.5, -0.1])
def test_every_option_that_a_fault_names_mends_it(reward: float) -> None:
    for scale in (
        RewardScale([0, 1]),
        RewardScale([i / 7 for i in range(300)]),
        RewardScale([0], Declared.read("0,1")),
    ):
        if scale.coded(reward) not in scale.values:
            option = scale.fault(reward, "?").split("rewards=")[-1].split(" ")[0].rstrip(",")
            mended = RewardScale([0, 1], Declared.read(option))
            assert mended.coded(reward) in mended.values or mended.unit


def test_clipping_is_asked_for_and_counted() -> None:
    scale = RewardScale([0.0, 0.3], Declared.read("0..1"), clip=True)
    assert [scale.coded(r) for r in (-5.0, 0.3, 1.0, 1.2, math.inf)] == [0, 0.3, 1, 1, 1]
    assert scale.clipped == 3


def test_a_reward_that_random_play_has_not_seen_stops_the_run_in_one_line() -> None:
    reward = lambda env: 9.0 if env.steps > 10_003 else 0.25  # noqa: E731
    name = register("Late", Count, reward=reward, last=0)
    env = make(name)
    assert env.rewards == (0, 0.25)
    assert env.coding.reward_bits == 1
    said = (
        "the rewards are 0, 0.25 as far as random play has seen, and another one will stop the run: declare it by ?re"
    )
    assert said in env.approximations
    env.reset(1)
    assert [env.checked_step(0).reward for _ in range(3)] == [0.25, 0.25, 0]
    what = rf"^{name}: step\(0\) gave the reward 9, which random play has not seen: add \?rewards=0,0.25,9 to its name$"
    with pytest.raises(EnvironmentFault, match=what):
        env.checked_step(0)
    assert make(f"{name}?rewards=0,0.25,9").coding.rewards == (0, 0.25, 9)
    clipped = make(f"{name}?clip=True")
    clipped.reset(1)
    assert [clipped.checked_step(0).reward for _ in range(5)] == [0.25, 0.25, 0, 0.25, 0.25]
    assert clipped.approximations.endswith("another one is clipped, as asked for, 2 so far")


class Chain(Count):
    """Twenty steps to the right pay 1; a step to the left is one back to the beginning."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.cycle = self.cycle + 1 if action == 2 else 0
        ended = self.cycle == 20
        return self.cycle, float(ended), ended, False, {}


def test_the_check_says_what_random_play_has_not_seen() -> None:
    name = register("Chain", Chain, space=spaces.Discrete(21))
    right = [1] * 20
    found = {each.check: each.message for each in check_environment(name, cycles=30) if each.result == "note"}
    assert "all rewards are 0 as far as random play has seen, and another one will stop the run" in found["original"]
    env = make(name)
    with pytest.raises(EnvironmentFault, match=r"the reward 1, which random play has not seen: add \?rewards=0,1 to"):
        [env.checked_step(action) for action in right]
    declared = make(f"{name}?rewards=0,1")
    assert sum(declared.checked_step(action).reward for action in right * 3) == 3
    assert not declared.approximations
    assert "original" not in {each.check for each in check_environment(f"{name}?rewards=0,1", cycles=30)}


def test_rewards_are_as_asked_for() -> None:
    env = make("gym:test/Count-v0?rewards=-10..20&unit=5&end=-2")
    assert (env.min_reward, env.max_reward) == (-10, 20)
    assert [env.checked_step(0).reward for _ in range(3)] == [0, 0, 5]  # 1, 1 and 5 - 2, in fives
    for said in ("rewards are rounded to multiples of 5", "pays -2"):
        assert said in env.approximations


@pytest.mark.parametrize("kind", ["table", "black box"])
def test_with_a_discount_the_reward_per_cycle_is_that_share_of_the_return_of_an_episode(kind: str) -> None:
    limit = "&max_episode_steps=1000" if kind == "black box" else ""
    env = make(f"gym:FrozenLake-v1?desc=['SFG']&is_slippery=False&discount=0.8{limit}")
    assert isinstance(env, GymTable if kind == "table" else GymEnvironment)
    assert env.discount == 0.8
    if isinstance(env, GymTable):
        assert solve(env).lower == pytest.approx(0.2 * 0.8, abs=1e-9)  # the second reward of an episode is 1
    env.reset(3)
    total, restarts, last, count = 0.0, 0, None, 20_000
    for _ in range(count):
        anew, seen = env.observations[(percept := env.checked_step(2)).observation]
        restarts += anew
        total += percept.reward
        if last == (False, 2) and not anew:
            assert (seen, percept.reward) == (2, 0), "it stays ended"
        assert not anew or seen == 0
        last = (anew, seen)
    assert total / count == pytest.approx(0.16, abs=4 * math.sqrt(0.16 * 0.84 / count))
    assert restarts / count == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / count))


def test_an_episode_that_has_ended_stays_ended_until_the_next_begins() -> None:
    env = make("gym:test/Count-v0?discount=0.9")
    env.reset(1)
    lives = "".join(f"{'/' * anew}{seen}:{reward} " for anew, seen, reward in shown(env, 300))
    for life in lives.split("/")[1:-1]:
        rest = ["1:1", "2:1", "3:5"] + ["3:0"] * 100  # what it would show without a restart
        assert life.split()[1:] == rest[: len(life.split()) - 1]
    assert "3:0 3:0" in lives


def shown(env: Any, cycles: int) -> Iterator[tuple[bool, Any, float]]:
    """What the cycles of an environment show and pay."""
    for _ in range(cycles):
        percept = env.checked_step(0)
        yield *env.observations[percept.observation], percept.reward


def test_the_random_agent_with_a_discount() -> None:
    table, plain = (make(f"gym:FrozenLake-v1?discount=0.9{limit}") for limit in ("", "&max_episode_steps=100000"))
    assert isinstance(plain, GymEnvironment)
    assert plain.random_reward == pytest.approx(table.random_reward, rel=0.5)
    assert make("gym:test/Count-v0?discount=0.5").random_reward == pytest.approx(0.5 * (1 + 0.5 + 5 / 4))
    for wrong in ("0", "1.5", "x"):
        with pytest.raises(EnvironmentFault, match=r"discount is .*: it must be a number above 0, and at most 1"):
            make(f"gym:test/Count-v0?discount={wrong}")


class Masked(Count):
    """Allows only the first action in even cycles; the other one fails then."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return super().reset(seed=seed)[0], {"action_mask": np.array([1, 0], dtype=np.int8)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        assert self.cycle % 2 or action == 1
        *rest, _ = super().step(action)
        return *rest, {"action_mask": np.array([1, self.cycle % 2], dtype=np.int8)}  # type: ignore[return-value]


def test_actions_that_are_not_legal_stand_for_one_that_is() -> None:
    env = make(register("Masked", Masked))
    legal, taken = [], []
    for action in [1, 1, 1, 1, 0, 0]:
        legal.append(list(env.legal()))
        env.checked_step(action)
        taken.append(env.env.unwrapped.actions[-1])
    assert legal == [[0], [0, 1], [0], [0], [0, 1], [0]]  # three cycles to an episode
    assert taken == [1, 2, 1, 1, 1, 1]
    with pytest.raises(EnvironmentFault, match="failed in random play: AssertionError"):
        make("gym:test/Masked-v0?mask=False")


def test_a_table_knows_what_is_legal() -> None:
    taxi = make("gym:Taxi-v4")
    assert isinstance(taxi, GymTable)
    assert taxi.coding.rewards == (-1, 20)  # -10 is what illegal actions cost
    assert solve(taxi).lower == pytest.approx(0.6067, abs=1e-4)
    mask = taxi.original.env.unwrapped.action_mask
    for state in taxi.states[::50]:
        assert [taxi.actions.index(a) for a in taxi.legal_in(state)] == np.flatnonzero(mask(state)).tolist()
    free = make("gym:Taxi-v4?mask=False")
    assert free.coding.rewards == (-10, -1, 20)
    assert free.random_reward == pytest.approx(-3.905, abs=1e-3)
    assert "-10" not in make("gym:Taxi-v4?fickle_passenger=True").approximations


def test_popgym_works_as_it_is() -> None:
    pytest.importorskip("popgym", reason="POPGym is not installed: pip install popgym")
    env = make("gym:popgym:popgym-RepeatPreviousEasy-v0")
    assert env.coding.rewards == pytest.approx((-1 / 48, 0, 1 / 48), abs=1e-15)
    coding = env.coding
    assert (coding.action_bits, coding.reward_bits, coding.observation_bits) == (2, 2, 3)


# Parts that are left out.


def test_parts_of_a_dict_are_left_out_where_asked_for() -> None:
    class Quest(Count):
        """Shows a mission."""

        def shown(self) -> Any:
            return {"mission": "go", "at": self.cycle, "bag": {"gold": 1, "note": "x"}}

    bag = spaces.Dict({"gold": spaces.Discrete(2), "note": spaces.Text(5)})
    space = spaces.Dict({"mission": spaces.Text(5), "at": spaces.Discrete(8), "bag": bag})
    name = register("Quest", Quest, space=space)
    with pytest.raises(EnvironmentFault, match=r"a Text has no fixed number of bits: leave it out by without=note$"):
        make(name)
    with pytest.raises(EnvironmentFault, match=r"without=mission$"):
        make(f"{name}?without=note")
    env = make(f"{name}?without=mission,note&rewards=1,5")
    assert env.observations[env.checked_step(0).observation] == (False, (("at", 1), ("bag", (("gold", 1),))))
    assert env.approximations.endswith("an observation is without mission, note, as asked for")
    with pytest.raises(
        EnvironmentFault, match=r"without=x: there is no such part: its observations have at, bag, gold"
    ):
        make(f"{name}?without=x")


# Episodes.


def test_the_next_episode_begins_in_the_cycle_that_ends_one() -> None:
    env = make("gym:test/Count-v0")
    assert isinstance(env, GymEnvironment)
    assert env.actions == (1, 2)
    seen = [env.checked_step(action) for action in (0, 1, 1, 0)]
    assert seen == [Percept(1, 1), Percept(2, 1), Percept(8 + 0, 5), Percept(1, 1)]
    assert env.observations[8] == (True, 0)
    assert env.env.unwrapped.actions[-4:] == [1, 2, 2, 1]


def test_limits_are_left_out_unless_asked_for() -> None:
    name = register("Long", Count, length=9, space=spaces.Discrete(16))
    gymnasium.registry["test/Long-v0"].max_episode_steps = 7
    free, limited = make(name), make(f"{name}?max_episode_steps=2&end=-1")
    seen = [[env.checked_step(0).observation for _ in range(10)] for env in (free, limited)]
    assert seen == [[1, 2, 3, 4, 5, 6, 7, 8, 16, 1], [1, 16] * 5]
    assert "the limit of 7 steps to an episode is left out" in free.approximations
    assert "left out" not in limited.approximations
    assert limited.min_reward == limited.max_reward == 1  # cut off is not ended
    assert "so far" not in limited.approximations


def test_percepts_are_a_function_of_the_seed() -> None:
    def life(env: Any, seed: int) -> list[Percept]:
        env.reset(seed)
        return [env.checked_step(i % 2) for i in range(50)]

    env = make("gym:Blackjack-v1")
    assert life(env, 1) == life(make("gym:Blackjack-v1"), 1) == life(env, 1)
    assert life(env, 2) != life(env, 1)
    life(env, -1)  # Gymnasium takes no negative seeds
    assert env.approximations.startswith("the rewards are -1, 0, 1 as far as random play has seen")


def test_faults_of_others_are_faults() -> None:
    name = register("Fails", Count, fails=10_002)
    env = make(name)
    env.checked_step(0)
    env.checked_step(0)
    with pytest.raises(EnvironmentFault, match=rf"{name}: step\(0\) failed: KeyError: 'lost'"):
        env.checked_step(0)
    env = make(register("NaN", Count, last=lambda env: math.nan if env.steps > 10_000 else 1))
    with pytest.raises(EnvironmentFault, match=r"the reward is not a number"):
        [env.checked_step(0) for _ in range(3)]


# Tables.

TABLES = [
    "FrozenLake-v1",
    "FrozenLake-v1?is_slippery=False&map_name=8x8",
    "FrozenLake-v1?success_rate=0.8&reward_schedule=(2,-1,0)",
    "CliffWalking-v1",
    "Taxi-v4?is_rainy=True",
]


@pytest.mark.parametrize("name", TABLES)
def test_the_environment_does_what_the_table_says(name: str) -> None:
    ours = make(f"gym:{name}")
    assert isinstance(ours, GymTable)
    env = ours.original.fresh()
    start = Counter(int(env.reset(seed=seed)[0]) for seed in range(300))
    assert set(start) <= set(ours.start())
    random, count, distance, freedom = np.random.default_rng(1), 100, 0.0, 0
    for _ in range(40):
        state, action = ours.states[random.integers(len(ours.states))], int(random.integers(len(ours.actions)))
        expected: Counter[Any] = Counter()
        for p, after, (ended, _), reward in ours.outcomes(state, ours.actions[action]):
            expected[None if ended else after, reward, ended] += p
        found: Counter[Any] = Counter()
        for _ in range(count):
            env.unwrapped.s = state
            after, reward, terminated, truncated, _ = env.step(action)
            assert not truncated
            found[None if terminated else after, reward, terminated] += 1
        assert set(found) <= set(expected)
        distance += sum((found[what] - count * p) ** 2 / (count * p) for what, p in expected.items())
        freedom += len(expected) - 1
    assert freedom == 0 or 1e-4 < chi2.sf(distance, freedom) < 1 - 1e-4


def test_a_table_is_coded_as_the_environment_itself() -> None:
    table, plain = make("gym:FrozenLake-v1"), make("gym:FrozenLake-v1?max_episode_steps=100000")
    assert isinstance(plain, GymEnvironment)
    assert (table.coding, table.actions) == (plain.coding, plain.actions)
    assert table.actions == ("left", "down", "right", "up")
    actions = np.random.default_rng(1).integers(4, size=5000).tolist()
    seen = [Counter(env.checked_step(a) for a in actions) for env in (table, plain)]
    assert set(seen[0]) == set(seen[1])


@pytest.mark.parametrize(
    ("name", "optimum"),
    [
        ("FrozenLake-v1?is_slippery=False", 1 / 6),
        ("CliffWalking-v1", -1),  # there is nothing in reaching the goal
        ("CliffWalking-v1?end=20", (20 - 13) / 13),
        ("FrozenLake-v1?desc=['SG']&is_slippery=False&reward_schedule=(0.5,0,0)", 0.5),
    ],
)
def test_optima_of_tables(name: str, optimum: float) -> None:
    solution = solve(make(f"gym:{name}"))
    assert (solution.lower, solution.upper) == (pytest.approx(optimum), pytest.approx(optimum))


@pytest.mark.parametrize("name", ["FrozenLake-v1?max_episode_steps=9", "Taxi-v4?fickle_passenger=True"])
def test_a_table_that_is_not_the_whole_truth_is_not_used(name: str) -> None:
    assert isinstance(make(f"gym:{name}"), GymEnvironment)


def test_pictures() -> None:
    table, plain = make("gym:FrozenLake-v1"), make("gym:test/Count-v0")
    table.reset(1)
    assert table.render() == "\x1b[41mS\x1b[0mFFF\nFHFH\nFFFH\nHFFG"
    while table.states[table.current] != 4:
        table.step(1)
    assert table.render() == "SFFF\n\x1b[41mF\x1b[0mHFH\nFFFH\nHFFG"
    assert plain.render() == "observation: 0"
    assert make(register("Ansi", Ansi)).render() == "observation: 0"


# What is refused.


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FrozenLakes-v1", "Environment `FrozenLakes` doesn't exist"),
        ("nobody/X-v0", "Namespace nobody not found"),
        ("no_such_module:X-v0", "No module named 'no_such_module'"),
        ("", "Malformed environment ID"),
        ("GymV21Environment-v0", "shimmy"),
        ("FrozenLake-v1?slippery=1", "unexpected keyword argument 'slippery'.*: its options are .* is_slippery"),
        ("FrozenLake-v1?is_slippery=maybe", "is_slippery=maybe: it is True or False"),
        ("FrozenLake-v1?map_name=9x9", "there is no '9x9', as one of its options says: its options are"),
        ("FrozenLake?slippery=1", "unexpected keyword argument 'slippery'"),
        ("gymnasium:FrozenLake-v1?slippery=1", "unexpected keyword argument 'slippery'.*: its options are"),
        ("FrozenLake-v1?is_slippery=false", "is_slippery=false: write is_slippery=False"),
        ("FrozenLake-v1?is_slippery", "'is_slippery' is no option: write name=value"),
        ("FrozenLake-v1?=3", "'=3' is no option"),
        ("FrozenLake-v1?map_name=3x3", "3x3"),
        ("FrozenLake-v1?map_name=None", "a table of its own: fix what is random"),
        ("FrozenLake-v1?bins=1", "bins is 1: it must be a whole number from 2 to 1024"),
        ("FrozenLake-v1?bins=many", "bins is 'many'"),
        ("FrozenLake-v1?unit=0", "unit is 0: it must be a number above 0"),
        ("FrozenLake-v1?end=x", "end is 'x': it must be a number"),
        ("FrozenLake-v1?rewards=3", "rewards=3: write the range as rewards=-10..20"),
        ("FrozenLake-v1?rewards=2..1", "rewards=2..1: write the range"),
        ("CartPole-v1?bins=1024", "its observations, Box.* 41 bits, and at most 40 will do: give fewer bins"),
        ("test/Text-v0", r"its observations, Text.*, can't be coded: a Text has no fixed number of bits"),
        ("test/Image-v0", "its observations, Box.*, can't be coded: they take 513 bits, and at most 40 will do$"),
        ("test/Bold-v0", "its actions, MultiDiscrete.*, can't be coded: they are 1,331, and at most 1,024 will do$"),
        ("test/Fails-v0", "it failed in random play: KeyError: 'lost'"),
        ("test/Outside-v0", "1.5 does not lie in 0 to 7|failed in random play"),
        ("test/Huge-v0", "rewards from .* are too large, or not numbers"),
    ],
)
def test_what_is_wrong_is_one_clear_line(name: str, message: str) -> None:
    register("Text", Count, space=spaces.Text(5))
    register("Image", Count, space=spaces.Box(0, 255, (8, 8), np.uint8))
    gymnasium.register("test/Bold-v0", Bold)
    register("Fails", Count, fails=20)
    gymnasium.register("test/Outside-v0", Outside)
    register("Huge", Count, last=1e300)
    with pytest.raises(EnvironmentFault, match=message) as fault:
        make(f"gym:{name}").checked_step(0)
    assert str(fault.value).startswith(f"gym:{name}: ")
    assert "\n" not in str(fault.value)


class Ansi(Count):
    """Says that it draws, and takes no render mode."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012


class Bold(Count):
    """Has too many actions."""

    def __init__(self) -> None:
        super().__init__()
        self.action_space = spaces.MultiDiscrete([11, 11, 11])


class Outside(Count):
    """Shows what is not in its space."""

    def shown(self) -> Any:
        return 1.5


def test_without_gymnasium_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "gymnasium"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("envs.from_gymnasium", "envs.gymnasium_original", "spaces"):
        monkeypatch.delitem(sys.modules, f"aixi_approx.{name}", raising=False)
    with pytest.raises(EnvironmentFault, match=r"need it installed: pip install gymnasium"):
        make("gym:FrozenLake-v1")


def test_names_without_a_version_make_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    assert make("gym:FrozenLake").size == 11
    assert capfd.readouterr() == ("", "")


def test_settings_fit_the_coding() -> None:
    for name, cycles in (("FrozenLake-v1", 2), ("Blackjack-v1", 3)):
        env = make(f"gym:{name}")
        assert env.settings.depth == cycles * env.coding.cycle_bits


def test_the_command_line_says_what_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--cycles", "20", "--evaluate", "5", "--simulations", "2", "--evaluation-simulations", "2"]
    lost = "the limit of 100 steps to an episode is left out"
    main(["run", "gym:FrozenLake-v1", *short, "--json"])
    result = json.loads(capsys.readouterr().out)
    assert result["approximations"] == lost
    assert result["optimum"] == pytest.approx(solve(make("gym:FrozenLake-v1")).lower)
    main(["run", "gym:FrozenLake-v1", *short])
    assert capsys.readouterr().out.endswith(f"\nNot as in the original: {lost}.\n")
    main(["solve", "gym:FrozenLake-v1"])
    assert f"Not as in the original: {lost}.\n" in capsys.readouterr().out
    main(["run", "coin-flip", *short])
    assert "original" not in capsys.readouterr().out


# Instances, modules of the current folder, the random agent.


def test_an_instance_is_made_again() -> None:
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    ours = make(env)
    assert ours.title == "gym:FrozenLake-v1?map_name=4x4&is_slippery=False"
    assert mc_aixi(env, depth=8, simulations=2).coding == ours.coding
    assert not [each for each in check_environment(env, cycles=30) if each.result == "failed"]
    wrapped = gymnasium.wrappers.TimeAwareObservation(gymnasium.make("FrozenLake-v1"))
    for use in (make, mc_aixi, check_environment):
        with pytest.raises(EnvironmentFault, match="wrappers of its own: register it, and name it gym:my_module:ID"):
            use(wrapped)
        with pytest.raises(EnvironmentFault, match=r"was not made by gymnasium\.make: register it"):
            use(Count())


ROOM = """
import gymnasium
from gymnasium import spaces
class Room(gymnasium.Env):
    observation_space, action_space = spaces.Discrete(3), spaces.Discrete(4)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}
    def step(self, action):
        return int(self.np_random.integers(3)), float(action == 3), False, False, {}
gymnasium.register("Room-v0", entry_point=Room)
"""


def test_a_module_of_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "room_of_mine.py").write_text(ROOM)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", ".")])
    before = list(sys.path)
    try:
        room = make("gym:room_of_mine:Room-v0")
        assert (len(room.actions), sys.path) == (4, before)
        assert room.random_reward == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 10_000))
        program = [str(Path(sys.executable).with_name("aixi")), "check", "gym:room_of_mine:Room-v0", "--cycles", "50"]
        done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the same percepts in other processes" in done.stdout
        with pytest.raises(EnvironmentFault, match="absent_module"):
            make("gym:absent_module:Room-v0")
    finally:
        sys.modules.pop("room_of_mine", None)
        gymnasium.registry.pop("Room-v0", None)


def test_the_random_agent_of_an_environment_without_a_table() -> None:
    cart = make("gym:CartPole-v1?end=-10&bins=4")
    cart.reset(3)
    random = np.random.default_rng(3)
    rewards = [cart.step(int(action)).reward for action in random.integers(2, size=20_000)]
    assert cart.random_reward == pytest.approx(np.mean(rewards), abs=0.05)
    assert make("gym:Pendulum-v1?bins=3").random_reward is None, "its actions are rounded"
    lake = make("gym:FrozenLake-v1")
    assert isinstance(lake, GymTable)
    assert lake.random_reward == pytest.approx(0.0018, abs=0.001), "exact"
