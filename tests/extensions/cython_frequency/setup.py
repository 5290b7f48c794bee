"""Builds a predictor in Cython outside aixi_approx: `python setup.py build_ext --inplace`."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import aixi_approx

extensions = [Extension("frequency", ["frequency.pyx"], extra_compile_args=["-O3"])]

setup(name="frequency", ext_modules=cythonize(extensions, include_path=[aixi_approx.get_include()]))
