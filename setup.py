"""Builds the compiled kernels, and the description that package indexes show; the rest stands in pyproject.toml."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# From distutils, which is there only after setuptools has been imported.
from distutils.ccompiler import new_compiler  # isort: skip
from distutils.errors import DistutilsPlatformError  # isort: skip
from distutils.sysconfig import customize_compiler  # isort: skip

# No fast-math and no contraction to fused operations: undo and replay are exact to the bit. Visual C++ has contracted
# only on request since 2022.
GNU = ["-O3", "-ffp-contract=off"]
OPTIONS = {"msvc": ["/O2", "/fp:precise"]}

BUILD = {"bdist_wheel", "editable_wheel", "build", "build_ext", "install", "develop"}  # the commands that compile

# How to get the compiler with its C library, and the headers of Python.
HOW = {
    "linux": (
        "apt install gcc libc6-dev (Debian, Ubuntu), dnf install gcc (Fedora), apk add gcc musl-dev (Alpine)",
        "apt install python3-dev (Debian, Ubuntu), dnf install python3-devel (Fedora), apk add python3-dev (Alpine)",
    ),
    "darwin": ("xcode-select --install", "xcode-select --install, or a Python from python.org"),
    "win32": ("install 'Desktop development with C++' of the Build Tools for Visual Studio", "install Python again"),
}


def what_is_missing() -> str | None:
    """Say in one line what is missing to compile the kernels, and how to get it."""
    to_compile, for_headers = HOW.get(sys.platform, ("install one", "install them"))
    compiler = new_compiler()
    customize_compiler(compiler)
    if compiler.compiler_type == "msvc":
        try:
            compiler.initialize()
        except DistutilsPlatformError:
            return f"there is no C compiler: {to_compile}"
        return None
    command = compiler.compiler_so
    if not shutil.which(command[0]):
        return f"there is no C compiler '{command[0]}': {to_compile}"
    command = [*command, f"-I{sysconfig.get_path('include')}", "-fsyntax-only", "-x", "c", "-"]
    for header, what, how in (
        ("stdlib.h", "the headers of the C library", to_compile),
        ("Python.h", "the headers of Python", for_headers),
    ):
        if subprocess.run(
            command, input=f"#include <{header}>\n".encode(), capture_output=True, check=False
        ).returncode:
            return f"'{command[0]}' does not find {what}, {header}: {how}"
    return None


class BuildKernels(build_ext):
    """Compiles the kernels as the compiler at hand is told to."""

    def build_extensions(self) -> None:
        """Compile each kernel."""
        for kernel in self.extensions:
            kernel.extra_compile_args = OPTIONS.get(self.compiler.compiler_type, GNU)
        super().build_extensions()


def description() -> str:
    """README.md without what works only beside its files: pictures, and links that are paths."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    text = re.sub(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\s\(\[[^\]]*\]\((?!https?:|#)[^)]*\)\)", "", text).replace("<!-- run -->\n", "")
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)[^)]*\)", r"\1", text)


# Before anything is done or printed: pip shows all of it. The source distribution needs no compiler.
if BUILD & set(sys.argv) and (missing := what_is_missing()):
    sys.exit(f"aixi_approx has kernels to compile, and {missing}")

setup(
    ext_modules=cythonize([Extension("aixi_approx._context_tree", ["ext/_context_tree.pyx"])], build_dir="build"),
    cmdclass={"build_ext": BuildKernels},
    long_description=description(),
    long_description_content_type="text/markdown",
)
