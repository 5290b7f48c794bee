"""A predictor, a planner and rollout policies of one's own: from Python, from the command line, and installed."""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aixi_approx import Rollout, build_agent, check_planner, check_predictor, evaluate, interact, make
from aixi_approx.builder import build_planner
from aixi_approx.cli import main
from aixi_approx.coding import Coding, decode
from aixi_approx.conformance.by_name import check, kind_of
from aixi_approx.conformance.rollout import check_rollout
from aixi_approx.environment import Percept, Settings
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planner_spec import PlannerSpec
from aixi_approx.planners import POUCT, BeliefExpectimax, RhoUCT
from aixi_approx.pomdp import believe
from aixi_approx.predictor import Predictor, PredictorError, Statistics
from aixi_approx.predictors import FactoredContextTree, TrueModel
from aixi_approx.randomness import stream
from aixi_approx.rollout import RolloutError

HERE = Path(__file__).parent / "extensions"
Captured = pytest.CaptureFixture[str]
SHORT = Settings(depth=12, horizon=3, simulations=12, epsilon=0.3, decay=0.9)


def load(file: str) -> Any:
    """A file of the folder as a module."""
    spec = importlib.util.spec_from_file_location(file, HERE / f"{file}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NGram, Mine = load("my_ngram").NGram, load("my_planner").Mine
Polite, Again = load("my_rollout").Polite, load("my_rollout").Again


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in HERE.glob("my_*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(arguments: list[str], capsys: Captured) -> dict[str, Any]:
    capsys.readouterr()
    main([*arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# ---------------------------------------------------------------------------------------------- at work


def test_an_n_gram_predicts_by_its_counts() -> None:
    ngram = NGram(1, 1, 2)
    for bit in (0, 1, 1):
        ngram.learn([0, bit])
    ngram.append(0)
    assert ngram.predict() == pytest.approx(1.5 / 2)  # after 1 0 came one 1; the first bit had another context
    check_predictor(NGram(2, 3, 4))
    check_predictor(NGram(2, 9), environment="tiger")


def test_agents_of_own_parts_learn_and_leave_no_trace() -> None:
    for model, planner in itertools.product(("ctw", f"{HERE}/my_ngram.py:NGram:6"), ("rhouct", "mine", "again")):
        spec = {
            "mine": f"{HERE}/my_planner.py:Mine+horizon:2",
            "again": f"rhouct+rollout:{HERE}/my_rollout.py:Again",
        }.get(planner, planner)
        lives = []
        for cut in (0, 3):
            environment = make("kuhn-poker")
            agent = build_agent(environment, model, planner=spec, settings=SHORT, seed=3)
            rows = list(interact(agent, environment, cycles=10))
            list(evaluate(agent, make("kuhn-poker"), cycles=cut, learn=True, simulations=5))
            lives.append(rows + list(interact(agent, environment, cycles=10)))
        assert lives[0] == lives[1]


def test_from_the_command_line(place: Path, capsys: Captured) -> None:
    short = ["--cycles", "40", "--evaluate", "10", "--simulations", "6", "--evaluation-simulations", "6"]
    run = ["run", "tiger", *short, "--seed", "2"]
    own = ["--model", "my_ngram.py:NGram:5", "--planner", "my_planner.py:Mine"]
    found = printed([*run, *own, "--horizon", "2", "--out", "out"], capsys)
    assert (found["model"], found["planner"]) == ("my_ngram.py:NGram:5", {"name": "my_planner.py:Mine"})
    assert found["simulations_evaluation"] == 60
    (place / "out" / "result.json").unlink()
    kept = (place / "out" / "learning.csv").read_text()
    (place / "out" / "learning.csv").write_text(kept[:200])
    again = printed([*run, *own, "--horizon", "2", "--out", "out"], capsys)
    assert (place / "out" / "learning.csv").read_text() == kept
    assert again["reward"] == found["reward"]
    polite = printed([*run, "--rollout", "my_rollout.py:Polite"], capsys)
    assert polite["planner"] == {"name": "dpuct", "rollout": "my_rollout.py:Polite"}
    joined = printed([*run, "--planner", "majority:3", "--rollout", "my_rollout.py:Again", "--threads", "2"], capsys)
    assert joined["planner"]["searches"] == 3


POINTS = """[aixi_approx.environments]
of-theirs = theirs:World
[aixi_approx.predictors]
n_gram = my_ngram:NGram
[aixi_approx.planners]
shooting = my_planner:Mine
[aixi_approx.rollouts]
polite = my_rollout:Polite
"""


def test_installed(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    info = place / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (place / "theirs.py").write_text("from aixi_approx.envs.coin_flip import CoinFlip\nclass World(CoinFlip): pass\n")
    monkeypatch.syspath_prepend(place)
    arguments = ["run", "of-theirs", "--cycles", "20", "--evaluate", "5", "--simulations", "5"]
    found = printed([*arguments, "--model", "n-gram:3", "--planner", "shoot", "--horizon", "2"], capsys)
    assert found["environment"] == "of-theirs"
    assert printed([*arguments, "--rollout", "polite"], capsys)["reward"] is not None
    kinds = {"of-theirs": "environment", "n-gram:3": "model", "shoot": "planner", "polite": "rollout policy"}
    assert {name: kind_of(name) for name in kinds} == kinds
    for name, kind in kinds.items():
        report = printed(["check", name, *(["--cycles", "5"] if kind != "environment" else ["--cycles", "20"])], capsys)
        assert (report["kind"], report["passed"]) == (kind, True)
    for module in ("my_ngram", "my_planner", "my_rollout", "theirs"):
        sys.modules.pop(module, None)


# ---------------------------------------------------------------------------------------------- rollout policies


class Uniformly(Rollout):
    """What planners do themselves, in Python."""

    def choose(self, u: float) -> int:
        return int(u * self.coding.actions)


def searches(name: str, rollout: Callable[[Coding], Rollout] | None, **options: Any) -> dict[str, Planner]:
    """The two planners that have a rollout."""
    world = make(name)
    return {
        planner: kind(of, 4, rollout=rollout and rollout(world.coding), **options)
        for planner, kind, of in (("ctw", RhoUCT, world.coding), ("true", POUCT, world))
    }


@pytest.mark.parametrize("name", ["tiger", "kuhn-poker", "1d-maze"])
def test_uniform_in_python_is_the_same_search(name: str) -> None:
    world = make(name)
    tree = FactoredContextTree(12, world.coding.action_bits, world.coding.percept_bits)
    world.reset(1)
    for action in np.random.default_rng(1).integers(len(world.actions), size=60).tolist():
        tree.learn(world.coding.cycle(action, *world.step(action)))
    models: dict[str, Predictor] = {"ctw": tree, "true": TrueModel(make(name))}
    for seed, plies in itertools.product(range(3), (None, 1)):
        own = searches(name, Uniformly, simulations=300, plies=plies)
        for model, built_in in searches(name, None, simulations=300, plies=plies).items():
            expected, found = (each.search(models[model], stream(seed)) for each in (built_in, own[model]))
            assert repr(found) == repr(expected)


class Recorder(Again):  # type: ignore[misc, valid-type]
    """Keeps what it has read whenever it chooses, and when a simulation ends."""

    def __init__(self, coding: Coding) -> None:
        super().__init__(coding)
        self.seen: list[tuple[list[int], int]] = []
        self.ends: list[list[int]] = []

    def choose(self, u: float) -> int:
        action = super().choose(u)
        self.seen.append((list(self.bits), action))
        return action

    def revert(self, mark: int) -> None:
        self.ends.append(list(self.bits))
        super().revert(mark)


def cycles_of(bits: list[int], coding: Coding) -> list[tuple[int, Percept]]:
    """The cycles that bits are of."""
    assert len(bits) % coding.cycle_bits == 0, "whole cycles"
    parts = [bits[i : i + coding.cycle_bits] for i in range(0, len(bits), coding.cycle_bits)]
    return [
        (decode(part[: coding.action_bits]), Percept(*coding.percept(part[coding.action_bits :]))) for part in parts
    ]


@pytest.mark.parametrize("planner", ["ctw", "true"])
@pytest.mark.parametrize("plies", [1, 3])
def test_a_policy_reads_what_really_was_and_what_is_imagined(planner: str, plies: int) -> None:
    world, horizon = make("4x4-grid"), 5
    coding = world.coding
    policy = Recorder(coding)
    options: dict[str, Any] = {"simulations": 30, "plies": plies, "rollout": policy}
    search = RhoUCT(coding, horizon, **options) if planner == "ctw" else POUCT(world, horizon, **options)
    model, real = TrueModel(make("4x4-grid")), []
    world.reset(1)
    for cycle in range(6):
        policy.seen.clear()
        policy.ends.clear()
        before = list(policy.bits)
        assert cycles_of(before, coding) == real
        result = search.search(model, stream(1, cycle))
        assert policy.bits == before, "a search leaves it as it was"
        assert len(policy.ends) == 30
        for bits, action in policy.seen:
            history = cycles_of(bits, coding)
            assert history[: len(real)] == real
            assert len(history) - len(real) < horizon
            believe(make("4x4-grid"), history)  # what can't be imagined raises
            following = [end for end in policy.ends if end[: len(bits)] == bits and len(end) > len(bits)]
            if following:
                assert {cycles_of(end, coding)[len(history)][0] for end in following} >= {action}
        lengths = {len(cycles_of(end, coding)) - len(real) for end in policy.ends}
        assert lengths == {horizon - (planner == "ctw")}, "rhoUCT does not imagine what nobody asks for"
        percept = world.step(result.action)
        bits = coding.cycle(result.action, *percept)
        model.learn(bits)
        search.advance(result.action, bits[coding.action_bits :])
        real.append((result.action, percept))


def test_the_path_of_one_simulation_is_what_the_policy_read() -> None:
    world = make("4x4-grid")
    for name, kind, of in (("rhouct", RhoUCT, world.coding), ("pouct", POUCT, world)):
        policy = Recorder(world.coding)
        search = kind(of, 6, simulations=1, plies=1, rollout=policy)  # type: ignore[operator]
        result = search.search(TrueModel(world), stream(5))
        path = cycles_of(policy.ends[0], world.coding)
        assert path[0][0] == result.action
        if name == "pouct":  # rhoUCT leaves out the last cycle
            assert sum(percept.reward for _, percept in path) == result.value[result.action]


class Stopped(BaseException):
    """As Ctrl-C is."""


@pytest.mark.parametrize("planner", ["ctw", "true"])
@pytest.mark.parametrize(
    ("operation", "wrong", "message"),
    [
        (
            "choose",
            ZeroDivisionError("a mistake"),
            "the rollout policy failed in a search: ZeroDivisionError: a mistake",
        ),
        ("choose", 3, r"Broken.choose returned 3: there are actions 0 to 2"),
        ("choose", -1, r"Broken.choose returned -1"),
        ("choose", 0.5, r"Broken.choose returned 0.5"),
        ("append", ZeroDivisionError("a mistake"), "a mistake"),
        ("mark", ZeroDivisionError("a mistake"), "a mistake"),
        ("revert", ZeroDivisionError("a mistake"), "a mistake"),
        ("choose", KeyboardInterrupt(), None),
        ("append", KeyboardInterrupt(), None),
    ],
)
def test_a_policy_that_fails_is_one_clear_error(planner: str, operation: str, wrong: Any, message: str | None) -> None:
    def fail(*_: Any) -> Any:
        if isinstance(wrong, BaseException):
            raise wrong
        return wrong

    world = make("tiger")
    search = searches("tiger", type("Broken", (Again,), {operation: fail}), simulations=50)[planner]
    model = TrueModel(world) if planner == "true" else FactoredContextTree(8, 2, 9)
    for _ in range(2):
        with pytest.raises(RolloutError if message else KeyboardInterrupt, match=message) as caught:
            search.search(model, stream(1))
        assert "\n" not in str(caught.value)


def test_a_policy_that_fails_is_one_line_of_the_command_line(place: Path, capsys: Captured) -> None:
    (place / "my_bad.py").write_text(
        "from aixi_approx import Rollout\nclass Bad(Rollout):\n    def choose(self, u):\n        return 9\n"
        "class Needy(Rollout):\n    def __init__(self, coding, more, still):\n        pass\n    choose = None\n"
    )
    for policy, message in (
        (
            "my_bad.py:Bad",
            "aixi: the rollout policy failed in a search: ValueError: Bad.choose returned 9: there are actions 0 to 2",
        ),
        ("my_bad.py:Needy", "aixi: my_bad.py:Needy can't be built: TypeError: "),
        ("my_bad.py:Absent", "aixi: my_bad.py:Absent: there is no class of that name derived from aixi_approx.Rollout"),
        ("unifrom", "aixi: no rollout policy 'unifrom': did you mean uniform?"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(["run", "tiger", "--cycles", "20", "--exploration", "0", "1", "--rollout", policy])
        assert stop.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith(message)


@pytest.mark.parametrize("model", ["ctw", "true"])
def test_round_robin_visits_all_alike(model: str) -> None:
    world = make("biased-rps")
    search = build_planner(world, "one-ply+rule:round-robin+simulations:50", model=model)
    predictor = TrueModel(world) if model == "true" else FactoredContextTree(8, 2, world.coding.percept_bits)
    for seed in range(5):
        result = search.search(predictor, stream(seed))
        assert result.visits.max() - result.visits.min() <= 1
        assert result.visits.sum() == 50


@pytest.mark.parametrize(("one", "other"), [("tiger", "4x4-grid"), ("locks:2", "locks:1"), ("locks:1", "locks:2")])
def test_a_belief_about_another_environment_is_refused(one: str, other: str) -> None:
    for planner in (POUCT(make(one), 2, simulations=50), BeliefExpectimax(make(one), 2)):
        with pytest.raises(ValueError, match=f"the planner is for {one}, the belief is about {other}: make both for"):
            planner.search(TrueModel(make(other)), stream(1))
        planner.search(TrueModel(make(one)), stream(1))  # of another instance
        with pytest.raises(ValueError, match="FactoredContextTree has no belief to plan on"):
            planner.search(FactoredContextTree(4, 1, 1), stream(1))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- the checks


@pytest.mark.parametrize(
    "planner", ["rhouct", "one-ply", "expectimax", "majority:3", "pooled:3", "q-learning", "aiqi", "random"]
)
@pytest.mark.parametrize("model", ["ctw", "true"])
def test_all_planners_keep_to_the_interface(planner: str, model: str) -> None:
    world = make("kuhn-poker")
    search = build_planner(world, f"{planner}", model=model, settings=SHORT._replace(horizon=2))
    predictor = TrueModel(world) if model == "true" else FactoredContextTree(12, 1, world.coding.percept_bits)
    free = search.learner() is not None
    found = check_planner(search, None if free else predictor, environment="kuhn-poker", cycles=6, seed=2)
    assert {"result", "repetition", "forget", "revert"} <= {diagnostic.check for diagnostic in found}
    assert ("simulations" in {diagnostic.check for diagnostic in found}) == (search.simulations > 0)


def test_policies_keep_to_the_interface() -> None:
    coding = make("kuhn-poker").coding
    for rollout in (Polite(coding), Again(coding), Uniformly(coding)):
        check_rollout(rollout)


class Leaves(Mine):  # type: ignore[misc, valid-type]
    def imagine(self, predictor: Predictor, random: Any, action: int) -> int:
        predictor.extend([1] * (self.coding.cycle_bits))
        return action


class Outside(Mine):  # type: ignore[misc, valid-type]
    def search(self, *given: Any, **options: Any) -> SearchResult:
        return super().search(*given, **options)._replace(action=7)


class Listed(Mine):  # type: ignore[misc, valid-type]
    def search(self, *given: Any, **options: Any) -> SearchResult:
        result = super().search(*given, **options)
        return result._replace(value=result.value.tolist())


class Counts(Mine):  # type: ignore[misc, valid-type]
    def search(self, *given: Any, **options: Any) -> SearchResult:
        result = super().search(*given, **options)
        return result._replace(visits=result.visits + 1)


class Valueless(Mine):  # type: ignore[misc, valid-type]
    def search(self, *given: Any, **options: Any) -> SearchResult:
        result = super().search(*given, **options)
        value, visits = result.value.copy(), result.visits.copy()
        value[result.action], visits[result.action] = np.nan, 0
        return result._replace(value=value, visits=visits)


class Chancy(Mine):  # type: ignore[misc, valid-type]
    random = np.random.default_rng(1)

    def imagine(self, predictor: Predictor, random: Any, action: int) -> int:
        return int(self.random.integers(1_000))


class Deaf(Mine):  # type: ignore[misc, valid-type]
    def search(self, predictor: Predictor, random: Any, **options: Any) -> SearchResult:
        return super().search(predictor, random)


class Stale(Mine):  # type: ignore[misc, valid-type]
    """Keeps a result after it should have forgotten it."""

    cycle = 0

    def advance(self, action: int, percept: Any, *, learned: bool = True) -> None:
        self.cycle += 1

    def search(self, predictor: Predictor, random: Any, **options: Any) -> SearchResult:
        result = super().search(predictor, random, **options)
        return result._replace(value=result.value + self.cycle)


class Nothing(Mine):  # type: ignore[misc, valid-type]
    def search(self, *_: Any, **__: Any) -> Any:
        return 1


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Leaves, "search() does not leave the predictor as it was"),
        (Outside, "search() decided on 7: there are actions 0 to 2"),
        (Listed, "value is \\[.*\\]: it must be an array of 3 numbers"),
        (Counts, "visits add up to 63, more than the 60 simulations"),
        (Valueless, "decided on ., which has no value while others have one"),
        (Chancy, "two searches with the same stream differ"),
        (Deaf, "60 simulations were made of 60, and 60 of 603"),
        (Stale, "revert() to the second of two marks does not go back exactly"),
        (Nothing, "search() returned 1: return a SearchResult"),
    ],
)
def test_a_wrong_planner_is_found_out(kind: type[Planner], message: str) -> None:
    coding = make("tiger").coding
    planner = kind(coding, simulations=60)  # type: ignore[call-arg]
    with pytest.raises(AssertionError, match=message.replace("()", r"\(\)")):
        check_planner(planner, NGram(2, 9), environment="tiger", cycles=4)


def test_a_planner_that_needs_a_model_asks_for_one() -> None:
    with pytest.raises(AssertionError, match="it plans on a model: give a predictor"):
        check_planner(Mine(make("tiger").coding), environment="tiger")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"choose": lambda self, u: 2}, r"choose\(0\) gave 2: there are actions 0 to 1"),
        ({"choose": lambda self, u: np.random.default_rng().integers(2)}, "two answers to one number"),
        ({"choose": lambda self, u: 0.5}, "gave 0.5"),
        ({"revert": lambda self, mark: None}, r"revert\(\) .* does not go back exactly|does not go back exactly"),
        ({"mark": lambda self: -1}, "mark() gave -1"),
        ({"append": lambda self, bit: 1 / 0}, "division by zero"),
    ],
)
def test_a_wrong_policy_is_found_out(members: dict[str, Any], message: str) -> None:
    rollout = type("Wrong", (Again,), members)(make("kuhn-poker").coding)
    with pytest.raises((AssertionError, ZeroDivisionError), match=message.replace("mark()", r"mark\(\)")):
        check_rollout(rollout)


