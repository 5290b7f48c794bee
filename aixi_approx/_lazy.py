"""Names of a package that are loaded when they are first used, so that importing the package takes no time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy(
    package: str, home: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package.

    Parameters
    ----------
    package : str
        Its name.
    home : mapping of str to tuple of str
        By module, relative to the package, the names that it provides.
    """
    names = {name: module for module, provided in home.items() for name in provided}

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{names[name]}"), name)

    return load, lambda: sorted(names), sorted(names)
