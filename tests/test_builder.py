"""Agents out of models and planners: contracts of all of them, runs that go on, and how near the best they come."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from test_recording import lasting

from aixi_approx.agent import Agent
from aixi_approx.builder import build_agent, build_planner, mc_aixi
from aixi_approx.environment import Environment, Percept, Schedule, Settings
from aixi_approx.envs import make
from aixi_approx.experiments.experiment import Experiment
from aixi_approx.experiments.running import run
from aixi_approx.interaction import Row, evaluate, interact
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.planners import PLANNERS, planner_class
from aixi_approx.planners.pouct import POUCT
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.planners.root_parallel import RootParallel
from aixi_approx.pomdp.markov_chain import long_run_reward
from aixi_approx.predictors import PREDICTORS
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.predictors.true_model import TrueModel
from aixi_approx.randomness import stream

SHORT = Settings(depth=12, horizon=2, simulations=8, epsilon=0.5, decay=0.97)
SCHEDULE = Schedule(30, evaluation_simulations=4)
MODELS = tuple(PREDICTORS)
MODEL_FREE = [name for name in PLANNERS if planner_class(name).model_free]
REPEATABLE = [*PLANNERS, "majority:3", "pooled:3"]
COUNTING = ("dpuct", "rhouct", "one-ply", "flat", "self-aixi", "majority:3", "pooled:3")
ENDING = ("dpuct", "majority:3", "pooled:3")  # on the true model, once they have seen everything
AGENTS = [(m, p) for m in MODELS for p in REPEATABLE if m == "ctw" or p not in MODEL_FREE]
each_agent = pytest.mark.parametrize(("model", "planner"), AGENTS)


def test_which_there_are() -> None:
    assert MODELS == ("ctw", "true")
    assert tuple(PLANNERS) == (
        "dpuct",
        "rhouct",
        "one-ply",
        "flat",
        "expectimax",
        "self-aixi",
        "policy-alone",
        "q-learning",
        "aiqi",
        "random",
    )
    assert MODEL_FREE == ["q-learning", "aiqi", "random"]


# What holds for all.


@each_agent
def test_a_search_changes_nothing_and_repeats_itself(model: str, planner: str) -> None:
    environment = make("kuhn-poker")
    agent = build_agent(environment, model, planner=planner, settings=SHORT, seed=3)
    rows = list(interact(agent, environment, cycles=20))
    decisions = [agent.act(explore=False, simulations=50) for _ in range(2)]
    assert repr(decisions[0]) == repr(decisions[1])
    counts = {row.simulations for row in rows if not row.explored}
    if model == "true" and planner in ENDING:
        assert counts == {2 if planner == "dpuct" else 6}
    else:
        assert counts == {8 if planner in COUNTING else 0}
    environment.reset(0)
    assert (
        list(interact(build_agent(environment, model, planner=planner, settings=SHORT, seed=3), environment, cycles=20))
        == rows
    )


@each_agent
@pytest.mark.parametrize("learn", [False, True])
def test_evaluation_leaves_no_trace(model: str, planner: str, learn: bool) -> None:
    lives: list[list[Row]] = []
    for cut in (0, 5, None):
        environment = make("biased-rps")
        agent = build_agent(environment, model, planner=planner, settings=SHORT, seed=3)
        rows = list(interact(agent, environment, cycles=30))
        evaluation = evaluate(agent, make("biased-rps"), cycles=20, learn=learn)
        seen = list(itertools.islice(evaluation, cut))
        evaluation.close()
        assert {row.explored for row in seen} <= {0}
        if model == "ctw":
            assert {row.log_loss > 0 for row in seen} <= {learn and planner not in MODEL_FREE}
        lives.append(rows + list(interact(agent, environment, cycles=30)))
    assert lives[0] == lives[1] == lives[2]


@each_agent
def test_what_was_stopped_goes_on_to_the_same_bytes(model: str, planner: str, tmp_path: Path) -> None:
    experiment = Experiment(
        "kuhn-poker",
        SHORT,
        SCHEDULE,
        PlannerSpec.parse(planner),
        model,
        evaluate=15,
        seed=3,
        learn_in_evaluation=planner != "rhouct",
    )
    run(experiment, tmp_path / "whole")
    whole = lasting(tmp_path / "whole")
    assert whole["result"]["model"] == model
    for part, kept in (("learning", 400), ("evaluation", 200)):
        folder = tmp_path / part
        run(experiment, folder)
        (folder / "result.json").unlink()
        content = (folder / f"{part}.csv").read_bytes()
        assert len(content) > kept
        (folder / f"{part}.csv").write_bytes(content[:kept])
        if part == "learning":
            (folder / "evaluation.csv").unlink()
        run(experiment, folder)
        assert lasting(folder) == whole
    predicts = planner not in MODEL_FREE
    assert (whole["result"]["log_loss_end"] is not None) == predicts
    written = json.loads((folder / "manifest.json").read_text())["options"]["planner"]
    assert str(PlannerSpec(**written)) == planner


def test_mc_aixi_is_a_context_tree_and_a_search() -> None:
    rows = []
    coding = make("tiger").coding
    by_hand = Agent(
        coding,
        FactoredContextTree(9, 2, 9),
        planner=RhoUCT(coding, 3, simulations=7, ucb=0.5),
        epsilon=0.3,
        decay=0.99,
        seed=2,
    )
    options = {"depth": 9, "horizon": 3, "simulations": 7, "epsilon": 0.3, "decay": 0.99}
    for agent in (by_hand, mc_aixi(make("tiger"), seed=2, ucb=0.5, **options)):  # type: ignore[arg-type]
        rows.append(list(interact(agent, make("tiger"), cycles=40)))
    assert rows[0] == rows[1]


def test_options_reach_those_they_are_for() -> None:
    environment = make("tiger")
    for model in MODELS:
        plies = [
            build_agent(environment, model, planner=PlannerSpec(planner, ucb=0.5), settings=SHORT).planner._plan  # type: ignore[attr-defined]
            for planner in ("rhouct", "one-ply")
        ]
        assert [(plan.plies, plan.horizon, plan.ucb) for plan in plies] == [(2, 2, 0.5), (1, 2, 0.5)]
    exact = build_agent(environment, "ctw", planner="expectimax+prune:0.03", settings=SHORT).planner
    assert (exact.prune, exact.horizon) == (0.03, 2)  # type: ignore[attr-defined]
    agent = build_agent(environment, "ctw", planner="q-learning+memory-cycles:1", settings=SHORT, seed=5)
    assert (agent.epsilon, agent.decay, agent.seed) == (0.5, 0.97, 5)
    for cycle in range(3):
        agent.observe(0, Percept(cycle, -1))
    assert len(agent.predictor._values) == 3  # type: ignore[attr-defined]  # the empty one and two of one cycle
    without = build_agent(environment, planner=PlannerSpec(memo=False)).planner
    assert without._plan.memo is False  # type: ignore[attr-defined]


def test_planners_by_name() -> None:
    """Each is what it would be by hand, on either model."""
    environment = make("tiger")
    coding, tree, model = environment.coding, FactoredContextTree(9, 2, 9), TrueModel(environment)
    tree.learn(np.tile(coding.cycle(0, 1, -1), 40))
    for method, searches, plies in (
        ("rhouct", 0, None),
        ("one-ply", 0, 1),
        ("rhouct+majority:3", 3, None),
        ("rhouct+pooled:3", 3, None),
    ):
        on_tree, on_truth = (
            RhoUCT(coding, 3, simulations=90, ucb=0.5, plies=plies),
            POUCT(environment, 3, simulations=90, ucb=0.5, plies=plies),
        )
        for name, knowledge, search in (("ctw", tree, on_tree), ("true", model, on_truth)):
            by_hand = RootParallel([search], searches, join=method.split("+")[-1].split(":")[0]) if searches else search
            for threads in (1, 2) if searches else (1,):
                planner = build_planner(
                    environment,
                    PlannerSpec.parse(f"{method}+ucb:0.5+horizon:3+simulations:90"),
                    model=name,
                    threads=threads,
                )
                assert repr(planner.search(knowledge, stream(1))) == repr(by_hand.search(knowledge, stream(1)))  # type: ignore[arg-type]
                by_hand.forget()


@pytest.mark.parametrize("model", MODELS)
def test_a_planner_with_a_time_searches_as_long_as_it_may(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of simulations that it is given says nothing."""
    environment = make("tiger")
    agent = build_agent(environment, model, planner="seconds:1e-9", settings=SHORT._replace(epsilon=0.0))
    rows = [*interact(agent, environment, cycles=5), *evaluate(agent, environment, cycles=5, simulations=30)]
    assert {row.simulations for row in rows} == {1}
    monkeypatch.setattr("aixi_approx.planners.tree_search.MOST_IN_TIME", 700)
    patient = build_planner(environment, "seconds:1e6+horizon:3", model=model).search(agent.predictor, stream(1))
    counted = build_planner(environment, "horizon:3+simulations:700", model=model).search(agent.predictor, stream(1))
    assert repr(patient) == repr(counted)


