"""A predictor in Cython that stands outside the package, built on what `get_include` offers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import PlainPredictor

import aixi_approx as aixi
from aixi_approx.conformance.predictor import check_predictor
from aixi_approx.planners.rho_uct import RhoUCT
from aixi_approx.predictor import Predictor, PredictorError
from aixi_approx.predictor_abi import FAILED, OPERATION
from aixi_approx.randomness import stream

SOURCE = Path(__file__).parent / "extensions" / "cython_frequency"


@pytest.fixture(scope="module")
def frequency(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The extension, built as its author would build it: in a folder of its own."""
    folder = tmp_path_factory.mktemp("outside") / "cython_frequency"
    shutil.copytree(SOURCE, folder)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("frequency.*.so")
    spec = importlib.util.spec_from_file_location("frequency", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PlainFrequencies:
    """The same predictor on a dictionary."""

    def __init__(self, depth: int, action_bits: int, percept_bits: int) -> None:
        self.depth, self.action_bits, self.cycle_bits = depth, action_bits, action_bits + percept_bits
        self.history = [0] * depth
        self.counts: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0])

    @property
    def in_action(self) -> bool:
        return (len(self.history) - self.depth) % self.cycle_bits < self.action_bits

    @property
    def count(self) -> list[int]:
        phase = (len(self.history) - self.depth) % self.cycle_bits
        return self.counts[(phase, *self.history[-self.depth :])]

    def predict(self) -> float:
        return (self.count[1] + 0.5) / (sum(self.count) + 1)

    def update(self, bit: int) -> float:
        p = self.predict() if bit else 1 - self.predict()
        self.count[bit] += 1
        self.history.append(bit)
        return p

    def append(self, bit: int) -> None:
        self.history.append(bit)


class PlainFrequency(PlainPredictor):
    """`PlainFrequencies` with the undo of `PlainPredictor`: a copy of everything."""

    bits_apart = True

    def __init__(self, depth: int, action_bits: int, percept_bits: int) -> None:
        super().__init__(1, action_bits, percept_bits)
        self.trees = PlainFrequencies(depth, action_bits, percept_bits)  # type: ignore[assignment]


@pytest.mark.parametrize("shape", [(1, 0, 1), (5, 2, 3), (24, 1, 1)])
def test_keeps_to_the_interface(frequency: ModuleType, shape: tuple[int, int, int]) -> None:
    check_predictor(frequency.Frequency(*shape))


@given(
    depth=st.integers(1, 12),
    action_bits=st.integers(0, 2),
    percept_bits=st.integers(1, 3),
    steps=st.lists(st.sampled_from(["0", "1", "0", "1", "append", "mark", "revert"]), max_size=300),
)
@settings(deadline=None, max_examples=100)
def test_equals_the_plain_twin(
    frequency: ModuleType, depth: int, action_bits: int, percept_bits: int, steps: list[str]
) -> None:
    fast = frequency.Frequency(depth, action_bits, percept_bits)
    plain = PlainFrequency(depth, action_bits, percept_bits)
    marks: list[int] = []
    for i, step in enumerate(steps):
        in_action = plain.trees.in_action  # type: ignore[attr-defined]
        if step == "mark":
            marks.append(fast.mark())
            assert marks[-1] == plain.mark()
        elif step == "revert":
            if marks:
                number = marks[i % len(marks)]
                fast.revert(number)
                plain.revert(number)
                marks = [mark for mark in marks if mark < number]
        elif in_action or step == "append":
            fast.append(i % 3 == 0)
            plain.append(int(i % 3 == 0))
        else:
            assert fast.predict() == plain.predict()
            assert fast.update(int(step)) == pytest.approx(plain.update(int(step)), rel=1e-15)


def test_undo_is_exact_over_arrays_that_grow(frequency: ModuleType) -> None:
    """The words of the history, the entries and the marks outgrow what they began with."""
    random = np.random.default_rng(1)
    fast, twin = frequency.Frequency(10, 0, 2), frequency.Frequency(10, 0, 2)
    past, future = (random.integers(2, size=20_000).tolist() for _ in range(2))
    assert fast.learn(past) == twin.learn(past)
    marks = []
    for bit in future:
        marks.append(fast.mark())
        fast.update(bit)
    fast.revert(marks[5_000])
    fast.revert(marks[0])
    assert fast.learn(future) == twin.learn(future)


def test_a_planner_searches_with_it_as_with_its_twin(frequency: ModuleType) -> None:
    environment = aixi.make("tiger")
    environment.reset(1)
    coding = environment.coding
    fast, plain = (kind(4, coding.action_bits, coding.percept_bits) for kind in (frequency.Frequency, PlainFrequency))
    for action in np.random.default_rng(1).integers(coding.actions, size=200):
        cycle = coding.cycle(int(action), *environment.step(int(action)))
        assert fast.learn(cycle) == pytest.approx(plain.learn(cycle), rel=1e-14)
    found, same = (RhoUCT(coding, 3, simulations=200).search(predictor, stream(1)) for predictor in (fast, plain))
    assert repr(found) == repr(same)


def test_an_agent_learns_with_it(frequency: ModuleType) -> None:
    """Biased rock-paper-scissors: the opponent repeats a rock that won."""
    environment = aixi.make("biased-rps")
    coding = environment.coding
    predictor = frequency.Frequency(8, coding.action_bits, coding.percept_bits)
    agent = aixi.Agent(coding, predictor, planner=RhoUCT(coding, 2, simulations=200), seed=1)
    list(aixi.interact(agent, environment, cycles=3_000))
    reward = aixi.average([row.reward for row in aixi.evaluate(agent, environment, cycles=500)]).mean
    assert reward > 0.1  # a random player gets 0


def test_what_fails_changes_nothing(frequency: ModuleType) -> None:
    predictor = frequency.Frequency(4, 1, 1)
    for wrong in (predictor.predict, lambda: predictor.update(1), lambda: predictor.revert(0)):
        with pytest.raises(PredictorError, match="action bit is next"):
            wrong()
    addresses = predictor.addresses
    assert OPERATION(addresses.update)(addresses.state, 1) == FAILED
    predictor.append(1)
    assert predictor.predict() == 0.5
    with pytest.raises(ValueError, match="depth is 25"):
        frequency.Frequency(25, 1, 1)
    assert isinstance(predictor, Predictor)
