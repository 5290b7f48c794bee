"""The environments, by name. A new one is a file here and a line in the table.

tiger                     one of the table; a beginning that only one has will do, such as kuhn
locks:3, rocksample:4-3   one of a family, with its parameters
my_env.py:Lake            a class in a file, with parameters or without: my_env.py:Lake:8
tiger>biased-rps@10000    environments one after the other: see switching.py
lake                      a class that an installed package offers as an entry point `lake = "package.module:Lake"`
                          of the group `aixi_approx.environments`
gym:FrozenLake-v1         an environment of Gymnasium: from_gymnasium.py tells of options
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from numbers import Real
from pathlib import Path
from typing import Any

from aixi_approx.environment import Environment, EnvironmentFault, Settings, describe_error

ENVIRONMENTS = {
    "coin-flip": "coin_flip:CoinFlip",
    "1d-maze": "maze:Maze1D",
    "cheese-maze": "cheese_maze:CheeseMaze",
    "tiger": "tiger:Tiger",
    "extended-tiger": "extended_tiger:ExtendedTiger",
    "4x4-grid": "grid:Grid4x4",
    "tic-tac-toe": "tic_tac_toe:TicTacToe",
    "tic-tac-toe-first": "tic_tac_toe:TicTacToeFirst",
    "biased-rps": "biased_rps:BiasedRPS",
    "kuhn-poker": "kuhn_poker:KuhnPoker",
    "pacman": "pacman:Pacman",
    "locks": "locks:Locks",
    "corridor": "corridor:Corridor",
    "rocksample": "rocksample:RockSample",
    "t-maze": "t_maze:TMaze",
    "nim": "nim:Nim",
    "hex": "hex:Hex",
    "bandit": "bandit:Bandit",
    "matrix": "matrix_game:MatrixGame",
}
GROUP = "aixi_approx.environments"  # of entry points


def make(name: str) -> Environment:
    """Return a new environment, reset with seed 0, by its name.

    >>> make("locks:3").size
    8

    Raises
    ------
    EnvironmentFault
        If there is none of that name, or the definition is wrong.
    """
    return maker(name)()


def maker(name: str) -> Callable[[], Environment]:
    """Return what makes a new environment of that name whenever it is called; a file is run once for all of them.

    Raises
    ------
    EnvironmentFault
        If there is none of that name, here and when it is called as `make` does.
    """
    if ">" in name:
        switching = importlib.import_module(f"{__name__}.switching")
        return switching.maker(name, maker)
    title, kind, parameters = _find(name)
    return functools.partial(build, title, kind, *parameters)


def build(title: str, kind: Callable[..., Environment], *parameters: int | str) -> Environment:
    """Return a new environment of a class, reset with seed 0, whose declaration makes sense; raise EnvironmentFault."""
    try:
        environment = kind(*parameters)
        environment.title = title
        environment.checked_reset(0)
        environment.coding  # noqa: B018  refuses a wrong declaration
    except EnvironmentFault:
        raise
    except (Exception, SystemExit) as error:
        what = f"it can't be built: {describe_error(error, {kind.__module__})}"
        raise EnvironmentFault(f"{title}: {error if isinstance(error, ValueError) else what}") from error
    settings, optimum = environment.settings, environment.optimum
    if not isinstance(settings, Settings):
        raise EnvironmentFault(f"{title}: settings is {settings!r}: write `settings = Settings(...)`")
    for setting, value in settings._asdict().items():
        if not isinstance(value, int | float):
            raise EnvironmentFault(f"{title}: settings.{setting} is {value!r}, not a number")
    if optimum is not None and not (isinstance(optimum, Real) and math.isfinite(optimum)):
        raise EnvironmentFault(f"{title}: optimum is {optimum!r}: declare a number, or leave it out")
    return environment


def installed() -> dict[str, EntryPoint]:
    """Return what installed packages offer, by name, but for names that are in the table."""
    offered = {point.name.replace("_", "-").lower(): point for point in entry_points(group=GROUP)}
    return {name: offered[name] for name in sorted(offered) if name not in ENVIRONMENTS}


def _find(name: str) -> tuple[str, Callable[..., Environment], list[int | str]]:
    """The full name of an environment, its class, and the parameters that it is built with."""
    if name.startswith("gym:"):
        return name, importlib.import_module(f"{__name__}.from_gymnasium").build, [name.removeprefix("gym:")]
    path, is_file, rest = name.partition(".py:")
    first, colon, written = (rest if is_file else name).partition(":")
    title, kind = (name, _from_file(f"{path}.py", first)) if is_file else _by_name(first, name)
    parameters: list[int | str] = [int(p) if p.isdecimal() else p for p in written.split("-")] if colon else []
    try:
        inspect.signature(kind).bind(*parameters)
    except TypeError:
        names = [p.name for p in inspect.signature(kind).parameters.values()]
        takes = f"its parameters are {'-'.join(names).upper()}" if names else "it has no parameters"
        example = next(iter(kind.sizes), "")
        hint = f", for example {name.removesuffix(colon + written)}:{example}" if example else ""
        raise EnvironmentFault(f"{name}: {takes}{hint}") from None
    return title, kind, parameters


def _by_name(short: str, name: str) -> tuple[str, type[Environment]]:
    """The full name and the class of an environment of the table, or of an installed package."""
    known = short.replace("_", "-").lower()
    offered = installed()
    names = [*ENVIRONMENTS, *offered]
    if known not in names:
        longer = [other for other in names if other.startswith(known)]
        if len(longer) > 1:
            raise EnvironmentFault(f"{name!r} is the beginning of {', '.join(longer)}: say which")
        known = longer[0] if longer else known
    if known in ENVIRONMENTS:
        module, _, class_name = ENVIRONMENTS[known].partition(":")
        kind = getattr(importlib.import_module(f"{__name__}.{module}"), class_name)
        return known + name[len(short) :], _checked(kind, name)
    if known in offered:
        try:
            kind = offered[known].load()
        except (Exception, SystemExit) as error:
            where = f"the installed package that offers it, as {offered[known].value}, can't be loaded"
            raise EnvironmentFault(f"{name}: {where}: {describe_error(error, {offered[known].module})}") from error
        return known + name[len(short) :], _checked(kind, name)
    if Path(name).is_file():
        raise EnvironmentFault(f"which class of {name}? Say {name}:MyClass")
    if Path(f"{short}.py").is_file():
        of_it = name.partition(":")[2] or "MyClass"
        raise EnvironmentFault(f"no environment {name!r}: did you mean {short}.py:{of_it}?")
    near = difflib.get_close_matches(short, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, and my_file.py:MyClass"
    raise EnvironmentFault(f"no environment {name!r}: {hint}")


def _from_file(path: str, class_name: str) -> type[Environment]:
    """The class of a user's own environment."""
    if not Path(path).is_file():
        raise EnvironmentFault(f"no file {path!r}")
    if not class_name:
        raise EnvironmentFault(f"which class of {path}? Say {path}:MyClass")
    spec = importlib.util.spec_from_file_location(f"aixi_environment_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).parent))  # for what it imports beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EnvironmentFault(f"{path}: {describe_error(error, {spec.name})}") from error
    finally:
        sys.path.remove(str(Path(path).parent))
    return _checked(getattr(module, class_name, None), f"{path}:{class_name}")


def _checked(kind: Any, name: str) -> type[Environment]:
    """What was found under a name, if it is an environment."""
    if not (inspect.isclass(kind) and issubclass(kind, Environment)):
        raise EnvironmentFault(f"{name}: there is no class of that name derived from aixi_approx.Environment")
    return kind
