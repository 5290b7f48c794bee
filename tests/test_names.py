"""Environments by name: unique beginnings, parameters, files, installed packages; what is wrong is one line."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aixi_approx import Environment, EnvironmentFault, Percept, build_agent, check_environment, make, mc_aixi
from aixi_approx.cli import main
from aixi_approx.envs import ENVIRONMENTS, installed, maker

Captured = pytest.CaptureFixture[str]

LAKE = '''"""A package of somebody else."""
from aixi_approx import Environment, Outcome, Percept, POMDP
print("the lake is loaded")
class Lake(POMDP):
    """A frozen lake of some size; to skate pays 1."""
    actions, observations = ("wait", "skate"), ("ice",)
    min_reward, max_reward = 0, 1
    def __init__(self, size=4, ice="thin"):
        self.length, self.ice = size, ice
        super().__init__()
    def start(self):
        return {0: 1}
    def outcomes(self, state, action):
        return [Outcome(1, (state + 1) % self.length, "ice", int(action == "skate"))]
class Sized(Lake):
    sizes = ("8", "16")
    def __init__(self, size):
        super().__init__(size)
class Pond:
    pass
class Frozen(Lake):
    random_reward = property(lambda self: 1 / 0)
'''
POINTS = """[aixi_approx.environments]
Frozen_Lake = lakes:Lake
sized-lake = lakes:Sized
tiger = lakes:Lake
"""
BROKEN = """broken-absent = lakes:Absent
broken-import = sunken:Lake
broken-kind = lakes:Pond
broken-reward = lakes:Frozen
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_env.py").write_text(LAKE)
    return tmp_path


