"""Compiled code on disk: edits of what it comes from and damage are noticed, and without them nothing is compiled."""

from __future__ import annotations

import ast
import errno
import importlib
import importlib.util
import json
import os
import pickle
import random
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_architecture import FILES, ROOT, module_name

from aixi_approx import compilation
from aixi_approx.execution.processes import Processes

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
    world = pouct.World(tables, np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1), 1, 1, 1)
    tree = pouct.StateTree(
        np.full(1, pouct.ROOT + 1), np.zeros(9, np.int64), np.zeros((9, 1), np.int32), np.zeros((9, 1)),
        np.zeros((2, 1)), np.full((16, 2), pouct.FREE),
    )
    tree.total[pouct.ROOT] = 1
    trace = pouct.StateTrace(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1))
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

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Begin to use it in a fresh process. What is empty in its environment is not set."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
            env={k: v for k, v in {**inherited, **environment}.items() if v},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, says: str = "", **environment: str) -> dict:
        """Use it in a fresh process, which says nothing on stderr, or one line that contains `says`."""
        return self.end(self.start(*arguments, **environment), says)

    def end(self, process: subprocess.Popen[str], says: str = "") -> dict:
        """What came of a process."""
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert errors.count("\n") == bool(says), errors
        assert says in errors
        result = json.loads(output)
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
    compilation._said.clear()
    for number in range(2):
        namespace = {"compiled": compilation.compiled, "kernel": compilation.kernel}
        exec("@kernel\ndef double(n): return 2 * n\n@compiled\ndef half(n): return n / 2", namespace)  # has no file
        assert namespace["half"](namespace["double"](number)) == number  # type: ignore[operator]
    printed = capsys.readouterr()
    assert "NUMBA_CACHE_DIR" in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda file: b"",
    "half": lambda file: file[: len(file) // 2],
    "a bit of the code": lambda file: file[:-99] + bytes([file[-99] ^ 4]) + file[-98:],
    "a file of Numba": lambda file: pickle.dumps("0.61.0") + pickle.dumps(("stamp", {})),
}


def test_damaged_code_is_never_used_and_heals(copy: Copy) -> None:
    first = copy.run()
    (path,) = copy.folder.rglob("rollout.roll*.nbi")
    hit = {**first, "hits": [1], "misses": [0]}
    whole = path.read_bytes()
    for what, damage in DAMAGE.items():
        path.write_bytes(damage(whole))
        assert copy.run(says=f"compiled code on disk is damaged, and is compiled anew: {path}") == first, what
    assert copy.run() == hit
    assert [other for other in path.parent.iterdir() if "draft" in other.name] == []

    no_code = compilation._seal(pickle.dumps("no code"), whole[len(compilation._MAGIC) + 32 :][:32])
    path.write_bytes(no_code)  # whole, but of no use
    assert copy.run(says="compiled code on disk is of no use (AttributeError: 'str' object") == first
    assert copy.run() == hit


def test_every_other_bit_and_every_end_is_noticed() -> None:
    origin, code = bytes(range(32)), random.Random(0).randbytes(300)
    file = compilation._seal(code, origin)
    assert compilation._unseal(file, origin) == code
    assert compilation._unseal(file, bytes(32)) is None  # made from something else
    assert compilation._unseal(compilation._seal(b"", origin), origin) == b""
    wrong = [file[:length] for length in range(len(file))]
    wrong += [file[:i] + bytes([file[i] ^ 1 << bit]) + file[i + 1 :] for i in range(len(file)) for bit in range(8)]
    for each in wrong:
        for made_from in (origin, bytes(32)):
            with pytest.raises(compilation._Damaged):
                compilation._unseal(each, made_from)


def test_the_benchmark_of_damage(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    """A sample of benchmarks/trust/cache.py, on files of a run and on one that is short enough to try every bit."""
    cache = SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / "trust" / "cache.py")))
    copy.run()
    files = {path: path.read_bytes() for path in copy.folder.rglob("*.nbi")}
    chance = random.Random(0)
    for damage in cache.DAMAGE.values():
        assert all(cache.noticed(damage(file, chance)) for file in files.values())
    cache.alone({**files, Path("short"): compilation._seal(b"code", bytes(32))}, 100, chance=chance)
    assert capsys.readouterr().out.count("noticed      100") == 2


