"""Options and displays that commands share."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aixi_approx.conformance.diagnostic import Diagnostic

FORMATS = (".png", ".svg", ".pdf")

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")


def picture(help: str) -> Callable[[Any], Any]:  # noqa: A002
    """Return the option of a file to draw to, which is refused at once if that can't be done."""
    return click.option("--picture", type=click.Path(path_type=Path), callback=_drawable, help=help)


def _drawable(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path and path.suffix.lower() not in FORMATS:
        raise click.ClickException(f"{path}: a picture ends in {', '.join(FORMATS)}")
    if path and not path.parent.is_dir():
        raise click.ClickException(f"{path}: there is no folder {path.parent} to write it to")
    return path


def _something(context: click.Context, parameter: click.Parameter, text: str) -> str:
    if not text.strip():
        raise click.BadParameter("it is empty: name an environment, the folder of a run, or a saved agent")
    return text


subject = click.argument("what", callback=_something)  # a run, an agent, or an environment


def _page_file(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the file of a page, which is refused at once if it can't be written."""
    if path and path.suffix.lower() not in (".html", ".htm"):
        raise click.ClickException(f"{path}: a page ends in .html")
    if path and path.is_dir():
        raise click.ClickException(f"{path} is a folder: name a file in it")
    if path and not path.parent.is_dir():
        raise click.ClickException(f"{path}: there is no folder {path.parent} to write it to")
    return path


html = click.option(
    "--html",
    type=click.Path(path_type=Path),
    callback=_page_file,
    help="Write a page to this file that replays the run: what the agent saw, thought and learned.",
)


def print_json(content: Mapping[str, Any]) -> None:
    """Print an object for programs."""
    print(json.dumps(content))


def print_diagnostic(diagnostic: Diagnostic) -> None:
    """Print what came of a check in a line, folded on a terminal only."""
    check, result, message = diagnostic
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1 << 30
    line = f"{'FAILED' if result == 'failed' else result:8}{check:14}{' '.join(message.split())}"
    folded = textwrap.fill(line, width, subsequent_indent=" " * 22, break_on_hyphens=False)
    click.echo(click.style(folded, fg="red") if result == "failed" else folded)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal what is being done; nothing is left of it."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"{escape(what)} ..."):
        yield


@contextmanager
def written(path: Path | str) -> Iterator[None]:
    """Say which file it was if something can't be written: with a full disk, the error itself names none."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None and not isinstance(error, BrokenPipeError):
            error.filename = str(path)
        raise


@contextmanager
def moving(what: str, after: float = 2.0) -> Iterator[Callable[[str], None]]:
    """Show what is being done and how it stands, in place on a terminal, and else as one line after some seconds."""
    if not sys.stderr.isatty():
        with notice(f"{what} ...", after=after):
            yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(f"{escape(what)} ...") as status:
        yield lambda how: status.update(f"{escape(what)}: {escape(how)}")


@contextmanager
def notice(message: str, after: float = 0.7) -> Iterator[None]:
    """Print a line on stderr if what happens inside takes longer than some seconds."""
    timer = threading.Timer(after, lambda: print(message, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def plain(text: str) -> str:
    """Return a text that comes from a file for a terminal: characters that control it are written out.

    >>> plain("a\\x1b[31mb\\nc")
    'a\\\\x1b[31mb\\nc'
    """
    return "".join(c if c.isprintable() or c in "\n\u00a0" else repr(c)[1:-1] for c in text)


def at_least(least: int) -> click.IntRange:
    """Return the type of a whole number with a lower bound."""
    return click.IntRange(min=least)


discount = click.option(
    "--discount",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="G",
    help="Begin anew with probability 1 - G after every cycle, so that discounted value counts; 1: never.",
)


def memory(help: str) -> Callable[[Any], Any]:  # noqa: A002
    """Return the option of a number of bytes, as in 500M."""
    return click.option("--memory", "most_memory", callback=_bytes, metavar="SIZE", help=help)


def _bytes(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?)b?", text.strip().lower())
    count = int(float(found[1]) * 1000 ** " kmgt".index(found[2] or " ")) if found else 0
    if not count:
        raise click.BadParameter(f"{text!r} is no number of bytes: write one as 500M or 2G")
    return count
