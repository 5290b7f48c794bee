"""The environments, by name. A new one is a file here and a line in the table.

tiger                     one of the table; an unambiguous prefix works too, such as kuhn
locks:3, rocksample:4-3   one of a family, with its parameters
my_env.py:Lake            a class in a file, with parameters or without: my_env.py:Lake:8
tiger>biased-rps@10000    environments one after the other: see switching.py
lake                      a class that an installed package offers as an entry point `lake = "package.module:Lake"`
of the group `aixi_approx.environments`
tiger?discount=0.95       any of them with a discount: it begins anew with probability 0.05 after every cycle
gym:FrozenLake-v1         an environment of Gymnasium: from_gymnasium.py describes the options
dir/tiger.POMDP           a file in Cassandra's format, .POMDP or .MDP: from_cassandra.py
open_spiel:kuhn_poker     a game of OpenSpiel: from_open_spiel.py describes the options
"""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import sys
from collections.abc import Callable
from numbers import Real
from typing import Any

from aixi_approx.environment import Environment, EnvironmentFault, Schedule, Settings
from aixi_approx.registry import Registry
from aixi_approx.validation import describe_error

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
FILES = (".pomdp", ".mdp")  # suffixes of files in Cassandra's format
REGISTRY = Registry(
    "environment",
    package=__name__,
    table=ENVIRONMENTS,
    base="aixi_approx.environment:Environment",
    group="aixi_approx.environments",
    error=EnvironmentFault,
)
installed = REGISTRY.installed


def make(environment: str | type[Environment] | Environment | Any) -> Environment:
    """Return a new environment, reset with seed 0.

    Parameters
    ----------
    environment : str, class or instance
        A name; or a class derived from `Environment`, which is called without parameters. An instance is returned
        as it is, and one of Gymnasium is made again from its specification.

    Raises
    ------
    EnvironmentFault
        If there is no such environment, or its definition is wrong.

    Examples
    --------
    >>> make("locks:3").size
    8
    """
    return environment if isinstance(environment, Environment) else maker(environment)()


def maker(environment: str | Callable[..., Environment] | Any) -> Callable[[], Environment]:
    """Return what makes a new environment whenever it is called; a file is run once for all of them.

    Parameters
    ----------
    environment : str, class or instance
        As in `make`; or any function without parameters that returns an environment.

    Raises
    ------
    EnvironmentFault
        If there is no such environment; here, and when the maker is called.
    """
    if isinstance(environment, Environment):
        environment = name_of(environment)
    if not isinstance(environment, str):
        if callable(environment):
            return _discounted(functools.partial(build, getattr(environment, "__name__", "it"), environment))
        environment = _gymnasium_name(environment)
    if ">" in environment:
        switching = importlib.import_module(f"{__name__}.switching")
        new: Callable[[], Environment] = switching.maker(environment, maker)
        return new
    if environment.startswith("gym:"):
        gymnasium = importlib.import_module(f"{__name__}.from_gymnasium")
        return functools.partial(build, environment, gymnasium.build, environment.removeprefix("gym:"))
    plain, discount = importlib.import_module(f"{__name__}.restarting").split(environment)
    return _discounted(_plain_maker(plain), discount)


def _discounted(plain: Callable[[], Environment], discount: float | None = None) -> Callable[[], Environment]:
    """What makes an environment with a discount: that which is given, or else that which it declares."""
    new: Callable[[], Environment] = importlib.import_module(f"{__name__}.restarting").maker(plain, discount)
    return new