def test_threads_do_not_stop_a_run_from_going_on(tmp_path: Path) -> None:
    experiment = Experiment("kuhn-poker", SHORT, SCHEDULE, PlannerSpec.parse("majority:3"), evaluate=15, seed=3)
    whole = run(experiment)
    result = run(experiment, tmp_path / "run", threads=2)
    assert [each.threads for each in (whole, result)] == [1, 2]
    (tmp_path / "run" / "result.json").unlink()
    (tmp_path / "run" / "evaluation.csv").unlink()
    lines = (tmp_path / "run" / "learning.csv").read_text().splitlines(keepends=True)
    (tmp_path / "run" / "learning.csv").write_text("".join(lines[:11]))
    again = run(experiment, tmp_path / "run", threads=3)
    assert (tmp_path / "run" / "learning.csv").read_text() == "".join(lines)
    assert all(
        getattr(whole, name) == getattr(result, name) == getattr(again, name)
        for name in ("reward", "log_loss_end", "simulations_learning")
    )


def test_learning_in_the_evaluation_is_learning() -> None:
    """The percepts of a coin that was never seen in learning become less of a surprise, and all is forgotten again."""
    environment = make("coin-flip")
    agent = build_agent(environment, settings=SHORT._replace(epsilon=0.0))
    before = agent.predictor.snapshot()
    rows = list(evaluate(agent, environment, cycles=400, simulations=20, learn=True))
    assert agent.predictor.snapshot() == before
    assert np.mean([row.log_loss for row in rows[:10]]) > 1.2
    assert np.mean([row.log_loss for row in rows[200:]]) == pytest.approx(0.8813, abs=0.12)
    assert {row.explored for row in rows} == {0}
    twin = build_agent(environment, settings=SHORT._replace(epsilon=0.0))
    assert {row.log_loss for row in evaluate(twin, environment, cycles=20, simulations=20)} == {0.0}


