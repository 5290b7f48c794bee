"""Findings: what came of the checks of an environment."""

from typing import NamedTuple

PASSED, FAILED, NOTE = "passed", "failed", "note"


class Diagnostic(NamedTuple):
    """What came of one check."""

    check: str  # what was checked
    result: str  # passed, failed, or note: worth knowing, and no fault
    message: str  # what was seen; of a failure where, too, and how to mend it
