"""`aixi selftest`: it passes here, and each of its attempts fails where what it tries is spoilt."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from reference import PlainTrees, kt

from aixi_approx import make
from aixi_approx.cli import main
from aixi_approx.conformance import installation, slow_twins
from aixi_approx.conformance.diagnostic import FAILED, NOTE, PASSED, Diagnostic
from aixi_approx.conformance.installation import Installation
from aixi_approx.planner import SearchResult
from aixi_approx.planners.expectimax import Expectimax
from aixi_approx.predictors.context_tree import FactoredContextTree
from aixi_approx.randomness import stream

Patch = pytest.MonkeyPatch
SHORT = ("--cycles", "150", "--evaluate", "10")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: Patch) -> Iterator[Installation]:
    """An installation of which less is tried."""
    for name, value in {"LENGTH": SHORT, "KILLS": 1, "HISTORIES": 8, "REVERTS": 20}.items():
        monkeypatch.setattr(installation, name, value)
    with Installation(tmp_path, seed=5) as here:
        yield here


def tried(here: Installation, number: int) -> Diagnostic:
    return here.attempts()[number].run()


PREDICTIONS, REVERTS, SEARCHES, REPETITION, KILLS, KEPT, DAMAGE, DISK, SPACE = range(9)


# ------------------------------------------------------------------------------------------------------ all is well


def test_all_is_well_here(here: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    main(["selftest", "--seed", "3", "--folder", str(here.folder)])
    out, err = capsys.readouterr()
    assert out.endswith("\n\nall is well\n")
    lines = [line.split()[:2] for line in out.splitlines()[:-2]]
    assert {check for _, check in lines} == {"exactness", "determinism", "crash", "cache", "disk"}
    assert {result for result, _ in lines} <= {PASSED, NOTE}
    assert lines[KILLS] == [PASSED, "crash"]
    assert not err
    assert not list(here.folder.iterdir()), "something is left behind"


def test_what_is_wrong_is_said_in_both_forms(
    here: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: Patch
) -> None:
    well = [attempt for attempt in here.attempts() if attempt.check == "disk"]
    ill = well[0]._replace(what="sailing", run=lambda: Diagnostic("disk", FAILED, "sailing: it sank: take the bridge"))
    monkeypatch.setattr(Installation, "attempts", lambda self: [*well, ill])
    for form in ([], ["--json"]):
        with pytest.raises(SystemExit) as stop:
            main(["selftest", *form, "--folder", str(here.folder)])
        assert stop.value.code == 2
    *_, line, _, end, of_json = capsys.readouterr().out.splitlines()
    assert (line, end) == ("FAILED  disk          sailing: it sank: take the bridge", "1 of 3 failed")
    content = json.loads(of_json)
    assert (content["passed"], content["seed"], len(content["diagnostics"])) == (False, 0, 3)
    assert content["diagnostics"][-1]["message"] == "sailing: it sank: take the bridge"


# ------------------------------------------------------------------------------------------------------- slow twins


def test_the_slow_predictor_is_that_of_the_reference() -> None:
    random = np.random.default_rng(1)
    for depth, action_bits, percept_bits in ((1, 0, 1), (3, 1, 2), (5, 2, 1)):
        plain, history = PlainTrees(depth, action_bits, percept_bits), list[int]()
        for i, bit in enumerate(random.integers(2, size=30).tolist()):
            if i % (action_bits + percept_bits) < action_bits:
                plain.append(bit)
            else:
                one = slow_twins.plain_prediction(history, depth, cycle_bits=action_bits + percept_bits)
                assert one == pytest.approx(plain.predict(), rel=1e-12)
                plain.update(bit)
            history.append(bit)
    assert slow_twins.kt_probability([0, 1, 1, 0, 1]) == kt(2, 3)


def test_the_slow_values_are_those_of_expectimax() -> None:
    coding = make("tiger").coding  # whose rewards do not fill their bits
    tree = FactoredContextTree(12, coding.action_bits, coding.percept_bits)
    for t in range(20):
        tree.learn(coding.cycle(t % 3, t % 2, [-1, -100, 10][t % 3]))
    values = slow_twins.plain_values(tree, coding, horizon=1)
    assert values == pytest.approx(Expectimax(coding, 1, prune=0).search(tree, stream(1)).value, abs=1e-9)
    coding = make("coin-flip").coding
    tree = FactoredContextTree(8, coding.action_bits, coding.percept_bits)
    tree.learn(np.tile(coding.cycle(1, 1, 1), 5))
    values = slow_twins.plain_values(tree, coding, horizon=4)
    assert values == pytest.approx(Expectimax(coding, 4, prune=0).search(tree, stream(1)).value, abs=1e-9)


# --------------------------------------------------------------------------------------------------------- sabotage


def off_by(part: float, method: Callable[..., float]) -> Callable[..., float]:
    return lambda *arguments: method(*arguments) * (1 + part)


@pytest.mark.parametrize("method", ["predict", "update"])
def test_a_predictor_that_is_a_little_off(method: str, here: Installation, monkeypatch: Patch) -> None:
    assert tried(here, PREDICTIONS).result == PASSED
    monkeypatch.setattr(FactoredContextTree, method, off_by(1e-9, getattr(FactoredContextTree, method)))
    check, result, message = tried(here, PREDICTIONS)
    assert (check, result) == ("exactness", FAILED)
    assert "more than 1e-11: install the package again" in message


def test_a_predictor_that_does_not_go_back(here: Installation, monkeypatch: Patch) -> None:
    real = FactoredContextTree.revert

    def revert(tree: FactoredContextTree, mark: int) -> None:
        real(tree, mark)
        if tree.length == 30:
            tree.learn([0, 0, 1])

    monkeypatch.setattr(FactoredContextTree, "revert", revert)
    check, result, message = tried(here, REVERTS)
    assert (check, result) == ("exactness", FAILED)
    assert "another state after" in message


class Wrong(NamedTuple):
    """A planner that is wrong about an action."""

    change: Callable[[SearchResult], SearchResult]
    planner: Any

    def search(self, predictor: Any, random: Any) -> SearchResult:
        return self.change(self.planner.search(predictor, random))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found._replace(value=found.value + 0.06),
        lambda found: found._replace(action=1 - found.action, value=found.value[::-1]),
    ],
    ids=["value", "action"],
)
def test_a_search_that_is_wrong(change: Any, here: Installation, monkeypatch: Patch) -> None:
    real = installation.build_planner
    monkeypatch.setattr(installation, "build_planner", lambda *a, **options: Wrong(change, real(*a, **options)))
    check, result, message = tried(here, SEARCHES)
    assert (check, result) == ("exactness", FAILED)
    assert "and the action loses" in message


def run_in(world: str, folder: Path, monkeypatch: Patch) -> None:
    """Let runs be runs in a world of its own."""
    (folder / "world.py").write_text(world)
    monkeypatch.setattr(installation, "RUN", ("run", f"{folder}/world.py:World", "--planner", "random"))
    monkeypatch.setattr(Installation, "_threads", lambda self, number: ())


HASHED = """
from aixi_approx import Environment, Percept
class World(Environment):
    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        self.cycle = 0
    def step(self, action):
        self.cycle += 1
        return Percept(hash(f"{self.cycle}") % 2, 0)
