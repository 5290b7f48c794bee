"""Searches guided by a policy: against their twins draw for draw, and what a policy must not change."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainSearch, PlainStateSearch
from reference_dp import PlainDPSearch
from reference_graph import PlainGraphSearch
from reference_policy import PlainPolicy, taught
from test_dp_uct import agree
from test_graph_uct import compare, lived
from test_rho_uct import live, same

from aixi_approx.builder import build_agent, build_planner
from aixi_approx.coding import encode
from aixi_approx.environment import Settings
from aixi_approx.envs import make
from aixi_approx.interaction import interact
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planners import dp_uct, graph_uct
from aixi_approx.planners.dp_uct import DPUCT
from aixi_approx.planners.graph_uct import GraphUCT
from aixi_approx.planners.pouct import POUCT, OnePlyPOUCT
from aixi_approx.planners.rho_uct import OnePly, RhoUCT
from aixi_approx.planners.self_aixi import SelfAImu, SelfAIXI
from aixi_approx.pomdp.definition import POMDP
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import draw, stream
from aixi_approx.rollouts.learned import LearnedPolicy
from aixi_approx.rollouts.uniform import Uniform

NAMES = ("coin-flip", "1d-maze", "tiger", "kuhn-poker", "biased-rps", "4x4-grid", "cheese-maze")
BELIEFS = ("coin-flip", "1d-maze", "tiger", "kuhn-poker", "biased-rps", "4x4-grid", "locks:2")
GUIDED = ("follow", "prior", "ucb", "spread", "round-robin")
SHORT = Settings(depth=12, horizon=3, simulations=30, epsilon=0.3, decay=0.9)
TRUSTED = 150  # lessons


def searching(name: str, model: str, planner: str, policy: bool = True, lessons: int = TRUSTED) -> tuple[Planner, Any]:
    """A planner with a policy that was taught something, and a model after some cycles."""
    text = planner if "horizon" in planner else f"{planner}+horizon:3"
    text += "+simulations:60" + "+depth:12+policy:learned" * policy
    made = build_planner(name, text, model=model)
    predictor = live(name, 40)[1] if model == "ctw" else lived(name, 3)[1]
    if policy:
        for each in getattr(made, "planners", (made,)):
            give(each, taught(name, lessons))
        made.policy = getattr(made, "planners", (made,))[0].policy
    return made, predictor


def give(planner: Any, policy: LearnedPolicy) -> None:
    """Put another policy in the place of the one that a planner has."""
    guide = planner.guide
    if guide.rollout is guide.policy:
        guide.rollout = policy
    guide.policy = guide._reader = planner.policy = policy


# ---------------------------------------------------------------------------------------------- the twins


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 40),
    lessons=st.sampled_from([0, 30, TRUSTED]),
    horizon=st.integers(1, 4),
    simulations=st.integers(1, 150),
    ucb=st.sampled_from([0.0, 0.5, 1.0]),
    rule=st.sampled_from(GUIDED),
    uniform=st.booleans(),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=150)
def test_dpuct_equals_the_plain_search(
    name: str,
    cycles: int,
    lessons: int,
    horizon: int,
    simulations: int,
    ucb: float,
    rule: str,
    uniform: bool,
    seed: int,
) -> None:
    coding, tree = live(name, cycles)
    policy, other = taught(name, lessons), taught(name, lessons)
    rollout = Uniform(coding) if uniform else None
    planner = DPUCT(coding, horizon, simulations=simulations, ucb=ucb, rule=rule, policy=policy, rollout=rollout)
    found = planner.search(tree, stream(seed))
    trust = other.trust
    share = trust / 2 if rule == "follow" else 0.0 if uniform else trust
    plain = PlainDPSearch(
        coding, horizon, ucb, rule, tree, stream(seed), other, trust=trust, share=share, acts=not uniform
    )
    assert found.simulations == plain.run(simulations)
    agree(found, plain)
    assert policy.snapshot() == other.snapshot() == taught(name, lessons).snapshot()


@pytest.mark.parametrize("rule", GUIDED)
@pytest.mark.parametrize("name", ["tiger", "cheese-maze"])
def test_dpuct_equals_the_plain_search_over_many_simulations(name: str, rule: str) -> None:
    coding, tree = live(name, 100)
    policy = taught(name)
    found = DPUCT(coding, 3, simulations=1_500, ucb=0.3, rule=rule, policy=policy).search(tree, stream(1))
    share = policy.trust / 2 if rule == "follow" else policy.trust
    assert 0.1 < share < 0.95
    plain = PlainDPSearch(coding, 3, 0.3, rule, tree, stream(1), policy, trust=policy.trust, share=share)
    plain.run(1_500)
    agree(found, plain)


@given(
    name=st.sampled_from(BELIEFS),
    cycles=st.integers(0, 5),
    lessons=st.sampled_from([0, 30, TRUSTED]),
    horizon=st.integers(1, 6),
    simulations=st.integers(1, 150),
    ucb=st.sampled_from([0.0, 0.35, 1.0]),
    rule=st.sampled_from(GUIDED),
    leaves=st.sampled_from(["exact", "sampled"]),
    uniform=st.booleans(),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=150)
def test_dpuct_on_beliefs_equals_the_plain_search(
    name: str,
    cycles: int,
    lessons: int,
    horizon: int,
    simulations: int,
    ucb: float,
    rule: str,
    leaves: str,
    uniform: bool,
    seed: int,
) -> None:
    pomdp, model = lived(name, cycles)
    policy, other = taught(name, lessons), taught(name, lessons)
    uniform |= leaves == "exact"
    planner = GraphUCT(
        pomdp,
        horizon,
        simulations=simulations,
        ucb=ucb,
        rule=rule,
        policy=policy,
        rollout=Uniform(pomdp.coding) if uniform else None,
        leaves=leaves,
    )
    found = planner.search(model, stream(seed))
    trust = other.trust
    plain = PlainGraphSearch(
        pomdp,
        model.belief,
        horizon,
        stream(seed),
        rule=rule,
        ucb=ucb,
        exact=leaves == "exact",
        policy=other,
        trust=trust,
        share=trust / 2 if rule == "follow" else 0.0 if uniform else trust,
        acts=not uniform,
    )
    plain.run(simulations)
    compare(found, plain)
    assert policy.snapshot() == other.snapshot() == taught(name, lessons).snapshot()


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("rule", ["follow", "prior"])
@pytest.mark.parametrize("name", ["extended-tiger", "4x4-grid"])
def test_dpuct_on_beliefs_equals_the_plain_search_over_many_simulations(name: str, rule: str, uniform: bool) -> None:
    pomdp, model = lived(name, 2)
    policy, rollout = taught(name), Uniform(pomdp.coding) if uniform else None
    options: dict[str, Any] = {"rule": rule, "ucb": 0.7}
    planner = GraphUCT(pomdp, 6, simulations=200, policy=policy, rollout=rollout, leaves="sampled", **options)
    trust = policy.trust
    assert trust > 0.2
    plain = PlainGraphSearch(
        pomdp,
        model.belief,
        6,
        stream(1),
        exact=False,
        policy=policy,
        trust=trust,
        share=trust / 2 if rule == "follow" else 0.0 if uniform else trust,
        acts=not uniform,
        **options,
    )
    found = planner.search(model, stream(1))
    plain.run(200)
    compare(found, plain)
    assert found.simulations > 100


@given(
    name=st.sampled_from(NAMES[:-1]),
    cycles=st.integers(0, 40),
    lessons=st.sampled_from([0, 30, TRUSTED]),
    horizon=st.integers(1, 4),
    simulations=st.integers(1, 60),
    kind=st.sampled_from(["rhouct", "one-ply", "self-aixi"]),
    model=st.sampled_from(["ctw", "true"]),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=100)
def test_rhouct_and_self_aixi_equal_the_plain_search(
    name: str, cycles: int, lessons: int, horizon: int, simulations: int, kind: str, model: str, seed: int
) -> None:
    policy, other = taught(name, lessons), taught(name, lessons)
    kinds: dict[str, Any] = {
        "rhouct": (RhoUCT, POUCT),
        "one-ply": (OnePly, OnePlyPOUCT),
        "self-aixi": (SelfAIXI, SelfAImu),
    }
    guide: dict[str, Any] = {
        "policy": other,
        "share": 1.0 if kind == "self-aixi" else other.trust,
        "rule": "round-robin" if kind == "self-aixi" else "ucb",
        "plies": None if kind == "rhouct" else 1,
    }
    plain: PlainSearch
    if model == "ctw":
        coding, tree = live(name, cycles)
        planner = kinds[kind][0](coding, horizon, simulations=simulations, policy=policy)
        found = planner.search(tree, stream(seed))
        plain = PlainSearch(coding, horizon, 2**0.5, tree, stream(seed), **guide)
    else:
        pomdp, truth = lived(name, cycles % 5)
        planner = kinds[kind][1](pomdp, horizon, simulations=simulations, policy=policy)
        found = planner.search(truth, stream(seed))
        plain = PlainStateSearch(pomdp, truth.belief, horizon, 2**0.5, stream(seed), **guide)
    plain.run(simulations)
    for action in range(len(found.visits)):
        assert found.visits[action] == plain.visits.get((action,), 0)
        if found.visits[action]:
            assert found.value[action] == pytest.approx(plain.value[action,], rel=1e-12, abs=1e-12)
    assert policy.snapshot() == other.snapshot() == taught(name, lessons).snapshot()


def test_a_policy_in_python_gives_the_same_search() -> None:
    """By callbacks, `weigh` among them; only what it chooses itself may differ by rounding."""
    name = "kuhn-poker"
    coding, tree = live(name, 20)
    fast, slow = LearnedPolicy(coding, depth=6), PlainPolicy(coding, 6)
    for lesson in range(40):
        for policy in (fast, slow):
            policy.learn(lesson % 2)
            policy.extend(encode(lesson % (1 << coding.percept_bits), coding.percept_bits))
    assert fast.trust == pytest.approx(slow.trust)
    kinds: list[Any] = [
        *((DPUCT, coding, tree, {"rule": rule}) for rule in ("follow", "prior", "ucb")),
        *((kind, coding, tree, {}) for kind in (RhoUCT, SelfAIXI)),
        *((GraphUCT, make(name), TrueModel(make(name)), {"rule": rule}) for rule in ("follow", "prior")),
        (GraphUCT, make(name), TrueModel(make(name)), {"leaves": "sampled"}),
        *((kind, make(name), TrueModel(make(name)), {}) for kind in (POUCT, SelfAImu)),
    ]
    for kind, of, model, options in kinds:
        found, plain = (
            kind(of, 3, simulations=15, policy=policy, **options).search(model, stream(5)) for policy in (fast, slow)
        )
        assert found.visits.tolist() == plain.visits.tolist()
        assert np.allclose(found.value, plain.value, rtol=1e-9, equal_nan=True)
        assert slow.marks == []


# ---------------------------------------------------------------------------------------------- what it must not change

SEARCHES = [
    *(("ctw", f"{planner}+rule:{rule}") for planner in ("dpuct",) for rule in GUIDED),
    *(("ctw", planner) for planner in ("dpuct", "rhouct", "rhouct+rule:round-robin", "one-ply", "flat", "self-aixi")),
    *(("true", f"{planner}+rule:{rule}") for planner in ("dpuct", "dpuct+leaves:sampled") for rule in GUIDED),
    *(("true", planner) for planner in ("dpuct", "dpuct+leaves:sampled", "rhouct", "one-ply", "flat", "self-aixi")),
    *(itertools.product(("ctw", "true"), ("majority:3", "rhouct+pooled:2", "dpuct+rollout:uniform"))),
]


@pytest.mark.parametrize(("model", "planner"), SEARCHES)
def test_a_search_repeats_itself_and_leaves_model_and_policy_as_they_were(model: str, planner: str) -> None:
    for name in ("tiger", "4x4-grid"):
        search, predictor = searching(name, model, planner)
        policy = search.policy
        before = policy.snapshot(), repr(predictor.snapshot() if model == "ctw" else predictor.belief)
        results = [search.search(predictor, stream(seed)) for seed in (1, 2, 1)]
        assert same(results[0], results[2])
        after = policy.snapshot(), repr(predictor.snapshot() if model == "ctw" else predictor.belief)
        assert after == before
        fresh, other = searching(name, model, planner)
        assert same(fresh.search(other, stream(1)), results[0])


UNMOVED = ("round-robin", "dpuct+rule:ucb", "dpuct+rule:spread")  # with exact leaves there is nothing to follow


@pytest.mark.parametrize(("model", "planner"), [(m, p) for m, p in SEARCHES if m == "ctw" or not p.endswith(UNMOVED)])
def test_a_policy_that_is_trusted_changes_a_search(model: str, planner: str) -> None:
    """So the other tests are about something; that it is trusted more or less is seen, too."""
    found = []
    for lessons in (TRUSTED, 30, 0):
        search, predictor = searching("extended-tiger", model, planner + "+horizon:6", lessons=lessons)
        assert (search.policy.trust > 0) == (lessons > 0)
        results = [search.search(predictor, stream(seed), simulations=40) for seed in range(3)]
        found.append([(result.value.tolist(), result.visits.tolist()) for result in results])
    assert found[0] != found[1] != found[2] != found[0]


@pytest.mark.parametrize("planner", ["dpuct", "dpuct+rule:prior", "dpuct+rule:ucb", "rhouct", "one-ply", "self-aixi"])
@pytest.mark.parametrize("name", ["tiger", "kuhn-poker", "cheese-maze"])
def test_the_memo_changes_nothing(name: str, planner: str) -> None:
    """Nor does one that is carried over cycles in which the policy learns."""
    environment = make(name)
    environment.reset(3)
    coding, tree = live(name, 40)
    planners: list[Any] = []
    for memo in ("true", "false"):
        planners.append(build_planner(name, f"{planner}+horizon:4+simulations:80+policy:learned+memo:{memo}"))
        give(planners[-1], taught(name))
    carried = 0
    for t in range(15):
        one, other = (each.search(tree, stream(3, t)) for each in planners)
        assert same(one, other)
        percept = environment.step(one.action)
        bits = coding.cycle(one.action, *percept)
        for each in planners:
            if t % 4:
                each.distil(one.action)
            each.advance(one.action, bits[coding.action_bits :])
        tree.learn(bits)
        carried += planners[0]._root > 1
    assert carried > 5
    assert planners[0].policy.snapshot() == planners[1].policy.snapshot() != taught(name).snapshot()


@pytest.mark.parametrize("options", [{"rule": "follow"}, {"rule": "prior"}, {"leaves": "sampled"}])
def test_a_search_on_beliefs_does_not_depend_on_the_room_it_has(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on the searches before it, nor on how it is cut into chunks."""
    pomdp, model = lived("extended-tiger", 2)

    def new() -> GraphUCT:
        return GraphUCT(pomdp, 9, simulations=500, policy=taught("extended-tiger"), **options)

    used = new()
    first = used.search(model, stream(1))
    used.search(model, stream(2), simulations=3_000)
    assert same(used.search(model, stream(1)), first)
    monkeypatch.setattr(graph_uct, "FIRST_ROOM", (2, 2, 2))
    cut = new()
    cut._slices.seconds = 0.0
    assert same(cut.search(model, stream(1)), first)


