"""Registries: classes of one kind by name, from a table, an installed package or a file of the user's own.

tiger, locks:3      one of the table, with parameters or without; an unambiguous prefix works too
my_file.py:Mine     a class in a file, with parameters or without: my_file.py:Mine:8
mine                a class that an installed package offers as an entry point `mine = "package.module:Mine"`
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aixi_approx.validation import describe_error

if TYPE_CHECKING:
    from aixi_approx.environment import Environment

Parameter = int | str


class Entry(NamedTuple):
    """What a name stands for."""

    title: str  # the full name
    kind: type[Any]
    parameters: tuple[Parameter, ...]  # that stand after the name


class Registry:
    """The classes of one kind.

    Parameters
    ----------
    what : str
        What they are called in messages.
    package : str
        The package that holds those of the table.
    table : mapping of str to str
        The modules and classes of that package by name, as in `{"tiger": "tiger:Tiger"}`.
    base : str
        The class that all derive from, as in `"aixi_approx.environment:Environment"`.
    group : str
        Of entry points.
    error : type of ValueError, default: ValueError
        What is raised where nothing of a name is found.
    """

    def __init__(
        self,
        what: str,
        *,
        package: str,
        table: Mapping[str, str],
        base: str,
        group: str,
        error: type[ValueError] = ValueError,
    ) -> None:
        self.what, self.package, self.table, self.group, self.error = what, package, table, group, error
        self._base = base

    @property
    def base(self) -> type[Any]:
        """The class that all derive from."""
        module, _, name = self._base.partition(":")
        found: type[Any] = getattr(importlib.import_module(module), name)
        return found

    def installed(self) -> dict[str, EntryPoint]:
        """Return what installed packages offer, by name, except names of the table."""
        offered = {point.name.replace("_", "-").lower(): point for point in entry_points(group=self.group)}
        return {name: offered[name] for name in sorted(offered) if name not in self.table}

    def names(self) -> list[str]:
        """Return the names of the table, then those of installed packages."""
        return [*self.table, *self.installed()]

    def find(self, name: str) -> Entry:
        """Return what a name stands for.

        Raises
        ------
        ValueError
            If there is nothing of that name, or what there is can't be loaded or derives from another class; of the
            registry's own type.
        """
        if not isinstance(name, str):
            raise self.error(f"{name!r:.60} is no name of a {self.what}: give one, or my_file.py:MyClass")
        path, is_file, rest = name.partition(".py:")
        first, colon, written = (rest if is_file else name).partition(":")
        title, kind = (name, self._from_file(f"{path}.py", first)) if is_file else self._by_name(first, name)
        parameters = tuple(int(p) if p.isdecimal() else p for p in written.split("-")) if colon else ()
        return Entry(title, kind, parameters)

    def build(self, name: str, environment: Environment, **options: Any) -> Any:
        """Return a new instance for an environment, by name, with the options that its class takes.

        Raises
        ------
        ValueError
            If there is nothing of that name, or it can't be built.
        """
        entry = self.find(name)
        if entry.parameters and entry.kind.__module__.startswith(f"{self.package}."):
            raise self.error(f"{name}: it has no parameters")
        return self.construct(name, entry.kind, environment=environment, parameters=entry.parameters, options=options)

    def construct(
        self,
        name: str,
        kind: type[Any],
        *,
        environment: Environment,
        parameters: tuple[Parameter, ...],
        options: Mapping[str, Any],
    ) -> Any:
        """Return a new instance of a class for an environment.

        Parameters
        ----------
        name : str
            What it goes by in messages.
        kind : type
            The class.
        environment : Environment
            What it is made for.
        parameters : tuple of int or str
            That stand after the name.
        options : mapping of str to object
            That its class takes.

        Raises
        ------
        ValueError
            If it can't be built.
        """
        try:
            return kind.for_environment(environment, *parameters, **options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            ours = kind.__module__.startswith("aixi_approx.")
            if isinstance(error, MemoryError) or (ours and isinstance(error, ValueError)):
                raise
            raise self.error(f"{name} can't be built: {describe_error(error, {kind.__module__})}") from error

    def _by_name(self, short: str, name: str) -> tuple[str, type[Any]]:
        """The full name and the class of one of the table, or of an installed package."""
        known = short.replace("_", "-").lower()
        if known in self.table:
            return known + name[len(short) :], self._of_table(known, name)
        offered = self.installed()  # which takes some milliseconds
        names = self.names()
        if known not in names:
            longer = [other for other in names if known and other.startswith(known)]
            if len(longer) > 1:
                raise self.error(f"{name!r} is the beginning of {', '.join(longer)}: say which")
            known = longer[0] if longer else known
        title = known + name[len(short) :]
        if known in self.table:
            return title, self._of_table(known, name)
        if known in offered:
            try:
                kind = offered[known].load()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                where = f"the installed package that offers it, as {offered[known].value}, can't be loaded"
                what = describe_error(error, {offered[known].module})
                raise self.error(f"{name}: {where}: {what}") from error
            return title, self._checked(kind, name)
        if Path(name).is_file():
            raise self.error(f"which class of {name}? Say {name}:MyClass")
        if Path(f"{short}.py").is_file():
            of_it = name.partition(":")[2] or "MyClass"
            raise self.error(f"no {self.what} {name!r}: did you mean {short}.py:{of_it}?")
        near = difflib.get_close_matches(short, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, and my_file.py:MyClass"
        raise self.error(f"no {self.what} {name!r}: {hint}")

    def _of_table(self, known: str, name: str) -> type[Any]:
        """Return a class of the table."""
        module, _, class_name = self.table[known].partition(":")
        return self._checked(getattr(importlib.import_module(f"{self.package}.{module}"), class_name), name)

    def _from_file(self, path: str, class_name: str) -> type[Any]:
        """A class of the user's own."""
        try:
            kind = class_in_file(path, class_name)
        except ValueError as error:
            raise self.error(str(error)) from error
        return self._checked(kind, f"{path}:{class_name}")

    def _checked(self, kind: Any, name: str) -> type[Any]:
        """What was found under a name, if it is of the kind."""
        if not (inspect.isclass(kind) and issubclass(kind, self.base)):
            raise self.error(f"{name}: there is no class of that name derived from aixi_approx.{self.base.__name__}")
        return kind


def class_in_file(path: str, name: str) -> Any:
    """Run a file, and return what is called `name` in it, or None.

    Raises
    ------
    ValueError
        If there is no such file, no name is given, or the file fails.
    """
    if not Path(path).is_file():
        raise ValueError(f"no file {path!r}")
    if not name:
        raise ValueError(f"which class of {path}? Say {path}:MyClass")
    spec = importlib.util.spec_from_file_location(f"aixi_file_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).parent))  # for what it imports beside it
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ValueError(f"{path}: {describe_error(error, {spec.name})}") from error
    finally:
        sys.path.remove(str(Path(path).parent))
    return getattr(module, name, None)
