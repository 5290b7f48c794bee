"""Runs a notebook, and writes it with what came of it: `python tests/notebooks.py docs/tutorial.ipynb`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 300  # that a cell may take, on a slow machine that compiles the kernels first


def main(path: Path, target: Path) -> None:
    """Run a notebook in its folder; what it is stored with tells nothing of the time and the machine."""
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this Python, and no other
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.clear()
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=SECONDS, resources=where, record_timing=False).execute()
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    nbformat.write(notebook, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[-1]))
