"""Where predictors in Cython find the files they are built on."""

from __future__ import annotations

from pathlib import Path


def get_include() -> str:
    """Return the folder of `history.pxd` and `undo.pxd`, for extensions outside this package.

    These files give a predictor in Cython its bit-packed history and its exact undo. All their code is inline, so
    that an extension needs them only while it is built.

    Examples
    --------
    In a `setup.py`::

        cythonize(extensions, include_path=[aixi_approx.get_include()])

    and in a `.pyx` file::

        from history cimport History, init_history, write_bit
        from undo cimport UndoLog, record, revert_to
    """
    here = Path(__file__).parents[1]
    installed, editable = here / "ext", here.parent / "ext"
    return str(installed if installed.is_dir() else editable)
