"""Python that starts in a checkout finds all of the package, also where it was installed with `pip install .`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from test_architecture import ROOT

PROGRAM = """
import sys
sys.path[:0] = {paths}  # after -S, no .pth file of an editable install is read
import aixi_approx
from aixi_approx import make
import aixi_approx.cli, aixi_approx._context_tree
for module in (aixi_approx, sys.modules[make.__module__], aixi_approx.cli, aixi_approx._context_tree):
    print(module.__file__)
"""


def test_in_a_checkout_that_hides_the_installed_package(tmp_path: Path) -> None:
    site, checkout = tmp_path / "site", tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    for target, parent in ((checkout, checkout), (site, site / "aixi_approx")):
        shutil.copytree(ROOT / "aixi_approx", target / "aixi_approx", ignore=ignored)
        for folder in ("envs", "cli"):
            shutil.copytree(ROOT / folder, parent / folder, ignore=ignored)
    shutil.copytree(ROOT / "ext", checkout / "ext")
    library = importlib.util.find_spec("aixi_approx._context_tree")
    assert library
    shutil.copy(str(library.origin), site / "aixi_approx")

    for start, source in ((checkout, checkout), (tmp_path, site)):
        paths = [str(source), str(site), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        process = subprocess.run(
            [sys.executable, "-I", "-S", "-c", PROGRAM.format(paths=paths)],
            cwd=start,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        *modules, kernel = map(Path, process.stdout.splitlines())
        assert all(module.is_relative_to(source) for module in modules)
        assert kernel.is_relative_to(site)