@pytest.mark.parametrize("rule", GUIDED)
def test_a_search_on_histories_does_not_depend_on_the_room_it_has(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    coding, tree = live("tiger", 50)

    def search() -> SearchResult:
        planner = DPUCT(coding, 4, simulations=600, rule=rule, policy=taught("tiger"))
        planner._slices.seconds = 0.0
        return planner.search(tree, stream(1))

    roomy = search()
    monkeypatch.setattr(dp_uct, "FIRST_ROOM", 1)
    assert same(search(), roomy)
    monkeypatch.setattr(DPUCT, "MOST_BYTES", 0)  # it goes on without room
    full = search()
    assert full.visits.sum() == 600
    assert tree.snapshot() == live("tiger", 50)[1].snapshot()


# ---------------------------------------------------------------------------------------------- without trust


@pytest.mark.parametrize(
    ("model", "planner"),
    [
        *(
            ("ctw", planner)
            for planner in ("dpuct", "dpuct+rule:spread", "rhouct", "one-ply", "flat", "dpuct+stop:certain")
        ),
        *(
            ("true", planner)
            for planner in ("dpuct", "dpuct+leaves:sampled", "dpuct+rule:ucb", "rhouct", "one-ply", "flat")
        ),
        *(itertools.product(("ctw", "true"), ("majority:3", "one-ply+pooled:2"))),
    ],
)
def test_a_policy_without_a_lesson_changes_nothing(model: str, planner: str) -> None:
    """The rule `follow` is by default what the search is without a policy, draw for draw."""
    for name in ("tiger", "kuhn-poker", "4x4-grid"):
        (plain, predictor), (guided, other) = (
            searching(name, model, planner, policy=policy, lessons=0) for policy in (False, True)
        )
        for seed in range(4):
            one, two = stream(seed), stream(seed)
            assert same(plain.search(predictor, one), guided.search(other, two))
            assert draw(one) == draw(two), "as many numbers were drawn"


@pytest.mark.parametrize("planner", ["dpuct", "dpuct+rule:prior", "rhouct", "self-aixi", "majority:2"])
def test_what_the_policy_learns_is_nothing_to_the_model(planner: str) -> None:
    """After the same cycles it is the same to the last bit."""
    name = "kuhn-poker"
    environment = make(name)
    agent = build_agent(environment, planner=f"{planner}+policy:learned", settings=SHORT, seed=3)
    rows = list(interact(agent, environment, cycles=60))
    assert sum(row.lesson for row in rows) > 30
    assert agent.planner.policy.lessons == sum(row.lesson for row in rows)
    other, environment = build_agent(name, planner="random", settings=SHORT), make(name)
    plain = live(name, 0, depth=12)[1]
    for row in rows:
        plain.learn(environment.coding.cycle(row.action, row.observation, row.reward))
    assert agent.predictor.snapshot() == plain.snapshot()  # type: ignore[attr-defined]
    assert other.planner.policy is None


@pytest.mark.parametrize("model", ["ctw", "true"])
def test_threads_change_nothing_and_all_policies_stay_equal(model: str) -> None:
    lives = []
    for threads in (1, 2, 3):
        environment = make("tiger")
        environment.reset(2)
        agent = build_agent(
            environment, model, planner="majority:3+policy:learned", settings=SHORT, seed=3, threads=threads
        )
        lives.append(list(interact(agent, environment, cycles=40)))
        planners: Any = agent.planner.planners  # type: ignore[attr-defined]
        assert len(planners) == threads
        assert len({each.policy.snapshot() for each in planners}) == 1
        assert len({id(each.policy) for each in planners}) == threads
        assert agent.planner.policy.lessons == sum(row.lesson for row in lives[-1]) > 20
    assert lives[0] == lives[1] == lives[2]


# ---------------------------------------------------------------------------------------------- what it is good for


def certain_of(pomdp: POMDP, plan: list[int]) -> LearnedPolicy:
    """A policy that was taught to act by a plan, over and over, from the start."""
    policy, coding = LearnedPolicy(pomdp.coding, depth=24), pomdp.coding
    for episode in range(60):
        pomdp.reset(episode)
        for action in plan:
            policy.learn(action)
            policy.extend(coding.cycle(action, *pomdp.step(action))[coding.action_bits :])
    return policy


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("true", {}),
        *(("true", {"leaves": "sampled", "rule": rule}) for rule in ("follow", "prior")),
        *(("ctw", {"rule": rule}) for rule in ("follow", "prior")),
    ],
)
def test_a_policy_that_is_certain_of_a_plan_makes_the_search_find_it(model: str, options: dict[str, Any]) -> None:
    """A door opens after what was heard and two locks; forty simulations find little of that by themselves."""
    pomdp, horizon, plan = make("locks:2"), 10, []
    assert isinstance(pomdp, POMDP)
    pomdp.reset(0)
    truth = TrueModel(pomdp)
    for left in range(horizon, 0, -1):
        plan.append(GraphUCT(pomdp, left, simulations=20_000).search(truth, stream(1)).action)
        truth.learn(pomdp.coding.cycle(plan[-1], *pomdp.step(plan[-1])))
    policy = certain_of(pomdp, plan)
    kind, of = (GraphUCT, pomdp) if model == "true" else (DPUCT, pomdp.coding)
    found = []
    for guide in ({**options, "policy": policy}, {name: value for name, value in options.items() if name != "rule"}):
        search = kind(of, horizon, simulations=40, **guide)  # type: ignore[arg-type]
        values = [np.nanmax(search.search(TrueModel(pomdp), stream(seed)).value) for seed in range(30)]
        found.append(float(np.mean(values)))
    assert found[0] > found[1] + 10
