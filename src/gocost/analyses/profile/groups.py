"""Whose a function is: its package and its module, by its name."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np

from gocost.analyses.size.packages import Packages
from gocost.formats.buildinfo import BuildInfo
from gocost.kernels.symbol_names import NO_PACKAGE, intern_packages

NO_NAME = "(no package)"
"""Functions of C and assembly, of other languages, and addresses without a name."""


def packages_of(names: Sequence[str], info: BuildInfo | None = None) -> list[str]:
    """The import path of each function's package; `main` is the one that build info names."""
    packages = Packages(info)
    numbers = _numbers(names, packages)
    return [NO_NAME if number == NO_PACKAGE else packages.names[number] for number in numbers]


def modules_of(names: Sequence[str], info: BuildInfo | None = None) -> list[str]:
    """The module of each function's package, with its version where build info knows it."""
    packages = Packages(info)
    found = []
    for number in _numbers(names, packages):
        if number == NO_PACKAGE:
            found.append(NO_NAME)
            continue
        module = packages.module_name(number)
        found.append(f"{module.path}@{module.version}" if module.version else module.path)
    return found


def _numbers(names: Sequence[str], packages: Packages) -> list[int]:
    """The number of each name's package, NO_PACKAGE where it tells none."""
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
    data = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(names)]
    ids, _, at, size = intern_packages(data, starts, ends, seed=secrets.randbits(31), ended=True)
    paths = [
        data[first : first + length].tobytes().decode("utf-8", "replace")
        for first, length in zip(at.tolist(), size.tolist(), strict=True)
    ]
    numbers = packages.numbers(paths)
    return [NO_PACKAGE if which < 0 else numbers[which] for which in ids.tolist()]
