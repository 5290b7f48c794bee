"""`aixi watch`: an agent learns, and a page in the browser shows live what it sees, thinks and learns."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from contextlib import redirect_stdout
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from aixi_approx.cli.agent_options import agent_options, asked_experiment
from aixi_approx.cli.options import as_json, notice
from aixi_approx.cli.outcome import print_outcome
from aixi_approx.cli.signals import can_go_on
from aixi_approx.experiments.progress import show_progress

WAIT_SECONDS = 5.0  # for the browser that was opened, before the first cycle
DRAIN_SECONDS = 2.0  # that pages may take for the last news, with --exit


@click.command("watch", short_help="See live in the browser how an agent learns.")
@click.argument("environment")
@agent_options
@click.option(
    "--pace",
    type=float,
    metavar="K",
    help="At most K cycles a second; inf: full speed.  [default: inf; in the evaluation 5, while a page is open]",
)
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="Of the page, on this machine.  [default: one that is free]"
)
@click.option("--no-browser", is_flag=True, help="Print the address of the page, and don't open it.")
@click.option("--exit", "leave", is_flag=True, help="End with the run; else the page stays until Ctrl-C.")
@as_json
def command(
    environment: str,
    threads: int | None,
    out: Path | None,
    pace: float | None,
    port: int | None,
    no_browser: bool,
    leave: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Let an agent learn in ENVIRONMENT, as `aixi run` does, and show it live in the browser.

    The page shows what the agent does and sees, what it expects, what each action is worth to it, what it plans, what
    its context trees have found out, and, where the environment is known, what is true. Its address stands on stderr;
    it works on this machine only, in up to six tabs of a browser. The page shows, and changes nothing:
    the cycles are those of `aixi run` with the same options. It never slows the agent by more than a tenth: of a fast
    run it shows some cycles, four times a second. Ctrl-C ends the command.

    \b
    Examples:
      aixi watch tiger
      aixi watch kuhn-poker --pace 5
      aixi watch pacman --cycles 100000 --out run/
      aixi watch cheese-maze --no-browser --port 8123
      aixi watch tiger --model true --cycles 0 --exit
    """
    from aixi_approx.envs import make
    from aixi_approx.experiments.running import compile_kernels, run
    from aixi_approx.viewer.live import LiveServer
    from aixi_approx.viewer.spectator import Spectator

    experiment = asked_experiment(environment, threads=threads, out=out, **given)
    with redirect_stdout(sys.stderr):
        spectator = Spectator(experiment, make(experiment.environment), folder=out, pace=pace, show=show_progress)
    with LiveServer(spectator.broadcast, port=port or 0) as server, TemporaryDirectory() as own:
        print(f"The agent is shown at {server.url}", file=sys.stderr, flush=True)
        with notice("compiling the search, once; it is kept for next time ..."):
            compile_kernels(experiment.model, experiment.planner)
        if not no_browser and _open(server.url, Path(own)):
            spectator.broadcast.wait(WAIT_SECONDS, listening=True)
        with redirect_stdout(sys.stderr):
            result = run(experiment, out, watch=spectator.watch, perceived=spectator.perceived, threads=threads or 1)
        spectator.tell_result(result)
        print_outcome(result, out, as_json=as_json)
        if not spectator.cycles and out:
            if not as_json:
                print("The run was complete; nothing was done again, nor shown.")
        elif leave:
            spectator.broadcast.wait(DRAIN_SECONDS, listening=False)
        else:
            sys.stdout.flush()
            can_go_on("the run had ended")
            print("The run has ended. The page stays until Ctrl-C.", file=sys.stderr, flush=True)
            threading.Event().wait()


def _open(url: str, folder: Path) -> bool:
    """Open a page in a browser; if there is none but in the terminal, which would block, say so and return False.

    The browser is given a file that leads there, which only this user can read: its arguments, with the secret in the
    address, could be read by others.
    """
    screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    page = folder / "open.html"
    page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">\n')
    try:
        if screen and webbrowser.open(page.as_uri()):
            return True
    except (webbrowser.Error, OSError, ValueError):
        pass
    print("There is no browser to open: open the address yourself.", file=sys.stderr, flush=True)
    return False
