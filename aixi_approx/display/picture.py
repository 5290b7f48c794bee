"""Pictures: Matplotlib figures that a notebook shows."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

DPI = 100  # in a notebook: as many as Matplotlib's own default


class Picture(Figure):
    """A Matplotlib figure that shows itself in a notebook, whether pyplot was imported there or not.

    It belongs to no window and to no list of open figures. `savefig` writes it to a file.
    """

    def _repr_png_(self) -> bytes:
        """Return it as PNG, for a notebook without pyplot's own display; with that, IPython does not ask."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=DPI)
        return file.getvalue()
