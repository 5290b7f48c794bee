"""The house: imports point down only, and the examples in docstrings are true."""

import ast
import doctest
import importlib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up. A module imports modules of lower floors; on the ground floor, those that stand before it.
GROUND = [
    "bounds",
    "coding",
    "randomness",
    "finding",
    "environment",
    "chain",
    "pomdp",
    "belief",
    "predictor",
    "pace",
    "deepening",
]
TRUTH = ["belief_graph", "controller", "solver"]  # each stands on those before it
FLOOR = {
    **dict.fromkeys(GROUND, 1),
    **{name: 2 + i / 10 for i, name in enumerate(TRUTH)},
    "reward_scale": 1,
    "spaces": 1.5,
    "context_tree": 2,
    "true_model": 2,
    "verbs": 2,
    "search": 2.5,
    "state_search": 2.6,
    "expectimax": 2.6,
    "belief_expectimax": 2.6,
    "q_learning": 2.6,
    "chance": 2.6,
    "envs": 2,
    "account": 3,
    "experience": 5,
    "cell": 5.5,
    "study": 6,
    "laboratory": 6.7,
    "findings": 6.8,
    "verdict": 6.9,
    "report": 6.95,
    "plot": 6.9,
    "charts": 6.95,
    "family_charts": 6.95,
    "to_gymnasium": 3,
    "finding": 1,
    "replay": 2.5,
    "voting": 2.7,
    "agent": 3,
    "builder": 3.5,
    "interaction": 4,
    "least_squares": 1,
    "resampling": 4.5,
    "comparison": 4.6,
    "laws": 5,
    "joint_law": 5.1,
    "trade_off": 5.1,
    "recovery": 5,
    "recording": 5,
    "run": 6,
    "jair2011": 1,
    "conformance": 6.5,
    "life": 6,
    "tasks": 1,
    "processes": 1.1,
    "cluster": 1.1,
    "engine": 1.2,
    "lives": 6.5,
    "reproduce": 6.5,
    "drawing": 6.7,
    "cli": 7,
}
FILES = sorted(path for folder in ("aixi_approx", "envs", "cli") for path in (ROOT / folder).glob("*.py"))


def home(path: Path) -> str:
    """The name that a file goes by above."""
    return path.parent.name if path.parent.name in ("envs", "cli") else path.stem


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aixi_approx"):
            parts = (node.module or "").split(".")
            names.add(parts[1] if len(parts) > 1 else "")
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("aixi_approx") for alias in node.names), path
    return names - {"", "_context_tree"}  # the kernels and the version are below everything


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name != "aixi_approx" or p.stem != "__init__"], ids=str)
def test_imports_point_down(path: Path) -> None:
    here = home(path)
    assert here in FLOOR, f"{here} has no floor yet: name one"
    for name in imported(path):
        if name == here and here in ("envs", "cli"):
            continue
        lower = FLOOR[name] < FLOOR[here] or (here in GROUND and GROUND.index(name) < GROUND.index(here))
        assert lower, f"{path.name} imports {name}, which is not below it"


def test_kernels_import_nothing_of_the_package() -> None:
    for path in (ROOT / "ext").glob("*.pyx"):
        assert not any("import" in line and "aixi_approx" in line for line in path.read_text().splitlines())


def test_importing_the_package_takes_nothing_with_it() -> None:
    tree = ast.parse((ROOT / "aixi_approx" / "__init__.py").read_text())
    direct = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {name.name for node in direct for name in node.names} == {"importlib", "TYPE_CHECKING", "Any"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_examples_in_docstrings(path: Path) -> None:
    package = {"aixi_approx": "", "envs": ".envs", "cli": ".cli"}[path.parent.name]
    name = f"aixi_approx{package}" + ("" if path.stem == "__init__" else f".{path.stem}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_public_names_are_there() -> None:
    package = importlib.import_module("aixi_approx")
    for name in package.__all__:
        assert getattr(package, name).__doc__
