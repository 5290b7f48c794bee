"""What came of a run, on stdout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from aixi_approx.cli.options import plain, print_json

if TYPE_CHECKING:
    from aixi_approx.experiments.result import RunResult


def recorded_outcome(out: Path | None) -> bytes | None:
    """Return the result that stands in a folder, if any."""
    path = out / "result.json" if out else None
    return path.read_bytes() if path and path.is_file() else None


def print_outcome(result: RunResult, out: Path | None, *, as_json: bool) -> None:
    """Print what came of a run, and where it was written to."""
    if as_json:
        print_json(result.as_json())
        return
    _print_table(result)
    if out:
        print(f"Every cycle stands in {out}/learning.csv and {out}/evaluation.csv.")
        if (out / "agent.aixi").exists():
            print(f"What it learned stands in {out}/agent.aixi, for --from and aixi_approx.load.")


def _print_table(result: RunResult) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from aixi_approx.experiments import summary

    print(plain(summary.title(result)))
    first, *others = summary.sections(result)
    table = Table(box=box.SIMPLE_HEAD)
    for i, column in enumerate(first.head):
        table.add_column(column, justify="right" if i == 1 else "left")

    def add(cells: Iterable[str], style: str = "") -> None:
        table.add_row(*(Text(plain(cell), style=style if not i else "") for i, cell in enumerate(cells)))

    for line in first.lines:
        add(line)
    for section in others:
        table.add_section()
        add(section.head, "bold")
        for line in section.lines:
            add(line)
    add(("time", f"{result.learning_seconds + result.evaluation_seconds:.1f} s", ""))
    Console(emoji=False).print(table)
    if result.approximations:
        print(f"Not as in the original: {plain(result.approximations)}.")
