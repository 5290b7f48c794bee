"""The command line: `aixi COMMAND`. One file per command, loaded when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from aixi_approx._version import __version__

COMMANDS = ("run", "play", "solve", "check", "reproduce", "scale", "envs", "predict", "selftest")


class Commands(click.Group):
    """Commands that are imported when they are needed."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, which stands in the file of its name."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="aixi")
def aixi() -> None:
    """MC-AIXI, fast, exact and readable: an agent is a predictor plus a search.

    \b
    Examples:
      aixi run tiger               an agent learns Tiger from nothing, and is evaluated
      aixi play kuhn               play yourself, an agent beside you
      aixi solve tiger             the best that any agent can reach there, and how
      aixi check my_env.py:Lake    what is wrong with an environment of your own
      aixi reproduce               JAIR 2011 again: its tables and figures, ours beside them
      aixi scale tiger             what experience and search buy, and where the losses come from
      aixi envs                    the environments
      aixi predict README.md       code length of a file, in bits per byte
      aixi selftest                whether all this can be trusted on your machine
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. What the user got wrong is one line on stderr and exit code 2."""
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        aixi.main(arguments or ["--help"], prog_name="aixi", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):  # click makes the one of the other
        print("aixi: stopped", file=sys.stderr)
        sys.exit(130)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "aixi"
        _fail(f"{where}: {error.format_message()} ('{where} --help' shows how)")
    except click.ClickException as error:
        _fail(f"aixi: {error.format_message()}")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        _fail(f"aixi: {error.filename or ''}: {error.strerror or error}".replace(": :", ":"))
    except (ValueError, MemoryError, RuntimeError) as error:
        _fail(f"aixi: {error or type(error).__name__}")


def _fail(message: Any) -> None:
    print(" ".join(str(message).split()), file=sys.stderr)
    sys.exit(2)