def test_code_of_another_signature_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file holds the code of all signatures, each under its own."""
    (tmp_path / "rollout.py").write_text(
        "from aixi_approx.compilation import compiled\n@compiled\ndef twice(number): return number + number\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    for misses in (1, 0):
        monkeypatch.delitem(sys.modules, "rollout", raising=False)
        twice = importlib.import_module("rollout").twice
        for value in (1, 1.5, "a"):
            assert twice(value) == value + value
            assert type(twice(value)) is type(value)
        assert sum(twice.stats.cache_misses.values()) == 3 * misses
    assert len(list(tmp_path.rglob("*.nbi"))) == 1
    twice.recompile()  # forgets what is kept, and keeps it anew
    assert sum(twice.stats.cache_misses.values()) == 3


def test_code_of_another_function_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of one is put in the place of the other: both have one signature and, but for a 2, one code."""
    (tmp_path / "rollout.py").write_text(
        "from aixi_approx.compilation import kernel\n@kernel\ndef one(): return 1\n@kernel\ndef two(): return 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.delitem(sys.modules, "rollout", raising=False)
    rollout = importlib.import_module("rollout")
    assert rollout.one() == 1
    (one,), (two,) = rollout.one._cache._paths[:1], rollout.two._cache._paths[:1]
    shutil.copy(one, two)
    assert rollout.two() == 2


def test_two_processes_at_once(copy: Copy) -> None:
    first, second = copy.start(), copy.start()
    result = copy.end(first)
    assert copy.end(second)["roll"] == result["roll"]
    assert copy.run() == {**result, "hits": [1], "misses": [0]}
    assert list(copy.folder.rglob("*.draft")) == []


ELSEWHERE = "set NUMBA_CACHE_DIR to a folder that can be written to ("


def test_nowhere_to_write(copy: Copy) -> None:
    """Also for root, who may write to every folder: but not below a file."""
    first = copy.run()
    for kept in {path.parent for path in copy.folder.rglob("*.nbi")}:
        shutil.rmtree(kept)
        kept.write_text("a file")
    homeless = {"XDG_CACHE_HOME": "", "PYTHONDONTWRITEBYTECODE": "1"}
    for home in ("/proc/nonexistent", "relative"):
        assert copy.run(says=ELSEWHERE, HOME=home, **homeless) == first
    for folder in ("/dev/full", f"{copy.folder}/helper.py"):
        says = f"{ELSEWHERE}{folder}/"
        assert copy.run(says=says, NUMBA_CACHE_DIR=folder) == first
    assert sorted(path.name for path in copy.folder.iterdir()) == [
        "__pycache__", "aixi_approx", "helper.py", "rollout.py",
    ]  # fmt: skip

    (copy.folder / "home").mkdir()
    own = copy.folder / "home"
    assert copy.run(HOME=str(own), **homeless) == first
    assert {path.parts[:3] for path in map(Path, copy.cached())} == {("home", ".cache", "aixi_approx")}
    assert copy.run(HOME=str(own), **homeless) == {**first, "hits": [1], "misses": [0]}


def test_a_home_that_may_not_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.setenv("HOME", "/else/where")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for function in ("os.stat", "pathlib.Path.stat"):
        monkeypatch.setattr(function, refuse)
    assert compilation.code_folders(Path("/package/file.py")) == [Path("/package/__pycache__")]


def test_code_that_came_with_the_installation_is_used_where_nothing_can_be_written(copy: Copy) -> None:
    copy.run()
    program = "import pathlib\ndef refuse(*_): raise OSError(30, 'Read-only file system')\n"
    program += "".join(f"pathlib.Path.{name} = refuse\n" for name in ("write_bytes", "mkdir", "unlink", "replace"))
    (copy.folder / "helper.py").touch()
    (copy.folder / "sitecustomize.py").write_text(program)
    assert copy.run(PYTHONPATH=str(copy.folder))["hits"] == [1]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_is_full_in_the_middle_of_a_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.write_bytes

    def full(path: Path, content: bytes) -> None:
        real(path, content[:100])
        raise OSError(number, os.strerror(number), str(path))

    (tmp_path / "rollout.py").write_text(
        "from aixi_approx.compilation import kernel\n@kernel\ndef one(): return 1\n@kernel\ndef two(): return 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rollout", raising=False)
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "full"))
    rollout = importlib.import_module("rollout")
    monkeypatch.setattr(Path, "write_bytes", full)
    compilation._said.clear()
    assert (rollout.one(), rollout.two()) == (1, 2)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert os.strerror(number) in err
    assert [path for path in (tmp_path / "full").rglob("*") if path.is_file()] == []  # not half of anything


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rollout.py").write_text("from aixi_approx.compilation import kernel\n@kernel\ndef one(): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rollout", raising=False)
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.setenv("HOME", "/proc/nonexistent")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    one = importlib.import_module("rollout").one
    (path,) = one._cache._paths
    path.mkdir(parents=True)  # a folder where the file should be
    assert one() == 1


def test_workers_say_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    compilation._said.clear()
    with Processes(1) as pool:
        pool.submit(compilation._say_once, "kind", "from a worker").result()
    compilation._say_once("kind", "from here")
    compilation._say_once("kind", "from here again")
    assert capfd.readouterr().err == "aixi_approx: from here\n"


def test_a_numba_without_the_names_that_are_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compilation, "CompileResult", None)
    compilation._said.clear()

    @compilation.kernel
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8
    assert double.stats.cache_path is None  # type: ignore[attr-defined]
    assert "this version of Numba keeps no compiled code" in capsys.readouterr().err


def test_without_a_folder_importing_and_help_say_nothing_and_an_agent_is_built() -> None:
    code = "import aixi_approx, aixi_approx.planners.graph_uct; from aixi_approx.cli import main; main(['--help'])"
    agent = "; agent = aixi_approx.build_agent(aixi_approx.make('tiger'), seed=0); print('built')"
    environment = {**os.environ, "NUMBA_CACHE_DIR": "/proc/nonexistent", "HOME": "/proc/nonexistent"}
    for program, says in ((code, ""), (code + agent, ELSEWHERE)):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        assert run.returncode == 0
        assert run.stdout.startswith("Usage")
        assert run.stdout.endswith("built\n") == bool(says)
        assert run.stderr.count("\n") == bool(says)
        assert says in run.stderr


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
    spec = importlib.util.find_spec(module)  # which imports nothing that may not be installed
    assert spec
    text = Path(spec.origin or "").read_bytes()
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
