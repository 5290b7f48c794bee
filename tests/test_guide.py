"""The guide: how a policy is taught and told what happens, acts alone, and is made better by a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_policy import taught

from aixi_approx.builder import build_agent, build_planner
from aixi_approx.coding import Coding, encode
from aixi_approx.environment import Percept, Settings
from aixi_approx.envs import make
from aixi_approx.planner import Lesson, SearchResult
from aixi_approx.planner_spec import LESSONS
from aixi_approx.planners.guide import Guide, improved, is_better
from aixi_approx.planners.policy_alone import PolicyAlone
from aixi_approx.predictor_abi import RolloutAddresses
from aixi_approx.randomness import draw, stream
from aixi_approx.rollout import Rollout
from aixi_approx.rollouts.learned import LearnedPolicy
from aixi_approx.rollouts.uniform import Uniform

TIGER = make("tiger").coding
FINITE = {"allow_nan": False, "allow_infinity": False}


def found(
    action: int, value: list[float], deviation: list[float] | None, *, error: float | None = None
) -> SearchResult:
    visits = np.ones(len(value), dtype=np.int64)
    exact = None if error is None else np.full(len(value), error)
    noise = None if deviation is None else np.array(deviation)
    return SearchResult(action, np.array(value), visits, len(value), exact, noise)


@st.composite
def searched(draw: Any) -> tuple[NDArray[np.float64], SearchResult]:
    """What a policy says of some actions, and what a search found there; some were not tried, or once only."""
    actions = draw(st.integers(1, 6))
    several = {"min_size": actions, "max_size": actions}
    weight = np.array(draw(st.lists(st.sampled_from([0.0, 1e-6, 0.1, 1.0, 3.0]), **several)))
    if not weight.any():
        weight[draw(st.integers(0, actions - 1))] = 1.0
    value = np.array(draw(st.lists(st.floats(-1e3, 1e3, **FINITE), **several)))  # type: ignore[arg-type]
    unknown = np.array(draw(st.lists(st.booleans(), **several)))
    unknown[draw(st.integers(0, actions - 1))] = False
    value[unknown] = np.nan
    deviation = draw(st.lists(st.sampled_from([0.0, 1e-9, 0.01, 1.0, 300.0, np.inf]), **several))
    visits = np.where(unknown, 0, 2)
    result = SearchResult(int(np.nanargmax(value)), value, visits, int(visits.sum()), None, np.array(deviation))
    return weight / weight.sum(), result


# ---------------------------------------------------------------------------------------------- lessons and history


class Recorder(Rollout):
    """Notes what it is given."""

    reads_history = learns = True
    trust = 0.5

    def __init__(self) -> None:
        super().__init__(TIGER)
        self.notes: list[Any] = []

    @property
    def prediction(self) -> NDArray[np.float64]:
        return np.array([0.7, 0.2, 0.1])

    def choose(self, u: float) -> int:
        return 0

    def learn(self, action: int) -> float:
        self.notes.append(("learn", action))
        return 1.5

    def append(self, bit: int) -> None:
        self.notes.append(bit)

    def mark(self) -> int:
        self.notes.append("mark")
        return 7

    def revert(self, mark: int) -> None:
        self.notes.append(("revert", mark))


@given(cycles=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=30))
@settings(deadline=None, max_examples=40)
def test_a_lesson_and_then_a_cycle_is_to_learn_and_a_cycle_alone_to_take_note(
    cycles: list[tuple[int, int, bool]],
) -> None:
    guide, policy = (Guide(TIGER, None, policy=LearnedPolicy(TIGER, depth=9)), LearnedPolicy(TIGER, depth=9))
    assert guide.policy is not None
    for action, observation, lesson in cycles:
        bits = TIGER.cycle(action, observation, -1)
        percept = bits[TIGER.action_bits :]
        if lesson:
            assert guide.distil(action) == policy.learn(action)
        else:
            policy.extend(encode(action, TIGER.action_bits))
        guide.advance(action, percept, learned=False)
        policy.extend(percept)
        assert guide.policy.snapshot() == policy.snapshot()
    assert guide.policy.lessons == sum(lesson for *_, lesson in cycles)


def test_what_it_tells_a_policy() -> None:
    policy = Recorder()
    guide = Guide(TIGER, None, policy=policy)
    percept = TIGER.cycle(0, 1, -1)[TIGER.action_bits :]
    assert guide.distil(2) == 1.5
    assert guide.mark() == 7
    guide.advance(2, percept, learned=False)
    guide.advance(2, percept, learned=False)
    assert policy.notes == [("learn", 2), "mark", *percept, 1, 0, *percept]
    policy.notes.clear()
    guide.distil(1)
    guide.revert(7)  # which takes the lesson back
    guide.advance(1, percept, learned=False)
    assert policy.notes == [("learn", 1), ("revert", 7), 0, 1, *percept]


def test_without_a_policy_nothing_is_learned() -> None:
    guide = Guide(TIGER, None, policy=None)
    assert (guide.distil(1), guide.reads_history, guide.acts, guide.trust(1)) == (0.0, False, True, 1.0)
    assert isinstance(guide.rollout, Uniform)
    result = found(2, [0.0, 1.0, 2.0], None)
    assert guide.lesson(result, stream(1)) == Lesson(2, False)
    assert guide.lesson(None, stream(1)) == Lesson(None, False)
    with pytest.raises(ValueError, match="without a policy can't decide without simulations"):
        guide.act_alone(stream(1))


@pytest.mark.parametrize("lessons", LESSONS)
def test_which_decisions_are_lessons(lessons: str) -> None:
    guide = Guide(TIGER, None, policy=Recorder(), lessons=lessons)
    sure, unsure = (found(2, [0.0, 1.0, 2.0], [noise] * 3) for noise in (0.1, 10.0))
    none = found(1, [np.nan] * 3, None)._replace(simulations=0)  # the policy acted alone
    random = stream(1)
    assert guide.lesson(None, random) == Lesson(None, lessons == "explored")
    assert guide.lesson(none, random) == Lesson(1, False)
    assert guide.lesson(sure, random) == Lesson(2, True)
    drawn = [guide.lesson(unsure, random) for _ in range(300)]
    assert {lesson.learned for lesson in drawn} == {lessons != "better"}
    assert {lesson.action for lesson in drawn} == ({0, 1, 2} if lessons == "drawn" else {2})
    closed = found(2, [0.0, 1.0, 2.0], [np.inf] * 3, error=1e-6)._replace(simulations=0)
    assert guide.lesson(closed, random) == Lesson(2, True), "exact, though there was nothing to simulate"


def test_drawn_lessons_are_drawn_from_the_improved_policy() -> None:
    guide = Guide(TIGER, None, policy=Recorder(), lessons="drawn")
    result = found(2, [0.0, 1.0, 2.0], [1.0, 2.0, 1.0])
    random, counts = stream(3), np.zeros(3)
    for _ in range(4_000):
        lesson = guide.lesson(result, random)
        assert lesson.action is not None
        counts[lesson.action] += 1
    chance = improved(np.array([0.7, 0.2, 0.1]), result)
    assert np.all(abs(counts - 4_000 * chance) < 5 * np.sqrt(4_000 * chance * (1 - chance)))
    by_hand = np.array([0.7, 0.2, 0.1]) * np.exp(np.array([0.0, 1.0, 2.0]) / np.sqrt(2.0))  # noise: (1 + 4 + 1) / 3
    assert chance == pytest.approx(by_hand / by_hand.sum())


# ---------------------------------------------------------------------------------------------- what a search adds


@given(given=searched())
@settings(deadline=None, max_examples=300)
def test_what_is_made_of_a_policy_is_no_worse(given: tuple[NDArray[np.float64], SearchResult]) -> None:
    prediction, result = given
    after = improved(prediction, result)
    assert after.shape == prediction.shape
    assert after.sum() == pytest.approx(1)
    assert (after >= 0).all()
    known = ~np.isnan(result.value)
    believed = prediction[known].sum()
    mean = result.value[known] @ prediction[known] / believed if believed else result.value[known].mean()
    value = np.where(known, result.value, mean)
    assert after @ value >= prediction @ value - 1e-6


@given(given=searched())
@settings(deadline=None, max_examples=100)
def test_what_is_made_of_a_policy_where_nothing_or_all_is_noise(
    given: tuple[NDArray[np.float64], SearchResult],
) -> None:
    prediction, result = given
    actions = len(prediction)
    only = np.eye(actions)[result.action]
    prediction = (prediction + 0.1) / (prediction + 0.1).sum()
    best = np.flatnonzero(result.value == np.nanmax(result.value))
    for exact in (
        result._replace(deviation=None),
        result._replace(deviation=np.zeros(actions)),
        result._replace(error=np.full(actions, 0.1)),
    ):
        assert improved(prediction, exact).tolist() == only.tolist()
    sharp = improved(prediction, result._replace(deviation=np.full(actions, 1e-12)))
    others = [v for v in result.value if v < np.nanmax(result.value) - 1e-6]
    if len(others) + len(best) == np.count_nonzero(~np.isnan(result.value)) == actions:
        assert sharp[best].sum() == pytest.approx(1)
        assert sharp[best] == pytest.approx(prediction[best] / prediction[best].sum())
    blurred = improved(prediction, result._replace(deviation=np.full(actions, 1e12)))
    assert blurred == pytest.approx(prediction, abs=1e-6)
    unknown = improved(prediction, result._replace(deviation=np.full(actions, np.inf)))
    assert unknown.tolist() == prediction.tolist()


def test_what_was_not_tried_is_worth_what_the_policy_is() -> None:
    prediction = np.array([0.25, 0.25, 0.5])
    after = improved(prediction, found(0, [3.0, 1.0, np.nan], [1.0, 1.0, np.inf]))
    weight = prediction * np.exp([1.0, -1.0, 0.0])  # its mean is 2
    assert after == pytest.approx(weight / weight.sum())


@pytest.mark.parametrize(
    ("action", "value", "deviation", "better"),
    [
        (0, [2.0, 1.0, 5.0], [0.6, 0.7, 0.1], True),  # ahead of 1, the likely one, by 1 > 0.92; 2 is not looked at
        (0, [2.0, 1.0, 5.0], [0.8, 0.7, 0.1], False),
        (1, [1.0, 2.0, 0.0], [0.6, 0.7, 0.1], True),  # the likely one itself, against the next
        (1, [1.0, 2.0, 0.0], [0.8, 0.7, 0.1], False),
        (1, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], False),
        (0, [2.0, np.nan, 0.0], [0.1, np.inf, 0.1], False),  # nothing is known of the likely one
        (0, [2.0, 1.0, 0.0], [0.1, np.inf, 0.1], False),
        (0, [2.0, 1.0, 0.0], [np.inf, 0.1, 0.1], False),
        (0, [2.0, 2.0, 2.0], None, True),
    ],
)
def test_whether_a_search_is_sure(action: int, value: list[float], deviation: list[float] | None, better: bool) -> None:
    prediction = np.array([0.2, 0.7, 0.1])
    before = prediction.copy()
    result = found(action, value, deviation)
    assert is_better(prediction, result) == better
    assert is_better(prediction, result._replace(error=np.zeros(3)))
    assert prediction.tolist() == before.tolist()
    assert is_better(np.ones(1), found(0, [1.0], [np.inf])), "there is no other action"


# ---------------------------------------------------------------------------------------------- alone


def test_alone_it_acts_by_the_squares_of_its_probabilities() -> None:
    policy = taught("kuhn-poker", 40)
    prediction = policy.prediction
    assert 0.55 < prediction.max() < 0.999
    chance = prediction**2 / (prediction**2).sum()
    before = policy.snapshot()
    guide, alone = Guide(policy.coding, None, policy=policy), PolicyAlone(policy.coding, policy=policy)
    for planner in (guide, alone):
        random, counts = stream(5), np.zeros(len(chance))
        for _ in range(4_000):
            result = guide.act_alone(random) if planner is guide else alone.search(None, random)
            counts[result.action] += 1
            assert (result.simulations, result.visits.tolist(), result.error) == (0, [0] * len(chance), None)
            assert np.isnan(result.value).all()
        assert np.all(abs(counts - 4_000 * chance) < 5 * np.sqrt(4_000 * chance * (1 - chance)))
    assert policy.snapshot() == before


@pytest.mark.parametrize("model", ["ctw", "true"])
@pytest.mark.parametrize("planner", ["dpuct", "rhouct", "self-aixi", "majority:3"])
def test_with_no_simulations_it_acts_alone(planner: str, model: str) -> None:
    agent = build_agent("tiger", model, planner=f"{planner}+policy:learned", settings=Settings(8, 3, 20))
    one, two = stream(1), stream(1)
    result = agent.search(one, simulations=0)
    own = Guide(TIGER, None, policy=agent.planner.policy).act_alone(two)
    assert (result.action, result.simulations, draw(one)) == (own.action, 0, draw(two))
    if planner == "self-aixi":  # it always has a policy
        return
    plain = build_agent("tiger", model, planner=planner, settings=Settings(8, 3, 20))
    with pytest.raises(ValueError, match="without a policy can't decide without simulations"):
        plain.search(one, simulations=0)


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learns": False}, "the policy Wrong does not learn: name it as the rollout policy"),
        ({"reads_history": False}, "the policy Wrong learns: set reads_history = True, and read the history"),
        ({"learn": None}, "the policy Wrong learns, but has no learn: see aixi_approx.Rollout"),
        ({"trust": None, "prediction": None}, "the policy Wrong learns, but has no prediction, trust"),
        ({"addresses": RolloutAddresses(1, 1, 1, 1, 1, 1)}, "its addresses have no operation weigh: give it one"),
    ],
)
def test_a_policy_that_lacks_something_is_refused(change: dict[str, Any], message: str) -> None:
    class Bare(Rollout):
        reads_history = learns = True

        def __init__(self) -> None:
            super().__init__(TIGER)

        def choose(self, u: float) -> int:
            return 0

    members = {name: value for name, value in vars(Recorder).items() if name in ("learn", "trust", "prediction")}
    members = {name: value for name, value in {**members, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message) as caught:
        Guide(TIGER, None, policy=type("Wrong", (Bare,), members)())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "prediction", [[0.5, 0.5], [0.5, 0.6, 0.1], [1.1, -0.1, 0.0], [np.nan, 0.5, 0.5], [[0.2, 0.3, 0.5]], [1, 0, 0, 0]]
)
def test_what_is_no_prediction_is_refused(prediction: Any) -> None:
    guide = Guide(TIGER, None, policy=type("Wrong", (Recorder,), {"prediction": prediction})(), lessons="better")
    result = found(2, [0.0, 1.0, 2.0], [1.0] * 3)
    for ask in (lambda: guide.act_alone(stream(1)), lambda: guide.lesson(result, stream(1))):
        with pytest.raises(
            ValueError, match=r"^Wrong.prediction is \[.*: it must be a probability for each of 3 actions"
        ):
            ask()
    fine = Guide(TIGER, None, policy=type("Right", (Recorder,), {"prediction": [0.5, 0.25, 0.25]})())
    assert fine.act_alone(stream(1)).action in range(3)


@pytest.mark.parametrize("trust", [-0.1, 1.1, float("nan")])
def test_a_trust_out_of_range_is_refused(trust: float) -> None:
    guide = Guide(TIGER, None, policy=type("Wrong", (Recorder,), {"trust": trust})())
    with pytest.raises(ValueError, match=r"Wrong.trust is .*: it must lie in 0 to 1"):
        guide.trust(1)


def test_what_does_not_go_together_is_refused() -> None:
    policy = Recorder()
    with pytest.raises(ValueError, match="lessons mean nothing without a policy"):
        Guide(TIGER, None, policy=None, lessons="all")
    with pytest.raises(ValueError, match="lessons is 'some': it must be one of all, better, explored, drawn"):
        Guide(TIGER, None, policy=policy, lessons="some")
    with pytest.raises(ValueError, match="leave the rollout out, or take uniform"):
        Guide(TIGER, LearnedPolicy(TIGER, depth=3), policy=policy)
    for rollout, acts in ((None, True), (policy, True), (Uniform(TIGER), False)):
        guide = Guide(TIGER, rollout, policy=policy)
        assert (guide.acts, guide.reads_history, guide.trust(1)) == (acts, True, 0.5)
        assert guide.addresses().tolist() == list(policy.addresses)


# ---------------------------------------------------------------------------------------------- the agent


def test_an_agent_lets_its_planner_watch_a_teacher() -> None:
    """Its policy learns what was no random action; its model learns nothing."""
    agent = build_agent("tiger", planner="dpuct+policy:learned", settings=Settings(8, 3, 20))
    policy = LearnedPolicy(TIGER, depth=8)
    before = agent.predictor.snapshot()  # type: ignore[attr-defined]
    for action, lesson in ((0, True), (2, False), (1, True)):
        agent.watch(action, Percept(1, -1), lesson=lesson)
        if lesson:
            policy.learn(action)
        else:
            policy.extend(encode(action, 2))
        policy.extend(TIGER.cycle(action, 1, -1)[2:])
    assert agent.planner.policy.snapshot() == policy.snapshot()
    assert (agent.predictor.snapshot(), agent.cycle) == (before, 0)  # type: ignore[attr-defined]
    for action, percept in ((3, Percept(1, -1)), (0, Percept(1, 11)), (0, Percept(9, -1))):
        with pytest.raises(ValueError, match=r"there is no action|the reward|does not fit"):
            agent.watch(action, percept, lesson=True)
    assert agent.planner.policy.snapshot() == policy.snapshot()


def test_a_planner_without_a_policy_learns_none() -> None:
    agent = build_agent("tiger", settings=Settings(8, 3, 20))
    assert agent.distil(1) == 0
    assert agent.planner.lesson(found(2, [0.0, 1.0, 2.0], None), stream(1)) == Lesson(2, False)


# ---------------------------------------------------------------------------------------------- found by breaking


@pytest.mark.parametrize("planner", ["dpuct+policy:learned+rule:prior", "rhouct+policy:learned", "policy-alone"])
@pytest.mark.parametrize("model", ["ctw", "true"])
def test_a_policy_of_another_environment_is_refused(planner: str, model: str) -> None:
    """Compiled code would write past the end of an array."""
    other = LearnedPolicy(make("cheese-maze").coding, depth=4)
    with pytest.raises(ValueError, match="LearnedPolicy was made for another environment: its actions or percepts"):
        build_planner("tiger", planner, model=model, policy=other)


def test_a_policy_that_means_nothing_is_refused() -> None:
    policy: Any = LearnedPolicy(TIGER, depth=4)
    for planner in ("dpuct", "q-learning"):
        with pytest.raises(ValueError, match=f"{planner} takes no policy: write"):
            build_planner("tiger", planner, policy=policy)
    policy = "learned"
    with pytest.raises(ValueError, match="policy is 'learned': give one that has learned"):
        build_planner("tiger", "policy-alone", policy=policy)


@pytest.mark.parametrize("planner", ["dpuct", "rhouct", "rhouct+majority:3", "majority:3", "pooled:3"])
@pytest.mark.parametrize("model", ["ctw", "true"])
def test_what_a_trial_found_holds_for_searches_that_are_joined(planner: str, model: str) -> None:
    """Each of them has a share of the simulations; it is that share that was tried."""
    name, _, join = planner.rpartition("+")
    text = f"{planner}+policy:learned" if not join or "+" not in planner else f"{name}+{join}+policy:learned"
    agent = build_agent("tiger", model, planner=text, settings=make("tiger").settings._replace(simulations=90))
    planners = getattr(agent.planner, "planners", (agent.planner,))
    policy: Any = planners[0].policy
    for _ in range(400):
        action, reward = (0, -1) if not policy.helps(1 if policy._standings else 30) else (1, -100)
        agent.observe(action, Percept(1 if action == 0 else 0, reward))
    assert not policy._standing.trial.helps
    asked: list[int] = []
    told = type(policy).helps
    with agent.evaluation():
        policy.helps = lambda simulations: asked.append(simulations) or told(policy, simulations)  # type: ignore[func-returns-value]
        agent.act(explore=False)
        assert asked
        assert all(told(policy, simulations) == 0 for simulations in asked)
        del policy.helps


def test_a_lesson_that_is_refused_leaves_nothing_behind() -> None:
    agent = build_agent("tiger", planner="dpuct+policy:learned")
    policy: Any = agent.planner.policy
    before = policy.snapshot()
    with pytest.raises(ValueError, match="there is no action 7"):
        agent.distil(7)
    assert policy.snapshot() == before
    agent.observe(0, Percept(1, -1))
    agent.distil(0)
    with pytest.raises(ValueError, match="the policy has learned the action 0, and 1 was taken"):
        agent.observe(1, Percept(0, 10))


@pytest.mark.parametrize("actions", [1, 3, 5, 300])
def test_a_policy_without_a_lesson_is_uniform(actions: int) -> None:
    coding = Coding(actions, max(1, (actions - 1).bit_length()), 1, 1, 0, 1)
    guide = Guide(coding, None, policy=LearnedPolicy(coding, depth=3))
    chosen = [guide.act_alone(stream(seed)).action for seed in range(40 * actions)]
    counts = np.bincount(chosen, minlength=actions)
    assert counts.min() >= 15
    assert counts.max() <= 75


@pytest.mark.parametrize("loss", [np.inf, np.nan, -1.0])
def test_a_loss_that_is_none_is_refused(loss: float) -> None:
    policy = type("Wrong", (Recorder,), {"learn": lambda self, action: loss})()
    with pytest.raises(ValueError, match=r"Wrong.learn\(1\) returned .*: it must be"):
        Guide(TIGER, None, policy=policy).distil(1)


@pytest.mark.parametrize("helps", [np.nan, -5.0, 9.0])
def test_help_out_of_range_is_refused(helps: float) -> None:
    policy = type("Wrong", (Recorder,), {"helps": lambda self, simulations: helps})()
    with pytest.raises(ValueError, match=r"Wrong.helps\(10\) returned .*: it must lie in 0 to 1"):
        Guide(TIGER, None, policy=policy).trust(10)