# How near the best.


def policy_reward(name: str, planner: str, horizon: int, simulations: int = 1) -> float:
    """Exact reward per cycle, in the long run, of an agent that knows its environment, by a graph of beliefs."""
    settings = Settings(horizon=horizon, simulations=simulations, epsilon=0.0)
    agent = build_agent(make(name), "true", planner=planner, settings=settings)
    model = agent.predictor
    assert isinstance(model, TrueModel)
    number, todo = {}, [model._now]
    rows: list[tuple[float, list[tuple[float, int]]]] = []

    def node(moment) -> int:  # type: ignore[no-untyped-def]
        key = (moment.belief.state.tobytes(), moment.belief.probability.round(9).tobytes())
        if key not in number:
            number[key] = len(number)
            todo.append(moment)
        return number[key]

    node(todo.pop())
    for moment in todo:
        model._now = moment
        action = agent.act(explore=False).action
        reward, nexts = 0.0, []
        for bit in range(agent.coding.action_bits - 1, -1, -1):
            model.append(action >> bit & 1)
        for answer in model._now.answers:
            percept = agent.coding.min_reward + (answer.code >> agent.coding.observation_bits)
            reward += answer.probability * percept
            nexts.append((answer.probability, node(moment._replace(belief=answer.belief))))
        rows.append((reward, nexts))
    source = [i for i, (_, nexts) in enumerate(rows) for _ in nexts]
    target = [j for _, nexts in rows for _, j in nexts]
    share = [p for _, nexts in rows for p, _ in nexts]
    step = csr_array((share, (source, target)), shape=(len(rows), len(rows)))
    return float(long_run_reward(step, np.array([reward for reward, _ in rows]))[0])


NEAR = [("tiger", 4), ("1d-maze", 6), ("biased-rps", 4), ("kuhn-poker", 2), ("coin-flip", 2)]


@pytest.mark.parametrize(("name", "horizon"), [*NEAR, ("tiger", 8), ("extended-tiger", 5), ("4x4-grid", 6)])
def test_exact_planning_with_the_truth_is_optimal(name: str, horizon: int) -> None:
    assert policy_reward(name, "expectimax", horizon) == pytest.approx(make(name).optimum, abs=1e-6)


@pytest.mark.parametrize(("name", "horizon"), NEAR)
def test_aimu_is_optimal(name: str, horizon: int) -> None:
    assert policy_reward(name, "rhouct", horizon, 300_000) == pytest.approx(make(name).optimum, abs=1e-6)


def test_a_horizon_that_moves_on_has_its_price() -> None:
    """Best in the last cycle of a horizon is often not best in one that moves on."""
    assert policy_reward("tiger", "expectimax", 5) == pytest.approx(0.98493, abs=1e-5)


