"""AImu against its twins: a plain recursive search on the same random stream, and exact expectimax."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainStateSearch, true_expectimax

from aixi_approx.envs import make
from aixi_approx.planners.pouct import POUCT
from aixi_approx.pomdp.definition import POMDP, Outcome
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

NAMES = ("coin-flip", "1d-maze", "cheese-maze", "tiger", "4x4-grid", "tic-tac-toe", "biased-rps", "kuhn-poker")


def lived(name: str, cycles: int, seed: int = 1) -> tuple[POMDP, TrueModel]:
    """An environment and its true model, after some random cycles."""
    pomdp = make(name)
    assert isinstance(pomdp, POMDP)
    pomdp.reset(seed)
    model = TrueModel(pomdp)
    for action in np.random.default_rng(seed).integers(len(pomdp.actions), size=cycles).tolist():
        model.learn(pomdp.coding.cycle(action, *pomdp.step(action)))
    return pomdp, model


@given(
    name=st.sampled_from(NAMES),
    cycles=st.integers(0, 5),
    horizon=st.integers(1, 6),
    simulations=st.integers(1, 300),
    plies=st.integers(1, 6),
    ucb=st.sampled_from([0.0, 0.3, 2.0**0.5]),
    seed=st.integers(0, 2**64),
)
@settings(deadline=None, max_examples=60)
def test_equals_the_plain_search(
    name: str, cycles: int, horizon: int, simulations: int, plies: int, ucb: float, seed: int
) -> None:
    pomdp, model = lived(name, cycles)
    plies = min(plies, horizon)
    found = POUCT(pomdp, horizon, simulations=simulations, ucb=ucb, plies=plies).search(model, stream(seed))
    plain = PlainStateSearch(pomdp, model.belief, horizon, ucb, stream(seed), plies)
    plain.run(simulations)
    for action in range(len(pomdp.actions)):
        assert found.visits[action] == plain.visits.get((action,), 0)
        if found.visits[action]:
            assert found.value[action] == plain.value[action,]
    assert found.value[found.action] == np.nanmax(found.value)
    assert found.simulations == simulations


@pytest.mark.parametrize(
    ("name", "horizon"), [("coin-flip", 3), ("1d-maze", 4), ("biased-rps", 3), ("tiger", 3), ("kuhn-poker", 3)]
)
def test_tends_to_expectimax(name: str, horizon: int) -> None:
    pomdp, model = lived(name, 3)
    belief = {pomdp.states[s]: p for s, p in zip(*model.belief, strict=True)}
    exact = np.array(true_expectimax(pomdp, horizon, belief))
    scale = horizon * (pomdp.max_reward - pomdp.min_reward)
    errors = []
    for simulations in (100, 10_000, 300_000):
        planner = POUCT(pomdp, horizon, simulations=simulations, ucb=0.3)
        found = [planner.search(model, stream(seed, simulations)) for seed in range(3)]
        errors.append(np.mean([abs(f.value[f.action] - exact.max()) / scale for f in found]))
    assert errors[2] < errors[0]
    assert errors[2] < 0.004
    assert all(exact[f.action] > exact.max() - 0.01 * scale for f in found)


def test_one_search_says_nothing_to_the_next() -> None:
    pomdp, model = lived("tiger", 3)
    planner = POUCT(pomdp, 5, simulations=1_000)
    first = planner.search(model, stream(1))
    planner.search(model, stream(2), simulations=3_000)
    assert repr(planner.search(model, stream(1))) == repr(first)


def test_a_search_cut_into_chunks_is_the_same_search() -> None:
    pomdp, model = lived("tiger", 3)
    whole, cut = POUCT(pomdp, 4, simulations=300), POUCT(pomdp, 4, simulations=300)
    cut._slices.seconds = 0.0
    assert repr(whole.search(model, stream(1))) == repr(cut.search(model, stream(1)))


def test_a_search_with_a_time_is_the_search_of_as_many_simulations() -> None:
    pomdp, model = lived("tiger", 3)
    soon = POUCT(pomdp, 4, simulations=1 << 30, seconds=1e-9).search(model, stream(1))
    assert soon.simulations == soon.visits.sum() == 1
    whole, patient = POUCT(pomdp, 4, simulations=3_000), POUCT(pomdp, 4, simulations=3_000, seconds=1e9)
    for seed in (1, 2):
        assert repr(patient.search(model, stream(seed), simulations=7)) == repr(whole.search(model, stream(seed)))
    some = POUCT(pomdp, 4, simulations=1 << 30, seconds=0.02).search(model, stream(1))
    assert repr(POUCT(pomdp, 4, simulations=some.simulations).search(model, stream(1))) == repr(some)


class Many(POMDP):
    """A percept of 64 tells what pays in the next cycle: children that differ in percept and action alone."""

    actions = tuple(range(4))
    observations = tuple(range(64))
    min_reward, max_reward = 0, 1

    def start(self) -> dict[int, float]:
        return dict.fromkeys(range(64), 1 / 64)

    def outcomes(self, state: int, action: int) -> list[Outcome]:
        return [Outcome(1 / 64, later, later, int(state % 4 == action)) for later in range(64)]


def test_every_percept_has_a_node_of_its_own() -> None:
    """128 percepts after each action: a table of children that confused any two would value the second action less."""
    pomdp = Many()
    found = POUCT(pomdp, 2, simulations=400_000, ucb=0.3).search(TrueModel(pomdp), stream(1))
    assert found.value[found.action] == pytest.approx(1.25, abs=0.03)
    assert found.visits.sum() == 400_000


@pytest.mark.parametrize(
    "wrong",
    [
        *({"horizon": 0}, {"horizon": 2.5}, {"simulations": 0}, {"ucb": -1.0}, {"ucb": float("nan")}),
        *({"seconds": 0}, {"seconds": float("nan")}, {"seconds": float("inf")}),
    ],
)
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        POUCT(make("tiger"), **{"horizon": 2, "simulations": 10, **wrong})  # type: ignore[arg-type]
