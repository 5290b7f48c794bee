"""Diagnostics: what came of the checks of an environment, a predictor, a planner or a rollout policy."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from aixi_approx.validation import describe_error

PASSED, FAILED, NOTE = "passed", "failed", "note"


class Diagnostic(NamedTuple):
    """What came of one check."""

    check: str  # what was checked
    result: str  # passed, failed, or note: worth knowing, and no fault
    message: str  # what was seen; of a failure where, too, and how to mend it


class Nonconformity(AssertionError):
    """A check failed.

    Parameters
    ----------
    check : str
        What was checked.
    message : str
        What is wrong.
    """

    def __init__(self, check: str, message: str) -> None:
        super().__init__(message)
        self.check = check


def require(condition: object, message: str, *, check: str) -> None:
    """Raise Nonconformity unless a condition is true."""
    if not condition:
        raise Nonconformity(check, message)


def until_failure(diagnostics: Iterable[Diagnostic], modules: Container[object]) -> list[Diagnostic]:
    """Return diagnostics; the last one is the failure that ended the checks, if one did.

    Parameters
    ----------
    diagnostics : iterable of Diagnostic
        Of checks that raise when one fails.
    modules : container of str
        Where the code that is checked stands; a failure says which line of it raised.
    """
    found: list[Diagnostic] = []
    try:
        for diagnostic in diagnostics:
            found.append(diagnostic)
    except Nonconformity as failure:
        found.append(Diagnostic(failure.check, FAILED, str(failure)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        after = f", after the check {found[-1].check!r}" if found else ""
        found.append(Diagnostic("exception", FAILED, f"{describe_error(error, modules)}{after}"))
    return found
