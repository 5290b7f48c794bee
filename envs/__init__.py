"""The environments, by name. A new one is a file here and a line in the table."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path

from aixi_approx.environment import Environment, EnvironmentFault

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
}


def make(name: str) -> Environment:
    """Return a new environment, reset with seed 0, by its name or as `path/to/file.py:Class`.

    Raises
    ------
    EnvironmentFault
        If there is none of that name, or the definition is wrong.
    """
    if ".py:" in name:
        kind = _from_file(*name.rsplit(":", 1))
    elif name.replace("_", "-") in ENVIRONMENTS:
        module, _, class_name = ENVIRONMENTS[name.replace("_", "-")].partition(":")
        kind = getattr(importlib.import_module(f"{__name__}.{module}"), class_name)
    else:
        if Path(name).is_file():
            raise EnvironmentFault(f"which class of {name}? Say {name}:MyClass")
        near = difflib.get_close_matches(name, ENVIRONMENTS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ENVIRONMENTS)}, and my_file.py:MyClass"
        raise EnvironmentFault(f"no environment {name!r}: {hint}")
    try:
        environment: Environment = kind()
        environment.checked_reset(0)
        environment.coding  # noqa: B018  refuses a wrong declaration
        for setting, value in environment.settings._asdict().items():
            if not isinstance(value, int | float):
                raise EnvironmentFault(f"{name}: settings.{setting} is {value!r}, not a number")
    except EnvironmentFault:
        raise
    except Exception as error:
        raise EnvironmentFault(f"{name}: it can't be built: {type(error).__name__}: {error}") from error
    return environment


def _from_file(path: str, class_name: str) -> type[Environment]:
    """The class of a user's own environment."""
    if not Path(path).is_file():
        raise EnvironmentFault(f"no file {path!r}")
    spec = importlib.util.spec_from_file_location(f"aixi_environment_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).parent))  # for what it imports beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EnvironmentFault(f"{path}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(Path(path).parent))
    kind = getattr(module, class_name, None)
    if not (inspect.isclass(kind) and issubclass(kind, Environment)):
        raise EnvironmentFault(f"{path}: it has no class {class_name} derived from aixi_approx.Environment")
    return kind