def install(points: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package as pip would."""
    (folder / "lakes.py").write_text(LAKE)
    (folder / "sunken.py").write_text("depth = 3\nraise ImportError('no water')\n")
    info = folder / "lakes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lakes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(folder)
    for module in ("lakes", "sunken"):
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.mark.parametrize(
    ("name", "known"),
    [("kuhn", "kuhn-poker"), ("Kuhn_Poker", "kuhn-poker"), ("pac", "pacman"), ("tiger", "tiger"), ("1", "1d-maze")],
)
def test_a_beginning_that_only_one_has_will_do(name: str, known: str) -> None:
    assert type(make(name)) is type(make(known))
    assert known in ENVIRONMENTS


def test_parameters_are_handed_over(place: Path) -> None:
    assert [make(name).size for name in ("locks:3", "lock:1", "locks:03", "locks")] == [8, 4, 8, 6]
    assert [make(name).size for name in ("my_env.py:Lake", "my_env.py:Lake:8", "my_env.py:Sized:9")] == [4, 8, 9]
    lake = make("my_env.py:Lake:5-thick")
    assert (lake.length, lake.ice) == (5, "thick")


def test_a_file_is_run_once_for_all_instances(place: Path, capsys: Captured) -> None:
    new = maker("my_env.py:Lake:6")
    first, second = new(), new()
    assert type(first) is type(second)
    assert (first is second, second.size) == (False, 6)
    assert capsys.readouterr().out == "the lake is loaded\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tigre", "no environment 'tigre': did you mean tiger?"),
        ("ti", "'ti' is the beginning of tiger, tic-tac-toe, tic-tac-toe-first: say which"),
        ("zzz", "no environment 'zzz': there are coin-flip, 1d-maze"),
        ("tiger:3", "tiger:3: it has no parameters"),
        ("tiger:", "tiger:: it has no parameters"),
        ("locks:x", "locks:x: the number of locks is 'x': it must be a whole number"),
        ("locks:0", "locks:0: the number of locks is 0: it must lie in 1 to 20"),
        ("locks:1.5", "locks:1.5: the number of locks is '1.5': it must be a whole number"),
        ("locks:²", "locks:²: the number of locks is '²': it must be a whole number"),
        ("locks:", "locks:: the number of locks is '': it must be a whole number"),
        ("locks:1-2", "locks:1-2: its parameters are LOCKS, for example locks:1"),
        ("lock:-3", "lock:-3: its parameters are LOCKS, for example lock:1"),
        ("absent.py:Lake", "no file 'absent.py'"),
        ("my_env.py", "which class of my_env.py? Say my_env.py:MyClass"),
        ("my_env.py:", "which class of my_env.py? Say my_env.py:MyClass"),
        ("my_env.py:Sea", "my_env.py:Sea: there is no class of that name derived from aixi_approx.Environment"),
        ("my_env.py:Pond", "my_env.py:Pond: there is no class of that name derived from aixi_approx.Environment"),
        ("my_env.py:Lake:1-2-3", "my_env.py:Lake:1-2-3: its parameters are SIZE-ICE"),
        ("my_env.py:Sized", "my_env.py:Sized: its parameters are SIZE, for example my_env.py:Sized:8"),
        ("my_env.py:Lake:long", "Lake: action 'wait' in state 0: TypeError: unsupported operand"),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_wrong_name_is_one_line(name: str, message: str, capsys: Captured) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        make(name)
    assert str(fault.value).startswith(message)
    for command in ("run", "solve", "check", "play"):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([command, name])
        assert stop.value.code == 2
        out, err = capsys.readouterr()
        if command == "check" and out:  # it was found and can't be built
            assert f"FAILED  declaration   {message}" in out
        else:
            assert (out, err.splitlines()[-1].startswith(f"aixi: {message}")) == ("", True)


def test_packages_offer_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    install(POINTS, tmp_path, monkeypatch)
    assert list(installed()) == ["frozen-lake", "sized-lake"], "a name of the table stays what it is"
    assert [make(name).size for name in ("frozen-lake", "frozen_lake:7", "froz", "sized:8")] == [4, 7, 4, 8]
    assert make("tiger").size == 2
    with pytest.raises(EnvironmentFault, match=r"^sized: its parameters are SIZE, for example sized:8$"):
        make("sized")
    with pytest.raises(EnvironmentFault, match="no environment 'frozen-lakes': did you mean frozen-lake"):
        make("frozen-lakes")
    capsys.readouterr()
    main(["check", "frozen-lake:3", "--cycles", "20", "--json"])
    findings = {finding["check"]: finding["result"] for finding in json.loads(capsys.readouterr().out)["diagnostics"]}
    assert findings["processes"] == "passed"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken-absent", "as lakes:Absent, can't be loaded: AttributeError: module 'lakes' has no attribute 'Absent'"),
        ("broken-import", "as sunken:Lake, can't be loaded: ImportError: no water (sunken.py, line 2)"),
        ("broken-kind", "broken-kind: there is no class of that name derived from aixi_approx.Environment"),
    ],
)
def test_a_broken_package_is_one_line(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(POINTS + BROKEN, tmp_path, monkeypatch)
    with pytest.raises(EnvironmentFault) as fault:
        make(name)
    assert message in str(fault.value)


def test_the_list_has_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr("aixi_approx.envs.ENVIRONMENTS", {name: ENVIRONMENTS[name] for name in ("coin-flip", "tiger")})
    install(POINTS + BROKEN, tmp_path, monkeypatch)
    main(["envs", "--json"])
    out, err = capsys.readouterr()
    listed = json.loads(out)
    assert list(listed) == ["coin-flip", "tiger", "frozen-lake"]
    assert (listed["frozen-lake"]["optimum"], listed["frozen-lake"]["states"]) == (1, 4)
    assert "the lake is loaded" in err
    lines = [line for line in err.splitlines() if line.startswith("aixi envs: ")]
    assert [line.split(":")[1].strip() for line in lines] == [
        *("broken-absent", "broken-import", "broken-kind", "broken-reward", "sized-lake"),
    ]
    main(["envs"])
    out, err = capsys.readouterr()
    assert "frozen-lake" in out
    assert len(err.splitlines()) == 5


# What is no name: an instance, a class, something else.


class Mine(Environment):
    """Pays for what was done before."""

    actions = observations = ("zero", "one")
    min_reward, max_reward = 0, 1

    def reset(self, seed: int) -> None:
        self.last = 0

    def step(self, action: int) -> Percept:
        reward, self.last = int(action == self.last), action
        return Percept(action, reward)


class Sized(Mine):
    """Can't be made without a size."""

    def __init__(self, size: int) -> None:
        self.size_ = size


def test_an_instance_or_a_class_will_do() -> None:
    tiger = make("locks:3")
    assert make(tiger) is tiger
    assert maker(tiger)().size == 8
    assert maker(tiger)() is not tiger
    assert type(make(Mine)) is type(maker(Mine)()) is Mine
    assert make(Mine).name == "Mine"
    for environment in ("tiger", make("tiger"), type(make("tiger"))):
        assert mc_aixi(environment, depth=8, simulations=3).coding == make("tiger").coding
        assert build_agent(environment, planner="random").coding == make("tiger").coding
        found = check_environment(environment, cycles=30)
        assert not [diagnostic for diagnostic in found if diagnostic.result == "failed"]
    assert {"processes"} <= {diagnostic.check for diagnostic in check_environment(make("tiger"), cycles=20)}
    assert mc_aixi(Mine(), depth=8, simulations=3).coding == Mine().coding


@pytest.mark.parametrize("use", [make, maker, mc_aixi, build_agent, check_environment])
@pytest.mark.parametrize("wrong", [42, None, ["tiger"], {"name": "tiger"}, 0.5])
def test_something_else_is_one_line(use: Callable[[Any], Any], wrong: Any) -> None:
    with pytest.raises(EnvironmentFault, match="is no environment: give a name, a class derived from") as fault:
        use(wrong)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("wrong", [dict, int, lambda: 3])
def test_what_makes_no_environment_is_one_line(wrong: Callable[[], Any]) -> None:
    for use in (make, mc_aixi):
        with pytest.raises(EnvironmentFault, match=r"it is no environment, but .*: derive it from aixi_approx\.En"):
            use(wrong)
    (only,) = check_environment(wrong)
    assert only.result == "failed"
    assert "it is no environment" in only.message


def test_an_instance_without_a_name_is_one_line() -> None:
    with pytest.raises(EnvironmentFault, match="Sized has no name by which other processes can make it"):
        check_environment(Sized(3))
    assert make(Sized(3)).name == "Sized"


def test_editors_see_the_options_of_the_agent() -> None:
    names = list(inspect.signature(mc_aixi).parameters)
    assert names[:3] == ["environment", "depth", "horizon"]
    assert not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(mc_aixi).parameters.values())
