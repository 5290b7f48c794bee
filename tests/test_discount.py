"""Environments with a discount: what begins anew pays, per cycle, (1 - discount) times its discounted value."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aixi_approx import POMDP, EnvironmentFault, Outcome, make, solve
from aixi_approx.builder import outside
from aixi_approx.environment import Environment
from aixi_approx.envs import maker, name_of
from aixi_approx.envs.restarting import named, split
from aixi_approx.envs.tiger import Tiger
from aixi_approx.pomdp.belief import first_belief
from aixi_approx.pomdp.discounted import BEGINNING, RESTART, DiscountedPOMDP


@st.composite
def small_pomdps(draw: st.DrawFn) -> POMDP:
    """Two or three states, two actions, two observations, rewards with digits."""
    count = draw(st.integers(2, 3))
    share = st.sampled_from([0, 1, 1, 2, 5])

    def distribution(over: list[tuple[int, int]]) -> dict[tuple[int, int], float]:
        weights = [draw(share) for _ in over]
        weights[draw(st.integers(0, len(over) - 1))] += 1
        return {each: weight / sum(weights) for each, weight in zip(over, weights, strict=True) if weight}

    ends = [(s, o) for s in range(count) for o in range(2)]
    table = {(s, a): distribution(ends) for s in range(count) for a in range(2)}
    pays = {(s, a): draw(st.sampled_from([-1.0, 0.25, 0.3, 1.0])) for s in range(count) for a in range(2)}
    begins = {s: p for (s, _), p in distribution([(s, 0) for s in range(count)]).items()}

    class Small(POMDP):
        actions = observations = (0, 1)
        rewards = (-1.0, 0.25, 0.3, 1.0)

        def start(self) -> dict[int, float]:
            return begins

        def outcomes(self, state: int, action: int) -> list[Outcome]:
            return [Outcome(p, s, o, pays[state, action]) for (s, o), p in table[state, action].items()]

    return Small()


def value_of_fixed_actions(pomdp: POMDP, chance: list[float], discount: float) -> float:
    """The discounted value of drawing actions with fixed probabilities: a system of linear equations."""
    count, actions = pomdp.size, len(pomdp.actions)
    step, reward = np.zeros((count, count)), np.zeros(count)
    for s in range(count):
        for a in range(actions):
            for i in range(*pomdp.tables.first[s * actions + a : s * actions + a + 2]):
                step[s, pomdp.tables.state[i]] += chance[a] * pomdp.tables.probability[i]
                reward[s] += chance[a] * pomdp.tables.probability[i] * pomdp.tables.reward[i]
    value = np.linalg.solve(np.eye(count) - discount * step, reward)
    return float(pomdp.tables.start @ value[: len(pomdp.tables.start)])


@settings(max_examples=60, deadline=None)
@given(small_pomdps(), st.sampled_from([0.5, 0.9, 0.99]), st.sampled_from([0.0, 0.3, 1.0]))
def test_reward_per_cycle_is_the_discounted_value(pomdp: POMDP, discount: float, share: float) -> None:
    anew = DiscountedPOMDP(pomdp, discount=discount)
    expected = value_of_fixed_actions(pomdp, [share, 1 - share], discount)
    assert anew.discounted_value(anew.mixed_reward([share, 1 - share])) == pytest.approx(expected, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(small_pomdps(), st.sampled_from([0.5, 0.9]))
def test_each_row_is_a_distribution_that_begins_anew_with_the_right_probability(pomdp: POMDP, discount: float) -> None:
    anew = DiscountedPOMDP(pomdp, discount=discount)
    restart = anew.tables.observation == len(pomdp.observations)
    total = np.add.reduceat(anew.tables.probability, anew.tables.first[:-1])
    assert total == pytest.approx(1)
    assert np.add.reduceat(anew.tables.probability * restart, anew.tables.first[:-1]) == pytest.approx(1 - discount)
    assert (anew.tables.state[restart] == 0).all()
    assert len(first_belief(anew).state) == 1


def test_tiger_is_worth_what_is_published() -> None:
    tiger, value = make("tiger?discount=0.95"), 19.3714  # Cassandra 1998
    solution = solve(tiger)
    assert tiger.discounted_value(solution.lower) == pytest.approx(value, abs=1e-4)
    assert tiger.discounted_value(solution.upper) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("name", ["tiger?discount=0.5", "pacman?discount=0.5", "locks:2?discount=0.5"])
def test_it_begins_anew_now_and_then_and_says_so(name: str) -> None:
    environment = make(name)
    last = len(environment.observations) - 1
    assert environment.observations[last] == RESTART
    environment.checked_reset(3)
    seen = [environment.checked_step(0) for _ in range(400)]
    anew = sum(percept.observation == last for percept in seen)
    assert 160 < anew < 240  # mean 200, standard deviation 10
    environment.checked_reset(3)
    assert [environment.checked_step(0) for _ in range(400)] == seen
    assert environment.checked_render()
    assert "begins anew with probability 0.5" in environment.rules


def test_pacman_is_as_after_a_reset_once_it_begins_anew() -> None:
    environment = make("pacman?discount=0.9")
    fresh = make("pacman").checked_render()
    environment.checked_reset(1)
    while environment.checked_step(1).observation != len(environment.observations) - 1:
        pass
    assert environment.checked_render().count(".") == fresh.count(".")


@pytest.mark.parametrize("name", ["tiger?discount=0.9", "pacman?discount=0.9"])
def test_it_can_be_kept_and_copied(name: str) -> None:
    environment = make(name)
    environment.checked_reset(5)
    for _ in range(20):
        environment.checked_step(1)
    kept, twin, other = environment.keep(), copy.copy(environment), make(name)
    assert kept is not None or name.startswith("pacman")
    if kept is not None:
        other.restore(kept)
    later = [environment.checked_step(i % 3) for i in range(50)]
    assert [twin.checked_step(i % 3) for i in range(50)] == later
    assert kept is None or [other.checked_step(i % 3) for i in range(50)] == later


def test_names() -> None:
    for name in ("tiger?discount=0.95", "pacman?discount=0.9", "locks:3?discount=0.5"):
        assert name_of(make(name)) == name
    assert make("tig?discount=.950").title == "tiger?discount=0.95"
    assert make("tiger?discount=1").title == "tiger"
    assert split("a.py:B:3?x=1&discount=0.9&y=2") == ("a.py:B:3?x=1&y=2", 0.9)
    assert named("tiger?discount=0.9", 0.5) == "tiger?discount=0.5"
    assert outside(["tiger?discount=0.9", "my.py:Env?discount=0.9"], ["ctw"], planners=[]) == ["my.py:Env?discount=0.9"]
    sequence = make("tiger?discount=0.9>locks:1@100")
    assert sequence.title == "tiger?discount=0.9>locks:1@100"


class Declared(Tiger):
    """A tiger whose authors have a discount."""

    discount = 0.95


def test_what_declares_a_discount_has_it_unless_another_one_is_given() -> None:
    made = maker(Declared)()
    assert isinstance(made, DiscountedPOMDP)
    assert solve(made).lower == pytest.approx(19.3714 * 0.05, abs=1e-5)


@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "nan", "inf", "much", ""])
def test_what_is_no_discount_is_one_line(wrong: str) -> None:
    with pytest.raises(EnvironmentFault, match=r"is no discount: write a number such as discount=0\.95"):
        make(f"tiger?discount={wrong}")


def test_names_of_its_own_that_collide_are_refused() -> None:
    for what in ({"observations": ("left", "right", "nothing", RESTART)},):
        with pytest.raises(EnvironmentFault, match="rename it"):
            DiscountedPOMDP(type("Wrong", (Tiger,), what)(), discount=0.9)

    class Begins(Tiger):
        def start(self) -> dict[str, float]:
            return {BEGINNING: 0.5, "left": 0.5}

        def outcomes(self, state: str, action: str):  # type: ignore[no-untyped-def]
            return super().outcomes("right" if state == BEGINNING else state, action)

    with pytest.raises(EnvironmentFault, match="rename it"):
        DiscountedPOMDP(Begins(), discount=0.9)


def test_an_action_that_is_legal_stays_so() -> None:
    environment: Environment = make("tiger?discount=0.9")
    assert list(environment.legal()) == [0, 1, 2]
