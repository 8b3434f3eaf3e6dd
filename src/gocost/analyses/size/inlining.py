"""Code that stands in one function and came from another: what inlining moved where.

The bytes of an inlined call are counted where they stand; here they are shown a second time, at
the function that they came from, when that is of another package.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size.account import Account
from gocost.analyses.size.ordering import descending
from gocost.model.report import Cell


def elsewhere(account: Account) -> NDArray[np.int64]:
    """Bytes that each package has inside functions of other packages."""
    count = len(account.packages.names)
    rows = _moved(account)
    if rows is None:
        return np.zeros(count, np.int64)
    package, _, amounts = rows
    return np.bincount(package, weights=amounts, minlength=count).astype(np.int64)


def by_name(account: Account, limit: int) -> list[Sequence[Cell]]:
    """The inlined functions with most bytes in other packages: module, package, name, bytes, calls.

    Ends with a row for the rest.
    """
    rows = _moved(account)
    names = account.names
    if rows is None or names is None:
        return []
    _, name, amounts = rows
    size = len(names.package)
    sums = np.bincount(name, weights=amounts, minlength=size).astype(np.int64)
    calls = np.bincount(name, minlength=size)
    order = np.flatnonzero(sums)
    order = order[descending(sums[order])]
    shown, rest = order[:limit], order[limit:]
    packages = account.packages
    found: list[Sequence[Cell]] = []
    for k, text in zip(shown.tolist(), names.text(shown), strict=True):
        package = int(names.package[k])
        module = packages.module_name(package).path
        found.append((module, packages.names[package], text, int(sums[k]), int(calls[k])))
    if len(rest):
        others = f"({len(rest):,} others)"
        found.append((others, "", "", int(sums[rest].sum()), int(calls[rest].sum())))
    return found


def _moved(
    account: Account,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]] | None:
    """Package, name and bytes of every inlined call into another package's function."""
    inlined, names, functions = account.inlined, account.names, account.functions
    if inlined is None or names is None or functions is None or not len(inlined.outer):
        return None
    origin = names.package[inlined.name]
    host = functions.package[inlined.outer]
    moved = (origin >= 0) & (origin != host)
    if not moved.any():
        return None
    return origin[moved], inlined.name[moved], inlined.bytes[moved]
