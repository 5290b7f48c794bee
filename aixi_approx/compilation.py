"""The decorators of all compiled functions, with a cache on disk that notices every edit and all damage.

Numba compiles a function together with the functions that it calls, and keeps the result on disk until the file of the
function changes. An edit of a callee in another file would go unnoticed, and the old code would run. Therefore the
cache of a function is also tied to the contents of all files of this package, and of all files in the folder of the
function, that import Numba or this module. After an edit of one of them, all these functions are compiled once more.

Constants are compiled in, too: a constant that a compiled function uses belongs into one of these files.

Numba also trusts what it finds on disk: half a file is a traceback, another bit a crash or another result. Here each
function has one file, which is hashed before any of it is used. What is damaged is removed and compiled anew. Where
nothing can be written, the code is kept in memory.

Functions outside the package may use the decorators, for example those of your own planner.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import pickle
import re
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
import numpy as np
from numba import config, njit

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent
_COMPILES = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(?:numba|aixi_approx\.compilation)\b", re.MULTILINE)


def _private(module: str, name: str) -> Any:
    """Return what Numba has no public way to; None if it is no more there. It is the same in Numba 0.61 to 0.68."""
    with contextlib.suppress(ImportError, AttributeError):
        return getattr(importlib.import_module(f"numba.core.{module}"), name)
    return None


FunctionCache = _private("caching", "FunctionCache")
CompileResult = _private("compiler", "CompileResult")
dumps = _private("serialize", "dumps")

_MAGIC = b"aixi_approx, compiled code, 1\n"
_HASH = 32  # bytes


@functools.cache
def _digest(folder: Path, pattern: str) -> str:
    """Return a digest of the files in a folder that import Numba or this module."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        try:
            text = path.read_bytes()
        except OSError:  # for example a broken link
            continue
        if _COMPILES.search(text):
            digest.update(f"{path.relative_to(folder)} {len(text)} ".encode() + text)
    return digest.hexdigest()


_said: set[str] = set()  # kinds of messages


def _say_once(kind: str, message: str) -> None:
    from multiprocessing import parent_process

    if kind not in _said and parent_process() is None:  # not in every worker
        print(f"aixi_approx: {message}", file=sys.stderr)
    _said.add(kind)


class _Damaged(ValueError):
    """What a file of compiled code holds is not what was written to it."""


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_HASH).digest()


def _seal(code: bytes, origin: bytes) -> bytes:
    """Return the contents of a file: what it is, a hash of all that follows, what the code was made from, the code."""
    return _MAGIC + _hash(origin + code) + origin + code


def _unseal(file: bytes, origin: bytes) -> bytes | None:
    """Return the code in the contents of a file; None if it was made from something else."""
    hashed, begin = len(_MAGIC) + _HASH, len(_MAGIC) + 2 * _HASH
    if len(file) < begin or file[:hashed] != _MAGIC + _hash(file[hashed:]):
        raise _Damaged
    return file[begin:] if file[hashed:begin] == origin else None


@functools.cache
def _origin(source: Path) -> bytes:
    """Return a hash of all that the code of a file is made from, and by what."""
    text, versions = source.read_bytes(), (numba.__version__, llvmlite.__version__, np.__version__)
    files = _digest(_PACKAGE, "**/*.py"), _digest(source.parent, "*.py")
    return _hash("\n".join((*versions, *files)).encode() + text)


def code_folders(source: Path) -> list[Path]:
    """Return where the compiled code of a file is kept: the first of these folders that can be written to.

    Parameters
    ----------
    source : Path
        The file, absolute.

    Returns
    -------
    list of Path
        Below NUMBA_CACHE_DIR if that is set, else `__pycache__` beside the file, then one in the home of the user, if
        there is any. They need not exist.
    """
    inside = f"{source.parent.name}_{_hash(os.fsencode(source.parent)).hex()[:32]}"
    if chosen := getattr(config, "CACHE_DIR", ""):  # NUMBA_CACHE_DIR, or a line of a configuration of Numba
        return [Path(chosen) / inside]
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    # A home is not made. If none is known, "~" would be a folder in the current one.
    home = [own / "aixi_approx" / inside] if own.is_absolute() and os.path.isdir(own.parent) else []
    return [source.parent / "__pycache__", *home]


