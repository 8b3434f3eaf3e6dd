"""Compiles the kernels.

Everything else about the package is in pyproject.toml. A kernel is a `.py` file in Cython's
pure-Python mode (DESIGN: Kernels): the same file is the readable reference when interpreted and
the fast one when compiled.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = sorted(
    path for path in Path("src/gocost/kernels").glob("*.py") if path.name != "__init__.py"
)


def source(path: Path) -> str:
    """The kernel's source. With GOCOST_CHECKED_KERNELS set no loop goes without bounds checks: so
    they are fuzzed, and an index that a loop trusts wrongly shows.
    """
    if not os.environ.get("GOCOST_CHECKED_KERNELS"):
        return str(path)
    checked = Path("build/checked") / path.name
    checked.parent.mkdir(parents=True, exist_ok=True)
    checked.write_text(
        path.read_text(encoding="utf-8").replace("@cython.boundscheck(False)\n", ""),
        encoding="utf-8",
    )
    return str(checked)


setup(
    ext_modules=cythonize(
        [
            Extension(f"gocost.kernels.{path.stem}", [source(path)], extra_compile_args=["-O3"])
            for path in KERNELS
        ],
        # Bounds checks stay on: every byte that a kernel reads comes from a hostile file.
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
