"""Archives: what an object knows, in a file of numbers that holds no code.

    bytes 0 to 15     "aixi archive 1\\r\\n": the format; another number is another format
    bytes 16 to 31    size of the file, size of the header, CRC-32 of the header and of these two, little-endian
    header            JSON: the version that wrote it, what it is, its content, where its arrays are, their CRC-32
    arrays            each at a multiple of 64 bytes, with zeros between

The content is made of None, truth values, numbers, texts, lists, tuples, dicts, sets, deques, bytes and arrays of
numbers; what is in it twice is one thing again when it is read. Nothing else can be written, and nothing that is read
is ever run, so an archive of a stranger can be opened. Every byte is covered by a checksum, or is checked to be zero:
whatever was cut off or changed by accident is noticed.

Sizes are compared with that of the file before anything is allocated. Arrays are parts of the mapped file; who wants to
change one copies it.

Format 1 is written and read by version 0.8.0 and later ones.
"""

from __future__ import annotations

import copy
import json
import mmap
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aixi_approx._version import __version__

DRAFT = ".draft"  # ending of a file that is being written
MAGIC = b"aixi archive 1\r\n"  # line ends that are converted destroy it
FORMAT = MAGIC[:-3]  # without its number
HEAD = struct.Struct("<QII")
ALIGNMENT = 64  # bytes
KINDS = "biufc"  # of arrays: numbers
TUPLE, DICT, SET, DEQUE, ARRAY, BYTES, SAME = "$tuple", "$dict", "$set", "$deque", "$array", "$bytes", "$same"


class Archive(NamedTuple):
    """What an archive holds."""

    version: str
    """Of the package that wrote it."""
    kind: str
    """What it is: "agent", "predictor", ..."""
    content: dict[str, Any]
    """By name."""


def write_archive(path: Path | str, content: Mapping[str, Any], *, kind: str, previous: Path | None = None) -> None:
    """Write an archive, whole or not at all.

    Parameters
    ----------
    path : Path or str
        The file.
    content : mapping of str to object
        What it is to hold.
    kind : str
        What it is: "agent", "predictor", ...
    previous : Path, optional
        Where to keep what stood in the file.

    Raises
    ------
    ValueError
        If a part is of a kind that an archive can't hold.
    OSError
        If the file can't be written.
    """
    path = Path(path)
    arrays: list[memoryview] = []
    header: dict[str, Any] = {"version": __version__, "kind": kind, "content": _encode(content, arrays, {})}
    header["arrays"] = [[array.nbytes, zlib.crc32(array)] for array in arrays]
    text = json.dumps(header).encode()
    starts, end = [], _aligned(len(MAGIC) + HEAD.size + len(text))
    for array in arrays:
        starts.append(end)
        end = _aligned(end + array.nbytes)
    sizes = struct.pack("<QI", end, len(text))
    head = MAGIC + HEAD.pack(end, len(text), zlib.crc32(text, zlib.crc32(sizes)))

    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            file.write(head + text)
            for start, array in zip(starts, arrays, strict=True):
                file.write(bytes(start - file.tell()))
                file.write(array)
            file.write(bytes(end - file.tell()))

    replace_file(path, write, previous=previous)


