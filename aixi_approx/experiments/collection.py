"""The rows of a run, kept while it proceeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from aixi_approx.experiments.watching import Watcher, ended, unwatched

if TYPE_CHECKING:
    from aixi_approx.environment import Environment
    from aixi_approx.interaction import Row


class Collection:
    """A watcher of a run that keeps its rows.

    A run that is resumed from a folder passes on only what it does anew; `recorded_rows` reads the others.

    Parameters
    ----------
    watch : Watcher, optional
        That receives the rows, too, such as `show_progress`.

    Attributes
    ----------
    learning, evaluation : list of Row
        What came so far.

    Examples
    --------
    >>> from aixi_approx.experiments import Experiment, run
    >>> rows = Collection()
    >>> result = run(Experiment.of("coin-flip", cycles=30, evaluate=20, simulations=5), watch=rows)
    >>> len(rows.learning), len(rows.evaluation)
    (30, 20)
    """

    def __init__(self, watch: Watcher = unwatched) -> None:
        self.watch = watch
        self.learning: list[Row] = []
        self.evaluation: list[Row] = []

    def __call__(self, part: str, rows: Iterable[Row], *, cycles: int, environment: Environment) -> Iterator[Row]:
        """Pass rows on, and keep them."""
        kept: list[Row] = getattr(self, part)
        with ended(self.watch(part, rows, cycles=cycles, environment=environment)) as watched:
            for row in watched:
                kept.append(row)
                yield row

    def frame(self) -> Any:
        """Return all rows as a pandas DataFrame, whose column `part` says whether one is of learning or evaluation.

        Raises
        ------
        ValueError
            If pandas is not installed.
        """
        from aixi_approx.display.data_frame import frame

        parts = {"learning": self.learning, "evaluation": self.evaluation}
        return frame({"part": part, **row._asdict()} for part, rows in parts.items() for row in rows)

    def __repr__(self) -> str:
        """Return how many there are."""
        return f"<Collection: {len(self.learning):,} cycles of learning, {len(self.evaluation):,} of evaluation>"
