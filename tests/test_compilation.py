"""Compiled code on disk: an edit of any file that it comes from is noticed, and without one nothing is compiled."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_architecture import FILES, ROOT, module_name

from aixi_approx import compilation

# A compiled function of the user, in a file outside the package; it calls `help` in a file beside it.
ROLLOUT = """
from aixi_approx.compilation import kernel
from aixi_approx.randomness import below
from helper import help

@kernel
def roll(state):
    return help(below(state, 1000))
"""
HELPER = """
from aixi_approx.compilation import kernel

@kernel
def help(number):
    return number
"""
PROGRAM = """
import json, sys, warnings
import numpy as np
sys.path.insert(0, ".")
import aixi_approx.planners.pouct as pouct
from aixi_approx.pomdp.definition import Tables
from aixi_approx.randomness import stream
from rollout import roll

result = {"package": pouct.__file__, "roll": int(roll(stream(1)))}
counted = [roll]
if sys.argv[1:] == ["search"]:
    tables = Tables(**{name: np.zeros(3, np.float64 if name == "probability" else np.int64) for name in Tables._fields})
    tables.first[1] = 1
    plan = pouct.StatePlan(
        actions=1, percepts=1, horizon=1, plies=1, rule=0, ucb=1.0, scale=1.0, guided=0.0,
    )
    world = pouct.World(tables, np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1), 1, 1, 1, 0)
    tree = pouct.StateTree(
        np.full(1, pouct.ROOT + 1), np.zeros(9, np.int64), np.zeros((9, 1), np.int32), np.zeros((9, 1)),
        np.zeros((2, 1)), np.full((16, 2), pouct.FREE),
    )
    tree.total[pouct.ROOT] = 1
    trace = pouct.StateTrace(*(np.zeros(1, np.int64) for _ in pouct.StateTrace._fields))
    pouct._run(tree, plan, world, np.zeros(6, np.int64), stream(1), trace, np.zeros(99), 5)
    result["visits"] = int(tree.visits[pouct.ROOT, 0])
    counted.append(pouct._run)
result["hits"] = [sum(f.stats.cache_hits.values()) for f in counted]
result["misses"] = [sum(f.stats.cache_misses.values()) for f in counted]
print(json.dumps(result))
"""


class Copy:
    """A copy of the package and of a user's files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / "aixi_approx", folder / "aixi_approx", ignore=ignored)
        (folder / "rollout.py").write_text(ROLLOUT)
        (folder / "helper.py").write_text(HELPER)

    def run(self, *arguments: str, **environment: str) -> dict:
        """Use it in a fresh process."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
            env={**inherited, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert not process.stderr
        result = json.loads(process.stdout)
        assert Path(result.pop("package")).is_relative_to(self.folder)
        return result

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that is there once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1
        path.write_text(text.replace(old, new))

    def cached(self) -> list[str]:
        """The index files of the cache."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.nbi"))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_an_edit_of_a_callee_in_another_file_is_noticed(copy: Copy) -> None:
    first = copy.run()
    assert (first["hits"], first["misses"]) == ([0], [1])
    files = copy.cached()
    assert copy.run() == {**first, "hits": [1], "misses": [0]}

    copy.edit("aixi_approx/randomness.py", "return int(draw(state) * n)", "return n")
    assert copy.run() == {**first, "roll": 1000}
    assert copy.run() == {"roll": 1000, "hits": [1], "misses": [0]}

    copy.edit("helper.py", "return number", "return number + 1")
    assert copy.run() == {**first, "roll": 1001}

    copy.edit("aixi_approx/coding.py", '"""Actions', '"""The actions')  # compiles nothing
    assert copy.run() == {"roll": 1001, "hits": [1], "misses": [0]}
    assert copy.cached() == files  # what is out of date is written over


def test_an_edit_of_select_reaches_the_search(copy: Copy) -> None:
    assert copy.run("search")["visits"] == 5
    copy.edit(
        "aixi_approx/planners/tree_search.py", "    untried = 0\n", "    tree.visits[node, 0] += 10\n    untried = 0\n"
    )
    result = copy.run("search")
    assert result["visits"] == 5 + 5 * 10
    assert result["misses"] == [1, 1]
    assert copy.run("search") == {**result, "hits": [1, 1], "misses": [0, 0]}


def test_folder_of_the_user(copy: Copy) -> None:
    folder = copy.folder / "elsewhere"
    assert copy.run(NUMBA_CACHE_DIR=str(folder))["misses"] == [1]
    assert copy.run(NUMBA_CACHE_DIR=str(folder))["hits"] == [1]
    assert {path.parts[0] for path in map(Path, copy.cached())} == {"elsewhere"}


def test_without_a_folder_functions_are_compiled_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    compilation._say_once.cache_clear()
    for number in range(2):
        namespace = {"compiled": compilation.compiled, "kernel": compilation.kernel}
        exec("@kernel\ndef double(n): return 2 * n\n@compiled\ndef half(n): return n / 2", namespace)  # has no file
        assert namespace["half"](namespace["double"](number)) == number  # type: ignore[operator]
    printed = capsys.readouterr()
    assert "NUMBA_CACHE_DIR" in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


def test_a_division_by_zero_in_a_kernel() -> None:
    @compilation.kernel
    def divide(a: float, b: float) -> float:
        return a / b

    assert divide(np.float64(1), np.float64(0)) == np.inf


# ----------------------------------------------------------------------------------------------------- the files


def compiled_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a file that are compiled."""
    names = {"compiled", "kernel"}
    made = {
        argument.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [
        f
        for f in functions
        if f.name in made or any(isinstance(d, ast.Name) and d.id in names for d in f.decorator_list)
    ]


def seen(module: str) -> bool:
    """Whether the digest is made of this file, too."""
    text = Path(importlib.import_module(module).__file__ or "").read_bytes()
    return compilation._COMPILES.search(text) is not None


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_whatever_is_compiled_is_in_the_digest(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if module_name(path) != "aixi_approx.compilation":
        assert "njit" not in path.read_text(), "use the decorators of compilation.py"
    functions = compiled_functions(tree)
    assert not functions or seen(module_name(path))
    home = {
        name.asname or name.name: node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    bodies = [node for function in functions for part in function.body for node in ast.walk(part)]
    for name in {node.id for node in bodies if isinstance(node, ast.Name)} & set(home):
        if home[name].startswith("aixi_approx."):
            assert seen(home[name]), f"a compiled function uses {name}: an edit of its file would go unnoticed"


def test_the_digest_is_of_the_right_files() -> None:
    files = {module_name(path).removeprefix("aixi_approx.") for path in FILES if seen(module_name(path))}
    assert {"compilation", "predictor_abi", "randomness", "planners.tree_search", "planners.rho_uct"} <= files
    assert len(files) < 20
