"""Who owns how many bytes: entries that add up to the file, and the sums over them.

An entry says of which kind some bytes are, in which place of the container, and, where that is
known, of which package and function. Entries come in columns, because there is one for each
function and kind.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gocost.analyses.size.kinds import Kind

Owner = int | NDArray[np.int32]
NOBODY = -1


class Entries(msgspec.Struct, frozen=True, eq=False):
    """Bytes of one kind in one place, by package and function (NOBODY where unknown)."""

    kind: Kind
    place: int
    bytes: NDArray[np.int64]
    package: Owner = NOBODY
    function: Owner = NOBODY


class Ledger:
    """All entries of a file."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.entries: list[Entries] = []
        self._numbers: dict[str, int] = {}
        self._packages: NDArray[np.int64] | None = None

    def place(self, name: str) -> int:
        """The number of a place of the container."""
        found = self._numbers.get(name)
        if found is None:
            found = len(self.places)
            self._numbers[name] = found
            self.places.append(name)
        return found

    def add(
        self,
        kind: Kind,
        place: int,
        amount: int | NDArray[np.int64],
        package: Owner = NOBODY,
        function: Owner = NOBODY,
    ) -> int:
        """Note bytes; returns how many they are in all."""
        column = np.atleast_1d(np.asarray(amount, np.int64))
        total = int(column.sum())
        if total:
            self._packages = None
            self.entries.append(Entries(kind, place, column, package, function))
        return total

    def total(self) -> int:
        """All bytes."""
        return sum(int(entry.bytes.sum()) for entry in self.entries)

    def by_kind(self) -> NDArray[np.int64]:
        """Bytes of each Kind."""
        sums = np.zeros(len(Kind), np.int64)
        for entry in self.entries:
            sums[entry.kind] += entry.bytes.sum()
        return sums

    def by_place(self) -> NDArray[np.int64]:
        """Bytes of each place."""
        sums = np.zeros(len(self.places), np.int64)
        for entry in self.entries:
            sums[entry.place] += entry.bytes.sum()
        return sums

    def by_package(self, count: int) -> NDArray[np.int64]:
        """Bytes by package (rows; the last is nobody's) and kind; not to be written to."""
        if self._packages is not None and len(self._packages) == count + 1:
            return self._packages  # every table asks
        sums = np.zeros((count + 1, len(Kind)), np.int64)
        for entry in self.entries:
            if isinstance(entry.package, int):
                sums[entry.package, entry.kind] += entry.bytes.sum()
            else:
                sums[:, entry.kind] += _sums(entry.package, entry.bytes, count + 1)
        sums.flags.writeable = False
        self._packages = sums
        return sums

    def of_functions(self, count: int) -> NDArray[np.int64]:
        """Bytes of code (row 0) and of pclntab (row 1) by function."""
        sums = np.zeros((2, count), np.int64)
        for entry in self.entries:
            if isinstance(entry.function, int):
                continue
            row = 0 if entry.kind == Kind.CODE else 1
            sums[row] += _sums(entry.function, entry.bytes, count + 1)[:count]
        return sums

    def without_function(self, count: int) -> NDArray[np.int64]:
        """Bytes that are no function's, by package (the last row is nobody's) and kind."""
        sums = np.zeros((count + 1, len(Kind)), np.int64)
        for entry in self.entries:
            if not isinstance(entry.function, int):
                if (entry.function >= 0).all():
                    continue
                nobody = entry.function < 0
                owner = entry.package if isinstance(entry.package, int) else entry.package[nobody]
                amounts = entry.bytes[nobody]
            else:
                owner, amounts = entry.package, entry.bytes
            if isinstance(owner, int):
                sums[owner, entry.kind] += amounts.sum()
            else:
                sums[:, entry.kind] += _sums(owner, amounts, count + 1)
        return sums


def _sums(owner: NDArray[np.int32], amounts: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Sums by owner; the last row takes NOBODY. Exact: sums of file sizes fit a double."""
    index = np.where(owner < 0, count - 1, owner)
    sums = np.bincount(index, weights=amounts, minlength=count)
    return sums.astype(np.int64)