"""
RESUMED = """
import pathlib, time
from aixi_approx import Environment, Percept
class World(Environment):
    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1
    def reset(self, seed):
        rows = pathlib.Path("killed/learning.csv")
        self.cycle, self.known = 0, rows.read_text().count("\\n") if rows.exists() else 0
    def step(self, action):
        time.sleep(0.002)
        self.cycle += 1
        return Percept(int(0 < self.known < self.cycle), 0)
"""


def test_rows_that_depend_on_the_process(here: Installation, tmp_path: Path, monkeypatch: Patch) -> None:
    run_in(HASHED, tmp_path, monkeypatch)
    check, result, message = tried(here, REPETITION)
    assert (check, result) == ("determinism", FAILED)
    assert "another evaluation.csv: report this" in message


def test_rows_that_depend_on_a_kill(here: Installation, tmp_path: Path, monkeypatch: Patch) -> None:
    run_in(RESUMED, tmp_path, monkeypatch)
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)  # killed in the middle
    check, result, message = tried(here, KILLS)
    assert (check, result) == ("crash", FAILED)
    assert "lines written, and another " in message


def test_a_run_that_fails(here: Installation, monkeypatch: Patch) -> None:
    monkeypatch.setattr(installation, "RUN", ("run", "tigre"))
    for number in (REPETITION, KILLS):
        assert "exit code 2: aixi" in tried(here, number).message


def sabotage(program: str, folder: Path, monkeypatch: Patch) -> None:
    """Let each new process begin with a program."""
    (folder / "sitecustomize.py").write_text(f"from aixi_approx import compilation\n{program}\n")
    monkeypatch.syspath_prepend(folder)


NOT_MENDED = """real = compilation._KeptCode._write
compilation._KeptCode._write = lambda self, path, *rest: path.exists() or real(self, path, *rest)
compilation._remove = lambda path: None"""


@pytest.mark.parametrize(
    ("program", "seen"),
    [
        ("compilation._say_once = lambda *_: None", "it was not noticed: set NUMBA_CACHE_DIR"),
        ("compilation._unseal = lambda file, origin: file[-99:]", "it was not noticed"),
        (NOT_MENDED, "it was not mended, but said 'aixi_approx: compiled code on disk is damaged"),
    ],
    ids=["silent", "trusting", "not mended"],
)
def test_a_cache_that_does_not_heal(
    program: str, seen: str, here: Installation, tmp_path: Path, monkeypatch: Patch
) -> None:
    sabotage(program, tmp_path, monkeypatch)
    check, result, message = tried(here, DAMAGE)
    assert (check, result) == ("cache", FAILED)
    assert seen in message


def test_another_result_after_damage(here: Installation, monkeypatch: Patch) -> None:
    monkeypatch.setattr(installation, "DRAW", f"{installation.DRAW}; import os; print(os.getpid())")
    assert "another result: set NUMBA_CACHE_DIR to a new folder" in tried(here, DAMAGE).message


def test_no_folder_for_compiled_code(here: Installation, monkeypatch: Patch) -> None:
    assert tried(here, KEPT).result == PASSED
    monkeypatch.setattr("numba.config.CACHE_DIR", "/dev/full")
    check, result, message = tried(here, KEPT)
    assert (check, result) == ("cache", NOTE)
    assert "(Not a directory), so every process compiles anew what is not there: set NUMBA_CACHE_DIR" in message


def test_nothing_is_compiled(here: Installation, monkeypatch: Patch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert tried(here, DAMAGE).result == NOTE


def raising(number: int) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_disk_that_is_no_good(here: Installation, monkeypatch: Patch) -> None:
    assert tried(here, DISK).result == PASSED
    spoilt: list[tuple[Any, str, Any, str]] = [
        (os, "fsync", raising(errno.EIO), "syncing failed: Input/output error: name another folder"),
        (Path, "replace", raising(errno.EXDEV), "renaming failed"),
        (Path, "read_bytes", lambda path: b"else", "what was read is not what was written"),
        (installation, "lock", raising(errno.ENOLCK), "locking failed: No locks available"),
        (installation, "LOCK", "print('locked, too')", "two processes can lock one folder"),
        (here, "folder", Path("/proc"), "writing failed: No such file or directory"),
    ]
    for what, name, value, seen in spoilt:
        with monkeypatch.context() as patch:
            patch.setattr(what, name, value)
            check, result, message = tried(here, DISK)
        assert (check, result) == ("disk", FAILED)
        assert seen in message


def test_a_disk_that_is_almost_full(here: Installation, monkeypatch: Patch) -> None:
    assert tried(here, SPACE).result == PASSED
    monkeypatch.setattr(installation, "FREE", 1 << 70)
    assert tried(here, SPACE).result == NOTE


def test_a_process_without_end(here: Installation, monkeypatch: Patch) -> None:
    monkeypatch.setattr(installation, "PATIENCE", 0.2)
    monkeypatch.setattr(installation, "DRAW", "import time; time.sleep(100)")
    check, result, message = tried(here, DAMAGE)
    assert (check, result) == ("cache", FAILED)
    assert "no end after 0.2 s" in message


def test_an_error_of_any_kind_is_a_line(here: Installation, monkeypatch: Patch) -> None:
    monkeypatch.setattr(installation, "make", lambda name: 1 / 0)
    assert "ZeroDivisionError: division by zero" in tried(here, SEARCHES).message
    assert sys.exc_info() == (None, None, None)
