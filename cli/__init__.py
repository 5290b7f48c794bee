"""The command line: `aixi COMMAND`. One file per command, loaded when it is called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aixi_approx._lazy import lazy

if TYPE_CHECKING:
    from aixi_approx.cli.commands import aixi as aixi

COMMANDS = (
    "run",
    "watch",
    "tree",
    "explain",
    "play",
    "solve",
    "export",
    "check",
    "reproduce",
    "scale",
    "envs",
    "predict",
    "selftest",
)

__getattr__, __dir__, __all__ = lazy(__name__, {"commands": ("aixi",)})


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. What the user got wrong is one line on stderr and exit code 2."""
    from aixi_approx.cli.signals import Ear

    program = arguments is None
    arguments = sys.argv[1:] if arguments is None else arguments
    with Ear(arguments, program=program) as ear:  # before anything else is imported, which takes a while
        from aixi_approx.cli.commands import carry_out, end_with, keep_results_apart, tell_hard_ends

        if program:
            keep_results_apart()
            tell_hard_ends()
        try:
            carry_out(arguments or ["--help"])
        except Exception as error:
            if ear.number:  # which may have brought it about
                raise
            end_with(error)
