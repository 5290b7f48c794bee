"""The house: imports point down only, and the examples in docstrings are true."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

# From the top down. A module imports from floors below its own, and from its own folder; never from a sister.
FLOORS = [
    ["cli"],
    ["jair2011", "viewer"],
    ["laboratory", "experiments", "conformance"],
    ["builder", "to_gymnasium", "interaction"],
    ["agent"],
    ["envs", "predictors", "planners"],
    ["pomdp", "rollouts", "laws", "execution", "introspection"],
    ["the root"],
    ["display"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(p for folder in ("aixi_approx", "envs", "cli") for p in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """The name that a file is imported by."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "aixi_approx" else ["aixi_approx", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_of(path: Path) -> ModuleType:
    """The module of a file; the test is skipped if it is one for a package that is not installed."""
    if "open_spiel" in path.name:
        pytest.importorskip("pyspiel", reason="OpenSpiel is not installed: pip install open_spiel")
    return importlib.import_module(module_name(path))


def room(module: str) -> str:
    """The folder that a module stands in, or its own name if that is a floor."""
    _, name, *_ = [*module.split("."), ""]
    return name if name in FLOOR else "the root"


def imported(path: Path) -> set[str]:
    """The modules of the package that a file imports, but for what only a type checker reads."""
    tree = ast.parse(path.read_text())
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    typing = {node for branch in branches for node in ast.walk(branch)}
    nodes = [node for node in ast.walk(tree) if node not in typing]
    assert not any(a.name.startswith("aixi_approx") for n in nodes if isinstance(n, ast.Import) for a in n.names), path
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {module for module in modules if module.startswith("aixi_approx.")}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    here = room(module_name(path))
    for other in map(room, imported(path)):
        assert other == here or FLOOR[other] > FLOOR[here], f"{path} imports from {other}, which is not below {here}"


def test_kernels_import_nothing_of_the_package() -> None:
    for path in (ROOT / "ext").glob("*.p[yx][xd]"):
        assert not any("import" in line and "aixi_approx" in line for line in path.read_text().splitlines())


def test_importing_the_package_takes_nothing_with_it() -> None:
    tree = ast.parse((ROOT / "aixi_approx" / "__init__.py").read_text())
    allowed = {"lazy", "os", "TYPE_CHECKING", "__version__"}
    direct = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {name.name for node in direct for name in node.names} <= allowed


# Whose positional parameters are natural: a name, a number and its range; the three numbers or parts of a cycle.
POSITIONAL = {"as_integer", "check_choice", "call_operation", "Coding.cycle", "FactoredContextTree"}


def public_functions(module: object) -> Iterator[tuple[str, Any]]:
    """The public functions, constructors and methods that a module defines, but for kernels and for records of data."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:  # type: ignore[attr-defined]
            continue
        if inspect.isfunction(value):
            yield name, value
        if not inspect.isclass(value) or issubclass(value, tuple):
            continue
        if "__init__" in vars(value) and not dataclasses.is_dataclass(value):
            yield name, value.__init__
        for own, member in vars(value).items():
            member = getattr(member, "__func__", member)
            if inspect.isfunction(member) and (not own.startswith("_") or own == "__call__"):
                yield f"{name}.{own}", member


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_all_but_two_parameters_are_given_by_name(path: Path) -> None:
    for name, function in public_functions(module_of(path)):
        positional = [
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
        bound = positional[0] in ("self", "cls") if positional else False
        assert len(positional) - bound <= 2 or name in POSITIONAL, f"{path}: {name}({', '.join(positional)})"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_examples_in_docstrings(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert doctest.testmod(module_of(path)).failed == 0


def test_public_names_are_there() -> None:
    package = importlib.import_module("aixi_approx")
    for name in package.__all__:
        assert getattr(package, name).__doc__


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.name)
def test_no_module_hides_a_public_name(folder: Path) -> None:
    """A module that is imported becomes an attribute of its folder, in place of what is loaded there by that name."""
    public = getattr(importlib.import_module(module_name(folder / "__init__.py")), "__all__", ())
    assert not {path.stem for path in folder.glob("*.py")} & {*public}