def _plain_maker(environment: str) -> Callable[[], Environment]:
    """What makes the environment of a name without a discount."""
    if environment.lower().endswith(FILES):
        cassandra = importlib.import_module(f"{__name__}.from_cassandra")
        return functools.partial(build, environment, cassandra.build, environment)
    if environment.startswith("open_spiel:"):
        open_spiel = importlib.import_module(f"{__name__}.from_open_spiel")
        return functools.partial(build, environment, open_spiel.build, environment.removeprefix("open_spiel:"))
    title, kind, parameters = REGISTRY.find(environment)
    try:
        inspect.signature(kind).bind(*parameters)
    except TypeError:
        names = [p.name for p in inspect.signature(kind).parameters.values()]
        takes = f"its parameters are {'-'.join(names).upper()}" if names else "it has no parameters"
        example = next(iter(kind.sizes), "")
        written = "-".join(map(str, parameters))
        hint = f", for example {environment.removesuffix(f':{written}')}:{example}" if example else ""
        raise EnvironmentFault(f"{environment}: {takes}{hint}") from None
    return functools.partial(build, title, kind, *parameters)


def name_of(environment: str | type[Environment] | Environment | Any) -> str:
    """Return a name that `make` takes, in this process and in any other.

    Raises
    ------
    EnvironmentFault
        If it has none: it was not made by name, and its class does not stand in a file.
    """
    if isinstance(environment, str):
        return environment
    if isinstance(environment, Environment) and environment.title:
        return environment.title
    kind = environment if inspect.isclass(environment) else type(environment)
    if not issubclass(kind, Environment):
        return _gymnasium_name(environment)
    try:
        path = inspect.getfile(kind)
        inspect.signature(kind).bind()
    except (OSError, TypeError):
        raise EnvironmentFault(
            f"{kind.__name__} has no name by which other processes can make it: write it to a file, and name it "
            "my_env.py:MyClass"
        ) from None
    return f"{path}:{kind.__name__}"


def _gymnasium_name(environment: Any) -> str:
    """The name of an instance that is none of ours, if it is one of Gymnasium."""
    gymnasium = sys.modules.get("gymnasium")
    if gymnasium is None or not isinstance(environment, gymnasium.Env):
        what = "give a name, a class derived from aixi_approx.Environment, or an environment of Gymnasium"
        raise EnvironmentFault(f"{environment!r:.60} is no environment: {what}")
    name: str = importlib.import_module(f"{__name__}.from_gymnasium").name_of(environment)
    return name


def is_data(name: str) -> bool:
    """Whether a name stands for a file in Cassandra's format, or a game of OpenSpiel: no code of others is run.

    >>> is_data("tiger.POMDP?discount=1"), is_data("my_env.py:Lake")
    (True, False)
    """
    return name.partition("?")[0].lower().endswith(FILES) or name.startswith("open_spiel:")


def build(title: str, kind: Callable[..., Environment], *parameters: int | str) -> Environment:
    """Return a new environment of a class, reset with seed 0, whose declaration makes sense; raise EnvironmentFault."""
    try:
        environment = kind(*parameters)
        if not isinstance(environment, Environment):
            what = f"it is no environment, but {environment!r:.60}: derive it from aixi_approx.Environment"
            raise EnvironmentFault(f"{title}: {what}")
        environment.title = title
        environment.checked_reset(0)
        environment.coding  # noqa: B018  refuses a wrong declaration
    except EnvironmentFault:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        what = f"it can't be built: {describe_error(error, {kind.__module__})}"
        raise EnvironmentFault(f"{title}: {error if isinstance(error, ValueError) else what}") from error
    for what, kind_of in (("settings", Settings), ("schedule", Schedule)):
        declared = getattr(environment, what)
        if not isinstance(declared, kind_of):
            raise EnvironmentFault(f"{title}: {what} is {declared!r}: write `{what} = {kind_of.__name__}(...)`")
        for field, value in declared._asdict().items():
            if not isinstance(value, int | float) and (value, field) != (None, "most_memory"):
                raise EnvironmentFault(f"{title}: {what}.{field} is {value!r}, not a number")
    optimum = environment.optimum
    if optimum is not None and not (isinstance(optimum, Real) and math.isfinite(optimum)):
        raise EnvironmentFault(f"{title}: optimum is {optimum!r}: declare a number, or leave it out")
    return environment