def read_archive(path: Path | str, *, kind: str) -> Archive:
    """Return what an archive holds. Its arrays can't be written to.

    Raises
    ------
    ValueError
        If the file is no archive of this kind, or of another format, or was cut off, changed or damaged.
    OSError
        If it can't be read.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    with path.open("rb") as file:
        start = file.read(len(MAGIC) + HEAD.size)
        if not start.startswith(FORMAT):
            raise ValueError(f"{path} is no file of this package: it does not begin with {FORMAT.decode()!r}")
        if not start.startswith(MAGIC):
            number = start[len(FORMAT) : len(MAGIC)].decode(errors="replace").strip()
            raise ValueError(f"{path} has the format {number!r}, not 1: read it with the version that wrote it")
        older = previous_of(path)
        copy = f"take {older.name}, which is older" if older.exists() else "take another copy of it"
        damaged = f"{path} is damaged or incomplete: {copy}"
        if len(start) < len(MAGIC) + HEAD.size:
            raise ValueError(damaged)
        size, length, check = HEAD.unpack(start[len(MAGIC) :])
        if size != file.seek(0, 2) or len(start) + length > size:
            raise ValueError(damaged)
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    text = mapped[len(start) : len(start) + length]
    if check != zlib.crc32(text, zlib.crc32(start[len(MAGIC) : -4])):
        raise ValueError(damaged)
    try:
        header = json.loads(bytes(text))
        arrays, end = [], len(start) + length
        for count, checksum in header["arrays"]:
            begin = _aligned(end)
            if any(mapped[end:begin]) or begin + count > size:
                raise ValueError
            array = mapped[begin : begin + count]
            if zlib.crc32(array) != checksum:
                raise ValueError
            arrays.append(array)
            end = begin + count
        if any(mapped[end:]) or size != _aligned(end):
            raise ValueError
        archive = Archive(header["version"], header["kind"], _decode(header["content"], arrays, []))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, SyntaxError, OverflowError) as error:
        raise ValueError(damaged) from error
    if archive.kind != kind:
        raise ValueError(f"{path} holds what is called {archive.kind!r:.40}, not {kind!r}")
    return archive


def kept_attributes(thing: object, *without: str) -> dict[str, Any]:
    """Return the attributes of an object; of those that know how to keep themselves, what their `keep` returns.

    Parameters
    ----------
    thing : object
        Of a class in Python.
    *without : str
        Names of attributes to leave out: those that the constructor sets once and for all.

    Raises
    ------
    ValueError
        If an attribute is of a kind that an archive can't hold.
    """
    kept, met = {}, dict[int, int]()
    for name, value in vars(thing).items():
        if name in without:
            continue
        kept[name] = value.keep() if hasattr(value, "keep") else value
        try:
            _encode(kept[name], [], met)
        except ValueError as error:
            raise ValueError(
                f"{type(thing).__name__} can't be kept: its attribute {name} {error}: "
                "give it the methods keep and restore"
            ) from error
    return kept


def restore_attributes(thing: object, kept: Mapping[str, Any], *without: str) -> None:
    """Give an object the attributes that `kept_attributes` has returned; it may change them, they are copies.

    Parameters
    ----------
    thing : object
        Made in the same way.
    kept : mapping of str to object
        Its attributes.
    *without : str
        Those that were left out.

    Raises
    ------
    ValueError
        If one is missing that the object has, or one is there that would hide a part of its class, or was left out.
    """
    there = set(vars(thing)) - set(without)
    if missing := sorted(there - set(kept)):
        raise ValueError(f"it is not the state of a {type(thing).__name__}: it has no {missing[0]}")
    if strange := [name for name in kept if name not in there and (name in without or hasattr(type(thing), name))]:
        raise ValueError(f"it is not the state of a {type(thing).__name__}: {strange[0]} is no part of that")
    plain = {}
    for name, value in kept.items():
        present: Any = getattr(thing, name, None)
        if hasattr(present, "restore"):
            present.restore(value)
        else:
            plain[name] = value
    vars(thing).update(copy.deepcopy(plain))


def replace_file(path: Path, write: Callable[[Path], object], *, previous: Path | None = None) -> None:
    """Write a file whole or not at all: under another name first, synced, then renamed, and the folder synced.

    Parameters
    ----------
    path : Path
        The file. What stood there is there until the new one is complete.
    write : callable
        Is given the path to write to.
    previous : Path, optional
        Where to keep what stood there. At any time, one of the two is whole.

    Raises
    ------
    OSError
        If it can't be written, with its name.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        write(draft)
        _sync(draft)
        if previous is not None and path.exists():
            path.replace(previous)
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or what was renamed in a folder, is on the disk."""
    if os.name == "nt" and path.is_dir():  # a folder can't be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def previous_of(path: Path) -> Path:
    """Return where the archive is kept that stood in a file before the present one, if it is kept."""
    return path.with_stem(f"{path.stem}-previous")


@contextmanager
def named(path: Path | str) -> Iterator[None]:
    """Let an error in the content of a file name the file, whatever is wrong with it."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{path}: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it is not what was written here"
        raise ValueError(f"{path}: {reason}") from error


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _encode(value: Any, arrays: list[memoryview], met: dict[int, int]) -> Any:
    """A value as JSON, in which arrays are numbers of those in the list; containers are numbered as they are met."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item(), arrays, met)
    if isinstance(value, memoryview):
        return _encode_array(np.asarray(value), arrays)
    if isinstance(value, bytes | bytearray):
        arrays.append(memoryview(value))
        return {BYTES: len(arrays) - 1}
    if type(value) is tuple:
        return {TUPLE: [_encode(each, arrays, met) for each in value]}
    if type(value) not in (list, dict, set, frozenset, deque) and not isinstance(value, Mapping | np.ndarray):
        raise ValueError(f"is a {type(value).__name__}, which an archive can't hold")
    if id(value) in met:
        return {SAME: met[id(value)]}
    met[id(value)] = len(met)
    if isinstance(value, np.ndarray):
        return _encode_array(value, arrays)
    if isinstance(value, Mapping):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: _encode(each, arrays, met) for key, each in value.items()}
        return {DICT: [[_encode(part, arrays, met) for part in pair] for pair in value.items()]}
    parts = [_encode(each, arrays, met) for each in value]
    if isinstance(value, set | frozenset):
        parts.sort(key=repr)  # the order of a set is another one in every process
    if isinstance(value, deque):
        return {DEQUE: [parts, value.maxlen]}
    return parts if isinstance(value, list) else {SET: parts}


def _encode_array(array: NDArray[Any], arrays: list[memoryview]) -> Any:
    if array.dtype.kind not in KINDS:
        raise ValueError(f"is an array of {array.dtype}, not of numbers")
    arrays.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return {ARRAY: [len(arrays) - 1, array.dtype.str, list(array.shape)]}


def _decode(value: Any, arrays: list[Any], met: list[Any]) -> Any:
    """The value that `_encode` has written, with the containers met so far."""
    if isinstance(value, list):
        made: Any = []
        met.append(made)
        made.extend(_decode(each, arrays, met) for each in value)
        return made
    if not isinstance(value, dict):
        return value
    tag: str
    what: Any
    tag, what = next(iter(value.items()), ("", None))
    if tag == TUPLE:
        return tuple(_decode(each, arrays, met) for each in what)
    if tag == BYTES:
        arrays[what] = part = bytes(arrays[what])  # once: it may be there again and again
        return part
    if tag == SAME:
        return met[what]
    if tag == ARRAY:
        number, dtype, shape = arrays[what[0]], np.dtype(what[1]), tuple(what[2])
        if dtype.kind not in KINDS:
            raise ValueError(f"an array of {dtype}")
        met.append(np.frombuffer(number, dtype).reshape(shape))
        return met[-1]
    if tag == DEQUE:
        met.append(deque(maxlen=what[1]))
        made = met[-1]
        made.extend(_decode(each, arrays, met) for each in what[0])
    elif tag == SET:
        met.append(set())
        made = met[-1]
        made.update(_decode(each, arrays, met) for each in what)
    else:
        met.append({})
        made = met[-1]
        if tag == DICT:
            made.update((_decode(key, arrays, met), _decode(each, arrays, met)) for key, each in what)
        elif tag.startswith("$"):
            raise ValueError(f"there is no {tag}")
        else:
            made.update((key, _decode(each, arrays, met)) for key, each in value.items())
    return made
