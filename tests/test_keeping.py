"""Agents are kept: what is saved, copied or pickled goes on as if nothing had happened; what is damaged is noticed."""

from __future__ import annotations

import copy
import pickle
import random
import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import FREQUENCY
from test_builder import SHORT, each_agent

from aixi_approx.agent import Agent, AgentFault
from aixi_approx.archive import MAGIC, kept_attributes, read_archive, write_archive
from aixi_approx.builder import build_agent, load
from aixi_approx.coding import Coding
from aixi_approx.environment import Environment, Percept
from aixi_approx.envs import ENVIRONMENTS, make
from aixi_approx.interaction import evaluate, interact
from aixi_approx.planner import Planner, SearchResult
from aixi_approx.planners import RhoUCT
from aixi_approx.predictors import ContextTree, FactoredContextTree

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)

# ------------------------------------------------------------------------------------------------ archives


@settings(deadline=None, max_examples=200)
@given(content=st.dictionaries(st.text(max_size=3), PLAIN, max_size=4))
def test_an_archive_holds_what_was_written(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "archive"
    write_archive(path, content, kind="test")
    found = read_archive(path, kind="test").content
    assert found == content
    assert repr(found) == repr(content), "types, too"
    assert path.stat().st_size % 64 == 0


def test_arrays_and_other_containers(tmp_path: Path) -> None:
    arrays = [np.arange(6, dtype=kind).reshape(2, 3) for kind in ("u1", "<i8", "<f4", "c16")]
    arrays += [np.zeros((0, 2)), np.array(3.5), np.arange(9)[::2], np.array([True, False])]
    content = {"arrays": arrays, "deque": deque([1, 2], maxlen=4), "set": {1, "a"}, "scalar": np.float64(2.5)}
    write_archive(tmp_path / "x", content, kind="test")
    found = read_archive(tmp_path / "x", kind="test").content
    for one, other in zip(arrays, found["arrays"], strict=True):
        assert (one.dtype, one.shape, one.tolist()) == (other.dtype, other.shape, other.tolist())
        assert not other.flags.writeable
    assert (found["deque"], found["deque"].maxlen) == (deque([1, 2]), 4)
    assert (found["set"], found["scalar"]) == ({1, "a"}, 2.5)


def test_what_is_there_twice_is_one_thing_again(tmp_path: Path) -> None:
    array, row = np.arange(3), [1]
    around: list[Any] = [row, (row, array), {"a": row, 1: array}]
    around.append(around)
    write_archive(tmp_path / "x", {"one": around, "other": array, "row": row}, kind="test")
    found = read_archive(tmp_path / "x", kind="test").content
    row.append(found["row"])
    one = found["one"]
    assert one[3] is one
    assert one[0] is one[1][0] is one[2]["a"] is found["row"]
    assert one[1][1] is one[2][1] is found["other"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "is a object"),
        (print, "is a builtin_function_or_method"),
        (np.array([object()]), "is an array of object"),
        (Percept(1, 2), "is a Percept"),
    ],
)
def test_what_an_archive_cannot_hold_is_named(value: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("before")
    with pytest.raises(ValueError, match=message):
        write_archive(tmp_path / "x", {"a": value}, kind="test")
    assert (tmp_path / "x").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]

    class Thing:
        def __init__(self) -> None:
            self.part = value

    with pytest.raises(ValueError, match=f"Thing can't be kept: its attribute part {message}"):
        kept_attributes(Thing())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small agent with a policy."""
    path = tmp_path_factory.mktemp("saved") / "agent.aixi"
    agent = build_agent("kuhn-poker", planner="dpuct+policy:learned", settings=SHORT, seed=3)
    deque(interact(agent, make("kuhn-poker"), cycles=30), maxlen=0)
    agent.save(path)
    return path


def test_every_flipped_bit_and_every_truncation_of_an_agent_is_noticed(saved: Path, tmp_path: Path) -> None:
    whole, path = saved.read_bytes(), tmp_path / "agent.aixi"
    bits = random.Random(1).sample(range(8 * len(whole)), 2_000)
    damaged = [whole[:size] for size in {*range(200), *range(0, len(whole), 97), len(whole) - 1}]
    damaged += [whole + b"\0", whole + bytes(64), whole.replace(b"\r\n", b"\n", 1)]
    for content in damaged + [bytes(b ^ (1 << n % 8) * (i == n // 8) for i, b in enumerate(whole)) for n in bits[:300]]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(f"{path} ")):
            read_archive(path, kind="agent")
    content = bytearray(whole)
    for bit in bits:  # in place, as so many files are slow to make
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with pytest.raises(ValueError, match=str(path)):
            read_archive(path, kind="agent")
        content[bit // 8] ^= 1 << bit % 8


def test_what_is_no_agent_is_named(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content, message in (
        (b"", "is no file of this package"),
        (b"hello", "is no file of this package"),
        (MAGIC.replace(b"1", b"2") + bytes(99), "has the format '2', not 1: read it with the version that wrote it"),
        (MAGIC, "is damaged or incomplete: take another copy"),
        (MAGIC + b"\xff" * 99, "is damaged or incomplete"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load(path)
    write_archive(path, {"recipe": 3, "kept": {}}, kind="agent")
    with pytest.raises(ValueError, match="x: it is not what was written here"):
        load(path)
    FactoredContextTree(3, 1, 1).save(path)
    with pytest.raises(ValueError, match="holds what is called 'predictor', not 'agent'"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    path.write_bytes(saved.read_bytes()[:-1])
    (tmp_path / "x-previous").write_bytes(saved.read_bytes())
    with pytest.raises(ValueError, match="x is damaged or incomplete: take x-previous, which is older"):
        load(path)


# ------------------------------------------------------------------------------------------------ agents


def live(agent: Agent, environment: Environment, cycles: int) -> list[Any]:
    """Some cycles of learning, and an evaluation."""
    rows = list(interact(agent, environment, cycles=cycles))
    return rows + list(evaluate(agent, make(environment.title), cycles=5, simulations=20, seed=1))


@each_agent
def test_saved_copied_or_pickled_it_goes_on_as_if_nothing_had_happened(
    model: str, planner: str, tmp_path: Path
) -> None:
    environment = make("kuhn-poker")
    agent = build_agent(environment, model, planner=planner, settings=SHORT, seed=3)
    live(agent, environment, 25)
    agent.save(tmp_path / "agent.aixi")
    others = [load(tmp_path / "agent.aixi"), copy.copy(agent), copy.deepcopy(agent), pickle.loads(pickle.dumps(agent))]
    others.append(load(tmp_path / "agent.aixi", make("kuhn-poker"), threads=2))
    places = [copy.deepcopy(environment) for _ in others]
    expected = live(agent, environment, 25)
    for other, place in zip(others, places, strict=True):
        assert live(other, place, 25) == expected
    agent.save(tmp_path / "later.aixi")
    others[0].save(tmp_path / "twin.aixi")
    assert (tmp_path / "later.aixi").read_bytes() == (tmp_path / "twin.aixi").read_bytes()


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "tiger>kuhn-poker@20~40", "locks:2>pacman@30"])
def test_an_environment_goes_on_where_it_stood(name: str) -> None:
    one, other = make(name), make(name)
    rng = random.Random(1)
    one.reset(5)
    other.reset(6)
    for _ in range(60):
        one.step(rng.randrange(len(one.actions)))
    kept = one.keep()
    assert kept is not None
    other.restore(kept)
    actions = [rng.randrange(len(one.actions)) for _ in range(60)]
    assert [one.step(a) for a in actions] == [other.step(a) for a in actions]
    assert one.render() == other.render()


def test_an_environment_with_steps_of_its_own_has_to_say_where_it_stands() -> None:
    class Stubborn(type(make("tiger"))):  # type: ignore[misc]
        def step(self, action: int) -> Percept:
            return super().step(action)  # type: ignore[no-any-return]

    assert Stubborn().keep() is None
    assert make("gym:CartPole-v1").keep() is None


def test_an_evaluation_cannot_be_kept(tmp_path: Path) -> None:
    agent, environment = build_agent("tiger", settings=SHORT), make("tiger")
    with agent.evaluation():
        for attempt in (agent.keep, lambda: agent.save(tmp_path / "x"), lambda: pickle.dumps(agent)):
            with pytest.raises(ValueError, match="marked can't be kept"):
                attempt()
    assert not list(tmp_path.iterdir())
    deque(interact(agent, environment, cycles=3), maxlen=0)
    agent.save(tmp_path / "x")


def test_an_agent_put_together_by_hand_is_pickled_and_not_saved(tmp_path: Path) -> None:
    environment = make("tiger")
    coding = environment.coding
    agent = Agent(coding, FactoredContextTree(9, 2, 9), planner=RhoUCT(coding, 3, simulations=7), seed=2)
    deque(interact(agent, environment, cycles=9), maxlen=0)
    with pytest.raises(ValueError, match="put together by hand can't be saved: use build_agent, or pickle it"):
        agent.save(tmp_path / "x")
    twin, place = pickle.loads(pickle.dumps(agent)), copy.deepcopy(environment)
    assert list(interact(agent, environment, cycles=9)) == list(interact(twin, place, cycles=9))


class Fragile(FactoredContextTree):
    """Fails in the midst of a cycle when it is told to."""

    def learn(self, cycle: Any) -> float:
        if getattr(self, "fails", False):
            super().learn(cycle[:3])
            raise MemoryError("no memory")
        return super().learn(cycle)


def test_an_agent_that_took_in_half_a_cycle_refuses_to_go_on(tmp_path: Path) -> None:
    coding = make("tiger").coding
    agent = Agent(coding, Fragile(9, 2, 9), planner=RhoUCT(coding, 3, simulations=7))
    agent.predictor.fails = True  # type: ignore[attr-defined]
    with pytest.raises(MemoryError):
        agent.observe(0, Percept(0, -1))
    for attempt in (agent.act, agent.keep, lambda: agent.observe(0, Percept(0, -1))):
        with pytest.raises(AgentFault, match="stopped in the middle of a cycle: go on with what was saved before"):
            attempt()


# ------------------------------------------------------------------------------------------------ of one's own

FORGETFUL = """
import numpy as np
from aixi_approx import Planner
from aixi_approx.planner import SearchResult
class Forgetful(Planner):
    def __init__(self, coding):
        self.coding, self.turn, self.marks = coding, 0, []
    def search(self, predictor, random, *, simulations=None):
        value = np.zeros(self.coding.actions)
        return SearchResult(self.turn % self.coding.actions, value, np.zeros(len(value), dtype=np.int64), 0)
    def advance(self, action, percept, *, learned=True):
        self.turn += 1
    def mark(self):
        self.marks.append(self.turn)
        return len(self.marks) - 1
    def revert(self, mark):
        self.turn = self.marks[mark]
        del self.marks[mark:]
