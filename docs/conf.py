"""The documentation: Sphinx, MyST (with notebooks) and numpydoc. `make docs` builds it, with warnings as errors."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from aixi_approx._version import __version__

ROOT = Path(__file__).parents[1]

project = "aixi_approx"
author = "The aixi_approx founders"
copyright = "2026, the aixi_approx founders"  # noqa: A001
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode", "numpydoc"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["README.md"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are stored with what came of them; a test runs them
suppress_warnings = ["myst.header"]
pygments_style = "friendly"
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings name the types
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"aixi_approx {__version__}"
html_copy_source = False
html_static_path = ["_static"]
html_theme_options = {"navigation_with_keys": True}

# The reference: one page for each folder of the package, written here from the names that it makes public.

FOLDERS = {
    "aixi_approx": "The names that most programs need.",
    "aixi_approx.predictors": "Models of the environment: predict the next percept bit, learn it, undo it.",
    "aixi_approx.planners": "Decide on an action with a predictor, or with the true environment.",
    "aixi_approx.rollouts": "How a simulation acts beyond the search tree.",
    "aixi_approx.envs": "Environments by name.",
    "aixi_approx.pomdp": "Finite POMDPs, and everything that is exact about them.",
    "aixi_approx.laboratory": "Studies: the score over experience and search, and where the rest is lost.",
    "aixi_approx.laws": "Scaling laws, judged by extrapolation.",
    "aixi_approx.execution": "Where work runs, and folders that survive an interruption.",
    "aixi_approx.experiments": "One run: learn, evaluate, record, resume.",
    "aixi_approx.display": "How things show themselves: words, tables, pictures, data frames.",
    "aixi_approx.introspection": "What an agent can say of itself, as data and in words.",
    "aixi_approx.viewer": "Runs rebuilt cycle by cycle, as a page and live.",
    "aixi_approx.conformance": "Checks for your own environments, predictors and planners.",
    "aixi_approx.jair2011": "The tables and figures of the paper.",
}
ROOT_MODULES = (
    "agent",
    "archive",
    "coding",
    "environment",
    "interaction",
    "planner",
    "planner_spec",
    "predictor",
    "predictor_abi",
    "randomness",
    "rollout",
)


def documented(module_name: str) -> list[tuple[str, object]]:
    """Return the public classes and functions that a module defines itself."""
    module = importlib.import_module(module_name)
    found = [
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isroutine(value))
        and getattr(value, "__module__", None) == module_name
        and inspect.getdoc(value)
    ]
    return [(f"{module_name}.{name}", value) for name, value in found]


def public(folder: str) -> list[tuple[str, object]]:
    """Return what a folder offers: the names in its `__all__`, or else all that its modules define."""
    if folder == "aixi_approx.envs":  # the classes are described by their own pages
        return documented(folder)
    package = importlib.import_module(folder)
    if names := getattr(package, "__all__", None):
        offered = [(f"{folder}.{name}", getattr(package, name)) for name in names]
        return [(name, value) for name, value in offered if inspect.isclass(value) or callable(value)]
    files = sorted(path.stem for path in Path(str(package.__file__)).parent.glob("*.py"))
    modules = [folder, *(f"{folder}.{name}" for name in files if not name.startswith("_"))]
    return [each for module in modules for each in documented(module)]


def first_line(value: object) -> str:
    """Return the summary of a docstring."""
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")


def page(folder: str, sentence: str, names: list[tuple[str, object]], home: dict[object, str]) -> str:
    """Return the page of a folder: a table of its names, then those that no earlier page describes."""
    lines = [folder, "=" * len(folder), "", sentence, "", ".. list-table::", "   :widths: 30 70", ""]
    own = [(name, value) for name, value in names if home.setdefault(value, name) == name]
    for name, value in names:
        lines += [f"   * - :py:obj:`{name.removeprefix(f'{folder}.')} <{home[value]}>`", f"     - {first_line(value)}"]
    lines.append("")
    for name, value in own:
        kind = "class" if inspect.isclass(value) else "function"
        lines += [f".. auto{kind}:: {name}", *(["   :members:"] if kind == "class" else []), ""]
    return "\n".join(lines)


def write_reference() -> None:
    """Write the pages that have changed, and remove those of folders that are gone."""
    target = ROOT / "docs" / "reference"
    home: dict[object, str] = {}
    pages = {folder: page(folder, sentence, public(folder), home) for folder, sentence in FOLDERS.items()}
    modules = [each for name in ROOT_MODULES for each in documented(f"aixi_approx.{name}") if each[1] not in home]
    pages["aixi_approx-modules"] = page("Modules of the root", "What the modules of the root define.", modules, home)
    for name, text in pages.items():
        path = target / f"{name}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in target.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()


def escape(line: str) -> str:
    """Return a line of a docstring with its stars and bars as they are: they mean multiplication and size here."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = line.split("`")
    parts[::2] = [re.sub(r"([*|])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def setup(app: Any) -> None:
    """Read docstrings as the text that they are in the source, before numpydoc does."""

    def process(app: Any, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
        lines[:] = [escape(line) for line in lines]

    def skip(app: Any, what: str, name: str, value: object, skipped: bool, options: object) -> bool | None:
        """Leave out what Matplotlib adds to a class of ours."""
        return True if str(getattr(value, "__module__", "")).startswith("matplotlib") else None

    app.connect("autodoc-process-docstring", process, priority=100)
    app.connect("autodoc-skip-member", skip)


write_reference()
