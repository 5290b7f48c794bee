"""Builds the compiled kernels; everything else about the package stands in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

kernels = [
    Extension(
        "aixi_approx._context_tree",
        ["ext/_context_tree.pyx"],
        # No fast-math and no contraction to fused operations: undo and replay are exact to the bit.
        extra_compile_args=["-O3", "-ffp-contract=off"],
    )
]

setup(ext_modules=cythonize(kernels, build_dir="build"))