"""
KEPT = """
    def keep(self):
        return {"turn": self.turn}
    def restore(self, kept):
        self.turn = kept["turn"]
"""


def test_a_predictor_of_plain_data_is_kept_without_further_ado(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FREQUENCY)
    name = f"{tmp_path}/mine.py:Frequency"
    agent, environment = build_agent("coin-flip", name, settings=SHORT, seed=3), make("coin-flip")
    live(agent, environment, 20)
    agent.save(tmp_path / "agent.aixi")
    with pytest.raises(
        ValueError, match=r"agent.aixi: it is made of .*mine.py:Frequency, code outside this package: say trust"
    ):
        load(tmp_path / "agent.aixi")
    twin, place = load(tmp_path / "agent.aixi", trust=True), copy.deepcopy(environment)
    assert live(twin, place, 20) == live(agent, environment, 20)
    agent.predictor.secret = lambda: 3  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="Frequency can't be kept: its attribute secret is a function"):
        agent.save(tmp_path / "agent.aixi")


def test_a_planner_that_can_go_back_has_to_say_what_it_keeps(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FORGETFUL)
    name = f"{tmp_path}/mine.py:Forgetful"
    agent = build_agent("tiger", planner=name, settings=SHORT)
    with pytest.raises(ValueError, match="Forgetful can't be kept: give it the methods keep and restore"):
        agent.save(tmp_path / "agent.aixi")
    (tmp_path / "yours.py").write_text(FORGETFUL + KEPT)
    agent = build_agent("tiger", planner=f"{tmp_path}/yours.py:Forgetful", settings=SHORT._replace(epsilon=0.0))
    deque(interact(agent, make("tiger"), cycles=4), maxlen=0)
    agent.save(tmp_path / "agent.aixi")
    assert load(tmp_path / "agent.aixi", trust=True).act().action == 4 % 3


def test_no_code_of_a_stranger_is_run(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom aixi_approx.envs.tiger import Tiger")
    agent = build_agent("tiger", settings=SHORT)
    for part, names in (
        ("environment", [f"{tmp_path}/evil.py:Tiger", "gym:evil:Env-v0", f"tiger>{tmp_path}/evil.py:Tiger@9"]),
        ("model", [f"{tmp_path}/evil.py:Tiger"]),
        ("planner", [{"name": f"{tmp_path}/evil.py:Tiger"}, {"policy": f"{tmp_path}/evil.py:Tiger"}]),
    ):
        for name in names:
            assert agent.recipe is not None
            content = {"recipe": {**agent.recipe, part: name}, "kept": agent.keep()}
            write_archive(tmp_path / "x", content, kind="agent")
            with pytest.raises(ValueError, match="code outside this package"):
                load(tmp_path / "x")
    assert not (tmp_path / "ran").exists()


def test_a_planner_without_memory_has_nothing_to_keep() -> None:
    class Mine(Planner):
        def search(self, predictor: Any, random: Any, *, simulations: int | None = None) -> SearchResult:
            raise AssertionError

    assert Mine().keep() == {}


# ------------------------------------------------------------------------------------------------ predictors


@settings(deadline=None, max_examples=40)
@given(
    depth=st.integers(1, 70),
    action_bits=st.integers(0, 3),
    percept_bits=st.integers(1, 4),
    seed=st.integers(0, 99),
    cycles=st.integers(0, 200),
)
def test_a_tree_is_kept_bit_for_bit(
    depth: int, action_bits: int, percept_bits: int, seed: int, cycles: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, rng = tmp_path_factory.getbasetemp() / "tree.aixi", np.random.default_rng(seed)
    tree = FactoredContextTree(depth, action_bits, percept_bits)
    bits = rng.integers(0, 2, (2, cycles * (action_bits + percept_bits)), dtype=np.uint8)
    tree.learn(bits[0])
    mark = tree.mark()
    tree.extend(bits[0][: action_bits + percept_bits])
    tree.revert(mark)
    tree.save(path)
    others = [FactoredContextTree(depth, action_bits, percept_bits).load(path), pickle.loads(pickle.dumps(tree))]
    for other in others:
        assert other.snapshot() == tree.snapshot()
        assert other.nodes == tree.nodes
        assert other.copy().learn(bits[1]) == tree.copy().learn(bits[1])


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_forged_tree_is_refused_or_harmless(data: st.DataObject) -> None:
    tree = FactoredContextTree(6, 1, 2)
    tree.learn(np.random.default_rng(1).integers(0, 2, 300, dtype=np.uint8))
    kept = tree.keep()
    kernel = dict(kept["_kernel"])
    nodes = np.array(kernel["nodes"])
    for _ in range(data.draw(st.integers(1, 4))):
        word = data.draw(st.integers(0, len(nodes) // 4 - 1))
        value = data.draw(st.sampled_from([0, 1, 5, 2**31, 2**31 + 40, 2**32 - 1]) | st.integers(0, 2**32 - 1))
        nodes.view(np.uint32)[word] = value
    kernel["nodes"] = nodes
    for name, values in (
        ("length", [0, 128, 429, 2**31, 2**40, -1]),
        ("phase", [0, 2, 3, -1]),
        ("words", [np.zeros(8, np.uint8), np.array(kernel["words"])[:-8]]),
    ):
        if data.draw(st.integers(0, 9)) == 0:
            kernel[name] = data.draw(st.sampled_from(values))
    other = FactoredContextTree(6, 1, 2)
    before = other.snapshot()
    try:
        other.restore({"_kernel": kernel})
    except (ValueError, OverflowError, MemoryError):
        assert other.snapshot() == before
    else:
        other.learn(np.random.default_rng(2).integers(0, 2, 300, dtype=np.uint8))  # anything but a crash
        other.best_tree()


def test_a_tree_of_another_shape_is_refused(tmp_path: Path) -> None:
    tree = FactoredContextTree(6, 1, 2)
    tree.save(tmp_path / "x")
    with pytest.raises(
        ValueError, match=r"x: a context tree of depth 6 for cycles of 1 \+ 2 bits is not one of depth 7"
    ):
        FactoredContextTree(7, 1, 2).load(tmp_path / "x")
    with pytest.raises(ValueError, match="holds a FactoredContextTree, not a ContextTree"):
        ContextTree(6).load(tmp_path / "x")


# ------------------------------------------------------------------------------------------------ bounded memory


@settings(deadline=None, max_examples=30)
@given(memory=st.integers(3_000, 60_000), depth=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_bounded_tree_predicts_probabilities_and_undoes_exactly(memory: int, depth: int, seed: int) -> None:
    tree, rng = FactoredContextTree(depth, 1, 2, most_memory=memory), np.random.default_rng(seed)
    free = FactoredContextTree(depth, 1, 2)
    bits = rng.integers(0, 2, 3 * 400, dtype=np.uint8)
    bits[2::3] = bits[::3]  # something to learn
    for cycle in bits.reshape(-1, 3):
        grew = not tree.full
        tree.append(int(cycle[0]))
        free.append(int(cycle[0]))
        for bit in cycle[1:].tolist():
            one = tree.predict()
            before, mark = tree.snapshot(), tree.mark()
            assert tree.update(1) == one
            tree.revert(mark)
            assert tree.snapshot() == before
            p = tree.update(bit)
            assert p == pytest.approx(one if bit else 1 - one)
            assert 0 < p < 1
            assert free.update(bit) == p or not grew or tree.full
        assert tree.memory <= memory
    if tree.full:
        assert tree.nodes < free.nodes
    twin = pickle.loads(pickle.dumps(tree))
    assert twin.learn(bits[:300]) == tree.learn(bits[:300])
    assert twin.full == tree.full


def test_a_bounded_tree_goes_on_learning() -> None:
    rng = np.random.default_rng(1)
    tree = FactoredContextTree(16, 1, 1, most_memory=40_000)
    tree.learn(rng.integers(0, 2, 12_000, dtype=np.uint8))
    assert tree.full
    bits = np.zeros(20_000, dtype=np.uint8)
    bits[1::2] = rng.random(10_000) < 0.1
    start, end = tree.learn(bits[:2_000]) / 1_000, tree.learn(bits[2_000:]) / 9_000
    assert end < min(start, 0.6), "the entropy is 0.47 bits"


def test_too_little_memory_is_refused() -> None:
    for least in (0, 100):
        with pytest.raises(ValueError, match=f"{least} bytes are too few for context trees of depth 96"):
            FactoredContextTree(96, 2, 9, most_memory=least)
    for model, planner in (("ctw", "q-learning"), ("ctw", "random"), ("true", "expectimax")):
        with pytest.raises(ValueError, match="takes no bound of memory: leave it out"):
            build_agent("tiger", model, planner=planner, settings=SHORT._replace(most_memory=10**6))


BOUNDED = """
import resource, sys
from collections import deque
import numpy as np
from aixi_approx import build_agent, interact, make
from aixi_approx.builder import build_planner
name, model, planner, most, simulations = sys.argv[1:]
settings = make(name).settings._replace(simulations=int(simulations), depth=60, epsilon=0.0)
def run(bound, **changes):
    environment = make(name)
    agent = build_agent(environment, model, planner=planner, settings=settings._replace(most_memory=bound, **changes))
    if model == "ctw" and planner != "aiqi":
        bits = np.random.default_rng(1).integers(0, 2, 40_000, dtype=np.uint8)
        for _ in range(40 if bound and "simulations" not in changes else 1):
            agent.predictor.learn(bits[: len(bits) // agent.coding.cycle_bits * agent.coding.cycle_bits])
    rows = list(interact(agent, environment, cycles=3))
    return agent, rows
run(10**6, simulations=100)   # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
agent, rows = run(int(most))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, rows[-1].simulations)
"""


@pytest.mark.parametrize(
    ("name", "model", "planner", "simulations"),
    [
        ("tiger", "ctw", "dpuct", 20_000),
        ("tiger", "ctw", "rhouct", 100_000),
        ("rocksample:4-4", "true", "dpuct", 100_000),
        ("rocksample:4-4", "true", "rhouct", 300_000),
    ],
)
def test_the_bound_holds(name: str, model: str, planner: str, simulations: int) -> None:
    most, slack = 20_000_000, 6_000_000  # the allocator's own, and the undo log
    arguments = [name, model, planner, str(most), str(simulations)]
    process = subprocess.run(
        [sys.executable, "-c", BOUNDED, *arguments], capture_output=True, text=True, check=True, timeout=300
    )
    taken, made = map(int, process.stdout.split())
    assert taken <= most + slack
    assert made > 0


def test_a_bound_beyond_what_there_is_is_told() -> None:
    code = "import resource as r; r.setrlimit(r.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    code += "from aixi_approx.predictors import FactoredContextTree\nFactoredContextTree(8, 1, 1, most_memory=1 << 34)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.stderr.strip().endswith("MemoryError: no memory for context trees of 17179869184 bytes")


def test_coding_is_what_is_compared() -> None:
    one, other = build_agent("tiger", settings=SHORT), build_agent("kuhn-poker", settings=SHORT)
    assert isinstance(one.coding, Coding)
    with pytest.raises(ValueError, match="it lived with other actions, observations or rewards"):
        one.restore(other.keep())


@pytest.mark.parametrize("name", ["learn", "mark", "depth", "_callbacks", "independent_bits", "fault"])
def test_a_forged_attribute_is_refused(name: str, saved: Path, tmp_path: Path) -> None:
    content = read_archive(saved, kind="agent").content
    content["kept"]["predictor"][name] = 3
    write_archive(tmp_path / "x", content, kind="agent")
    with pytest.raises(ValueError, match=f"x: it is not the state of a FactoredContextTree: {name} is no part of that"):
        load(tmp_path / "x")
    del content["kept"]["predictor"][name], content["kept"]["predictor"]["_kernel"]
    write_archive(tmp_path / "x", content, kind="agent")
    with pytest.raises(ValueError, match="x: it is not the state of a FactoredContextTree: it has no _kernel"):
        load(tmp_path / "x")


@pytest.mark.parametrize(
    ("part", "value"),
    [("exploration", [5.0, 1.0]), ("exploration", "no"), ("cycle", -1), ("kinds", ["A", "B"]), ("seed", "x")],
)
def test_forged_numbers_are_refused(part: str, value: Any, saved: Path, tmp_path: Path) -> None:
    content = read_archive(saved, kind="agent").content
    content["kept"][part] = value
    write_archive(tmp_path / "x", content, kind="agent")
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'x'}: ")):
        load(tmp_path / "x")


def test_knowledge_of_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FREQUENCY)
    other = build_agent("coin-flip", f"{tmp_path}/mine.py:Frequency", settings=SHORT)
    for agent in (build_agent("coin-flip", settings=SHORT), build_agent("coin-flip", "true", settings=SHORT)):
        with pytest.raises(ValueError, match=r"its model is a Frequency, and here it is a .*: take the same model"):
            agent.learn_from(other.keep())
