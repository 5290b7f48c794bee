"""Whether what keeps itself comes back as it was, through an archive."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aixi_approx.archive import read_archive, write_archive
from aixi_approx.conformance.diagnostic import NOTE, PASSED, Diagnostic, Nonconformity, require

KEEP = "keep"


def examine_keeping(thing: Any, disturb: Callable[[], object], *, state: Callable[[], object]) -> Diagnostic:
    """Check that `restore` takes something back to where `keep` was called, exactly.

    Parameters
    ----------
    thing : object
        With `keep` and `restore`.
    disturb : callable
        Changes it.
    state : callable
        Returns what it does now, to be compared by `==`.

    Returns
    -------
    Diagnostic
        A note if it can't be kept, which is no fault.

    Raises
    ------
    Nonconformity
        If it comes back as something else, or not at all.
    """
    try:
        kept = round_trip(thing.keep())
    except ValueError as error:
        return Diagnostic(KEEP, NOTE, f"{error}, if agents are to be saved")
    if kept is None:
        return Diagnostic(KEEP, NOTE, "keep() gave None: a run that goes on repeats all steps")
    before = state()
    disturb()
    try:
        thing.restore(kept)
    except Exception as error:
        raise Nonconformity(KEEP, f"restore() of what keep() gave failed with {error!r}") from error
    require(state() == before, "restore() of what keep() gave does not go back exactly", check=KEEP)
    return Diagnostic(KEEP, PASSED, "comes back from an archive as it was")


def round_trip(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what `keep` gave as it comes back from an archive; ValueError if an archive can't hold it."""
    if kept is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kept"
        write_archive(path, {KEEP: kept}, kind=KEEP)
        content: dict[str, Any] = read_archive(path, kind=KEEP).content[KEEP]
    return content
