"""The decorators of all compiled functions, with a cache on disk that notices every edit.

Numba compiles a function together with the functions that it calls, and keeps the result on disk until the file of the
function changes. An edit of a callee in another file would go unnoticed, and the old code would run. Therefore the
cache of a function is also tied to the contents of all files of this package, and of all files in the folder of the
function, that import Numba or this module. After an edit of one of them, all these functions are compiled once more.

Constants are compiled in, too: a constant that a compiled function uses belongs into one of these files.

Functions outside the package may use the decorators, for example those of your own planner.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent
_COMPILES = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(?:numba|aixi_approx\.compilation)\b", re.MULTILINE)


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


@functools.cache
def _say_once(message: str) -> None:
    from multiprocessing import parent_process

    if parent_process() is None:  # not in every worker
        print(message, file=sys.stderr)


def _compile(function: Function, **options: Any) -> Function:
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder for the cache
        _say_once(
            "aixi_approx: no folder to keep compiled code in, so every process compiles it anew; "
            "set NUMBA_CACHE_DIR to a folder that you can write to"
        )
        return njit(**options)(function)
    # Numba has no public way to add to what a cache is tied to. These attributes are private; they are the same in
    # Numba 0.61 to 0.68. Where they are missing, this is the plain cache of Numba. Without JIT there is no cache.
    # An index of another version is not unpickled: it may name classes that are no more.
    index: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_version"):
        own_folder = Path(function.__code__.co_filename).parent
        index._version = (index._version, _digest(_PACKAGE, "**/*.py"), _digest(own_folder, "*.py"))
    return compiled


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the result on disk.

    With the environment variable NUMBA_DISABLE_JIT=1 it remains a Python function. NUMBA_CACHE_DIR says where the
    results are kept, by default in `__pycache__`, or in a folder of the user if that cannot be written to. If neither
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