class Shared(NGram):  # type: ignore[misc, valid-type]
    def copy(self) -> Any:
        twin = Shared(self.action_bits, self.percept_bits, self.n)
        twin.counts, twin.history, twin.learned = self.counts, list(self.history), list(self.learned)
        return twin


class Uncopied(NGram):  # type: ignore[misc, valid-type]
    def copy(self) -> Any:
        raise NotImplementedError


class Fresh(NGram):  # type: ignore[misc, valid-type]
    def copy(self) -> Any:
        return Fresh(self.action_bits, self.percept_bits, self.n)


class Uncounted(NGram):  # type: ignore[misc, valid-type]
    def statistics(self) -> Any:
        return {"nodes": 3}


class Fractions(NGram):  # type: ignore[misc, valid-type]
    def statistics(self) -> Any:
        return Statistics(nodes=0.5)  # type: ignore[arg-type]


class Hasty(NGram):  # type: ignore[misc, valid-type]
    def learn(self, cycle: Any) -> float:
        return 0.0


class Unsettled(NGram):  # type: ignore[misc, valid-type]
    options = ("width",)


class Narrow(NGram):  # type: ignore[misc, valid-type]
    @classmethod
    def for_environment(cls, environment: Any, *parameters: Any, **options: Any) -> Any:
        return cls(1, 1)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Shared, "what one learns changes the original: copy"),
        (Uncopied, "copy.. failed with NotImplementedError"),
        (Fresh, "a copy predicts otherwise"),
        (Uncounted, "which is no Statistics"),
        (Fractions, "statistics.. gave 0.5 nodes: it must be a whole number or None"),
        (Hasty, "learn.. gave a loss of 0.0 bits"),
        (Unsettled, "options names 'width', which is no field of Settings: there are depth, horizon"),
        (Narrow, r"for_environment\(\) gave \(1, 1\) action and percept bits a cycle, Tiger has \(2, 9\)"),
    ],
)
def test_a_wrong_predictor_is_found_out(kind: type[Predictor], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_predictor(kind(2, 9, 3), environment="tiger")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tiger", "environment"),
        ("kuhn", "environment"),
        ("coin-flip>tiger@9", "environment"),
        ("ctw", "model"),
        ("tru", "model"),
        ("rhouct", "planner"),
        ("One_Ply+majority:3", "planner"),
        ("seconds:0.01", "planner"),
        ("rhouct+rollout:my_rollout.py:Again", "planner"),
        ("uniform", "rollout policy"),
        ("my_ngram.py:NGram:3", "model"),
        ("my_planner.py:Mine+horizon:2", "planner"),
        ("my_rollout.py:Polite", "rollout policy"),
    ],
)
def test_what_a_name_stands_for(name: str, kind: str, place: Path, capsys: Captured) -> None:
    assert kind_of(name) == kind
    if kind != "environment":
        main(["check", name, "--cycles", "4", "--env", "kuhn-poker"])
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"{name}: all ")
        assert check(name, cycles=3).environment == "tiger"