def test_aimu_lives_well() -> None:
    environment = make("kuhn-poker")
    agent = build_agent(environment, "true", settings=Settings(horizon=2, simulations=2_000, epsilon=0.0))
    rewards = [row.reward for row in interact(agent, environment, cycles=2_000)]
    assert np.mean(rewards) == pytest.approx(environment.optimum, abs=4 * np.std(rewards) / math.sqrt(2_000))


# What is refused.


class Echo(Environment):
    """No POMDP."""

    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1

    def reset(self, seed: int) -> None:
        pass

    def step(self, action: int) -> Percept:
        return Percept(action, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "truth"}, "no model 'truth': did you mean true?"),
        ({"model": "zzz"}, "no model 'zzz': there are ctw, true, and my_file.py:MyClass"),
        ({"planner": "uct"}, "no planner 'uct': did you mean dpuct?"),
        (
            {"planner": "zzz"},
            "no planner 'zzz': there are dpuct, rhouct, one-ply, flat, .*, and my_file.py:MyClass",
        ),
        (
            {"model": "true", "planner": "q-learning"},
            "q-learning has no model: leave it at ctw, or plan with dpuct, rhouct",
        ),
        ({"model": "true", "planner": "random"}, "random has no model"),
        ({"model": "true"}, "Echo is no POMDP, so its true model is not known: leave the model at ctw"),
        ({"planner": PlannerSpec(prune=0.1)}, "prune means nothing to dpuct.* with the model ctw: leave it out"),
        ({"model": "true", "planner": "expectimax+prune:0.1"}, "prune means nothing to .* with the model true: leave"),
        ({"planner": PlannerSpec(memory_cycles=3)}, "memory_cycles means nothing to dpuct.*: leave it out"),
        ({"planner": "q-learning+memo:true"}, "memo means nothing to q-learning.*: leave it out"),
        ({"model": "true", "planner": PlannerSpec(memo=False)}, "memo means nothing to dpuct.*: leave it out"),
        ({"planner": "expectimax+ucb:1"}, "ucb means nothing to expectimax.*: leave it out"),
        (
            {"planner": "expectimax+majority:3"},
            "majority means nothing to expectimax, which has no simulations to share",
        ),
        ({"planner": "seconds:1+simulations:9"}, "simulations means nothing to seconds:1.*: leave it out"),
        ({"planner": "rhouct+speed:3"}, "planner 'rhouct.speed:3': an option is 'speed': it must be one of majority"),
        *(
            (
                {"planner": planner},
                f"planner '{planner}': .* takes a number of searches, as in {planner.split(':')[0]}:8",
            )
            for planner in ("majority", "majority:", "majority:0", "pooled:-1", "pooled:2.5", "majority:K")
        ),
        *(
            ({"planner": planner}, f"planner '{planner}': seconds is '.*': it must be a number of seconds above 0")
            for planner in ("seconds", "seconds:0", "seconds:-1", "seconds:nan", "seconds:inf", "seconds:soon")
        ),
        *(
            ({"planner": planner}, f"{planner}: options of a planner are written as in {planner[:-2]}.ucb:0.7")
            for planner in ("rhouct:2", "q-learning:1")
        ),
        ({"planner": "majority:2+pooled:2"}, "planner 'majority:2.pooled:2': join is given twice: leave one out"),
        ({"planner": "rhouct+ucb:1+ucb:2"}, "planner 'rhouct.ucb:1.ucb:2': ucb is given twice: leave one out"),
        ({"planner": "simulations:\u0661"}, "simulations is '\u0661': it must be a whole number"),
        ({"planner": "rhouct+rollout:"}, "no rollout policy '': there are uniform, learned, and my_file.py:MyClass"),
        ({"model": None}, "None is no name of a model: give one, or my_file.py:MyClass"),
        ({"planner": None}, "None is no planner: give its name, or a PlannerSpec"),
        ({"seed": 1.5}, "seed is 1.5: it must be a whole number"),
        ({"model": ""}, "no model '': there are ctw, true"),
        ({"planner": "pooled:11"}, "11 searches can't share 10 simulations"),
        ({"planner": "rhouct", "threads": 2}, "threads means nothing to rhouct"),
        ({"planner": "random", "threads": 2}, "threads means nothing to random"),
        ({"planner": "majority:2", "threads": 0}, "threads is 0"),
    ],
)
def test_nonsense_is_refused(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        build_agent(Echo(), settings=Settings(simulations=10), **wrong)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_evaluation_with_too_few_simulations_is_refused_before_anything_begins() -> None:
    with pytest.raises(ValueError, match="evaluation_simulations is 4: it must lie in 5 to"):
        run(Experiment("tiger", SHORT, SCHEDULE, PlannerSpec.parse("majority:5")))
