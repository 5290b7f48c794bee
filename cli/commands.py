"""All commands as one, and what goes wrong in them as one line."""

from __future__ import annotations

import importlib
import io
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from aixi_approx._version import __version__
from aixi_approx.cli import COMMANDS
from aixi_approx.cli.options import plain, written

SMALLER = "ask for less (depth, cycles, simulations, seeds or processes), or take a machine with more"


STDOUT = "stdout"


class _Interrupted(BaseException):
    """Ctrl-C, on its way past click, which would print an empty line."""

    def __init__(self, stop: KeyboardInterrupt) -> None:
        self.stop = stop


class Commands(click.Group):
    """Commands that are imported when they are needed."""

    def invoke(self, context: click.Context) -> Any:
        """Run what was asked for."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt as stop:
            raise _Interrupted(stop) from None

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, which stands in the file of its name."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"aixi_approx.cli.{name}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="aixi")
def aixi() -> None:
    """MC-AIXI, fast, exact and readable: an agent is a predictor plus a search.

    \b
    Examples:
      aixi run tiger               an agent learns Tiger from nothing, and is evaluated
      aixi watch tiger             the same, live in the browser: what it sees, expects and plans
      aixi explain tiger           one decision: what it expects and plans, what it loses and why
      aixi tree tiger              what its context trees find out, in words
      aixi play kuhn               play yourself, an agent beside you
      aixi solve tiger             the best that any agent can reach there, and how
      aixi export tiger t.POMDP    an environment as a file for other programs
      aixi check my_env.py:Lake    what is wrong with an environment of your own
      aixi reproduce               JAIR 2011 again: its tables and figures, ours beside them
      aixi scale tiger             what experience and search buy, and where the losses come from
      aixi envs                    the environments
      aixi predict README.md       code length of a file, in bits per byte
      aixi selftest                whether all this can be trusted on your machine
    """


class _Results(io.FileIO):
    """What stdout writes to: an error has its name."""

    def write(self, data: Any, /) -> int:
        """Write some bytes."""
        with written(STDOUT):
            return super().write(data)


def keep_results_apart() -> None:
    """Send to stderr what reaches the descriptor of stdout other than by `print`: from code in C, or by `os.write`."""
    with suppress(OSError, ValueError, AttributeError):  # there may be no stdout
        if (before := sys.stdout).fileno() == 1:
            results = os.dup(1)
            os.dup2(2, 1)
            binary = io.BufferedWriter(_Results(results, "w"))
            lines = before.isatty()
            sys.stdout = io.TextIOWrapper(binary, before.encoding, before.errors, line_buffering=lines)


def tell_hard_ends() -> None:
    """Let `os._exit`, by which code of the user's own can end the program at any moment, say so."""
    leave, program = os._exit, os.getpid()

    def told(status: int) -> NoReturn:
        if os.getpid() != program:  # not one that it has forked
            leave(status)
        print(
            f"aixi: the program was ended by os._exit({status}) in code of an environment or of an agent",
            file=sys.stderr,
        )
        leave(2)

    os._exit = told


def carry_out(arguments: list[str]) -> None:
    """Run a command.

    Parameters
    ----------
    arguments : list of str
        The name of the command, and what follows it.

    Raises
    ------
    Exception
        What goes wrong in it.
    KeyboardInterrupt
        If it is stopped, or input ends.
    """
    try:
        aixi.main(arguments, prog_name="aixi", standalone_mode=False)
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
    except _Interrupted as error:
        raise error.stop from None
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None


def end_with(error: Exception) -> NoReturn:
    """Print what went wrong in a command as one line on stderr, and exit with code 2.

    Raises
    ------
    Exception
        The error itself, if it is nothing that users or their machine have brought about.
    """
    match error:
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else "aixi"
            told = f"{where}: {error.format_message()} ('{where} --help' shows how)"
        case click.ClickException():
            told = f"aixi: {error.format_message()}"
        case BrokenPipeError():
            sys.stderr.close()
            sys.exit(141)
        case OSError():
            where = error.filename or ""
            said = error.strerror or str(error) or type(error).__name__
            told = f"aixi: {where}: {said}" if where else f"aixi: {said}"
            if where == STDOUT:
                with suppress(OSError):  # or Python would try to write the rest at its end
                    sys.stdout.close()
        case MemoryError():
            told = f"aixi: out of memory{f' ({error})' if str(error) else ''}: {SMALLER}"
        case ValueError() | RuntimeError():
            told = f"aixi: {str(error) or type(error).__name__}"
        case _:
            raise error
    print(plain(" ".join(told.split())), file=sys.stderr)
    sys.exit(2)