BAD = """
from aixi_approx import Planner, Predictor
from aixi_approx.planner import SearchResult
print("loaded")
class Thing:
    pass
class Raises(Planner):
    def __init__(self, coding):
        pass
    def search(self, predictor, random, *, simulations=None):
        return {}[3]
class Half(Planner):
    def __init__(self, coding): pass
class Unsure(Predictor):
    def __init__(self, action_bits, percept_bits):
        self.action_bits, self.percept_bits = action_bits, percept_bits
    def predict(self):
        return 1.5
    def update(self, bit):
        return 0.5
    def append(self, bit):
        pass
    def mark(self):
        return 0
    def revert(self, mark):
        pass
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "zzz",
            "aixi: no environment 'zzz': there are coin-flip, .*; and no model, planner or rollout policy: there are",
        ),
        ("expectimx", "aixi: no planner 'expectimx': did you mean expectimax[?]"),
        ("tigre", "aixi: no environment 'tigre': did you mean tiger[?]"),
        ("absent.py:X", "aixi: no file 'absent.py'"),
        ("bad.py:", "aixi: which class of bad.py[?] Say bad.py:MyClass"),
        (
            "bad.py:Absent",
            "aixi: bad.py:Absent: there is no class of that name derived from aixi_approx.Environment, P",
        ),
        ("bad.py:Thing", "aixi: bad.py:Thing: .*Environment, Predictor, Planner or Rollout$"),
        ("bad.py:Half", "aixi: bad.py:Half can't be built: TypeError: .*abstract"),
        ("bad.py:Raises", r"FAILED  exception     KeyError: 3 \(bad.py, line 11\)"),
        ("bad.py:Unsure", r"FAILED  operations    predict\(\) gave 1.5: it must lie strictly between 0 and 1"),
        ("ctw --model true", "aixi: ctw is no planner, which plans on a model: give no model"),
        ("q-learning --model true", "aixi: q-learning has no model: give none"),
        ("tiger --env tiger", "aixi: tiger is an environment itself: give no other"),
        ("ctw --env tigre", "aixi: no environment 'tigre': did you mean tiger"),
        ("rhouct+prune:0.1", "aixi: prune means nothing to rhouct.prune:0.1 with the model ctw: leave it out"),
        ("rhouct+speed:3", "aixi: planner 'rhouct.speed:3': an option is 'speed'"),
        ("ctw:8", "aixi: ctw:8: it has no parameters"),
        ("uniform:8", "aixi: uniform:8: it has no parameters"),
    ],
)
def test_a_check_that_fails_is_one_line(arguments: str, message: str, place: Path, capsys: Captured) -> None:
    (place / "bad.py").write_text(BAD)
    with pytest.raises(SystemExit) as stop:
        main(["check", *arguments.split()])
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    lines = [line for line in (out + err).splitlines() if not line.startswith(("passed", "loaded"))]
    assert re.match(message, next(line for line in lines if line)), lines


def test_a_predictor_that_fails_is_not_taken_for_the_policy() -> None:
    class Failing(NGram):  # type: ignore[misc, valid-type]
        def predict(self) -> float:
            raise ZeroDivisionError("a mistake in a predictor")

    with pytest.raises(PredictorError, match="a mistake in a predictor"):
        RhoUCT(make("tiger").coding, 3, simulations=9, rollout=Again(make("tiger").coding)).search(
            Failing(2, 9), stream(1)
        )


def test_what_a_specification_says_is_what_it_was() -> None:
    for text in ("rhouct", "one-ply+majority:8", "pooled:4+seconds:0.01", f"rhouct+rollout:{HERE}/my_rollout.py:Again"):
        spec = PlannerSpec.parse(text)
        assert str(spec) == text
        assert PlannerSpec(**json.loads(json.dumps(spec.as_json()))) == spec