class _KeptCode(FunctionCache or object):  # type: ignore[misc]
    """The compiled code of a function, by signature, in one file. No fault of the file or of the disk comes out of it.

    One file, so that no code can be taken for that of another signature, whoever writes at the same time. If two
    processes do, code of one may be lost, and is compiled anew.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._py_func = function  # for _index_key
        code = function.__code__
        source = Path(os.path.abspath(code.co_filename))
        self._title = f"{source.stem}.{function.__qualname__}"
        self._paths: list[Path] = []
        with contextlib.suppress(OSError):  # there is no such file
            name = re.sub("[<>]", "", f"{self._title}-{code.co_firstlineno}.{sys.implementation.cache_tag}.nbi")
            self._origin = _hash(_origin(source) + name.encode())  # the code of another function is none of this one
            self._paths = [folder / name for folder in code_folders(source)]
        self._cache_path = str(self._paths[0].parent) if self._paths else None
        self.enable()

    def flush(self) -> None:
        """Forget what is kept."""
        for path in self._paths:
            _remove(path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code of a signature, or None."""
        target_context.refresh()
        for path in self._paths if self._enabled else []:
            try:
                code = self._read(path).get(self._index_key(sig, target_context.codegen()))
                if code is not None:
                    return CompileResult._rebuild(target_context, *pickle.loads(code))
            except (OSError, MemoryError):  # mostly there is no file
                continue
            except Exception as error:  # whatever pickle and Numba raise
                what = "damaged" if isinstance(error, _Damaged) else f"of no use ({type(error).__name__}: {error})"
                _say_once("damaged", f"compiled code on disk is {what}, and is compiled anew: {path}")
                _remove(path)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code of a signature."""
        if not self._enabled:
            return
        anew = "so every process compiles it anew"
        if not self._paths:
            _say_once("no file", f"{self._title} is in no file, {anew}, whatever NUMBA_CACHE_DIR says")
        elif data.library.has_dynamic_globals or not all(loop.can_cache for loop in data.lifted):
            _say_once("address", f"{self._title} has an address or a large array compiled into it, {anew}")
        else:
            key, code = self._index_key(sig, data.codegen), dumps(data._reduce())
            failures = []
            for path in self._paths:
                try:
                    self._write(path, key, code)
                except OSError as error:
                    failures.append(f"{path.parent}: {error.strerror or error}")
                else:
                    return
            mend = "set NUMBA_CACHE_DIR to a folder that can be written to"
            _say_once("no folder", f"compiled code can't be kept, {anew}; {mend} ({'; '.join(failures)})")

    def _read(self, path: Path) -> dict[Any, bytes]:
        """Return the code in a file, by signature."""
        content = _unseal(path.read_bytes(), self._origin)
        return pickle.loads(content) if content is not None else {}

    def _write(self, path: Path, key: Any, code: bytes) -> None:
        """Add code to a file."""
        try:
            known = self._read(path)
        except Exception:
            known = {}
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}.draft")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(_seal(dumps({**known, key: code}), self._origin))
            draft.replace(path)
        finally:
            _remove(draft)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _compile(function: Function, **options: Any) -> Function:
    compiled = njit(**options)(function)
    if compiled is function:  # NUMBA_DISABLE_JIT=1
        return function
    if FunctionCache and CompileResult and dumps and hasattr(compiled, "_cache"):
        compiled._cache = _KeptCode(function)
    else:
        _say_once("Numba", "this version of Numba keeps no compiled code for us, so every process compiles it anew")
    return compiled


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the result on disk.

    With the environment variable NUMBA_DISABLE_JIT=1 it remains a Python function. NUMBA_CACHE_DIR says where the
    results are kept, by default in `__pycache__`, or in `~/.cache/aixi_approx` if that can't be written to. If neither
    can, they are kept in memory, and a line on stderr says so.
    """
    return _compile(function)


def kernel(function: Function) -> Function:
    """Compile a function as `compiled` does, for the inner loop of a planner: it may not allocate.

    Numba then need not count references to its arrays; counting took a quarter of the time. The function does not hold
    the global interpreter lock, so that searches can run in several threads. A division by zero gives inf or nan.
    """
    return _compile(function, error_model="numpy", _nrt=False, nogil=True)


def inner_kernel(function: Function) -> Function:
    """Compile a function as `kernel` does, for compiled functions of the inner loop alone: Python can't call it.

    It is compiled into its callers, so that records of many arrays need not be handed over, nor unpacked from Python.
    """
    return _compile(
        function,
        error_model="numpy",
        _nrt=False,
        nogil=True,
        forceinline=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
    )
