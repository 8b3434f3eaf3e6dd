"""Compiles the kernels.

Everything else about the package is in pyproject.toml. A kernel is a `.py` file in Cython's
pure-Python mode (DESIGN: Kernels): the same file is the readable reference when interpreted and
the fast one when compiled.
"""

import os

from build_support import kernels
from Cython.Build import cythonize
from setuptools import Extension, setup

# The loop of this kernel is worth its speed only where its small functions are inlined; a compiler
# that is asked to, and not told, stops at what the loop has grown to.
INLINED = () if os.name == "nt" else ("trace_run",)
INLINE = (
    "-DCYTHON_INLINE=inline __attribute__((always_inline))",
    "-fno-inline-functions-called-once",
)

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"gocost.kernels.{name}",
                [str(kernels.source(name))],
                extra_compile_args=["-O3", *(INLINE if name in INLINED else ())],
            )
            for name in kernels.names()
        ],
        # Every byte that a kernel reads comes from a hostile file: bounds checks are on but where a
        # function takes them off, which GOCOST_CHECKED_KERNELS undoes (build_support/kernels.py).
        compiler_directives={
            "language_level": 3,
            "boundscheck": True,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "show_performance_hints": False,  # that bounds checks cost something is known
        },
        build_dir="build/cython",
        quiet=True,
    )
)
