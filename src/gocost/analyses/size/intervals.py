"""Address ranges with owners, and how much of them lies in a piece of the file."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray


class Intervals(msgspec.Struct, frozen=True, eq=False):
    """Ranges that do not overlap, by rising start, with the package that owns each (-1: nobody)."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    package: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.start)

    def within(self, low: int, high: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The owners of what lies between two addresses, and how many bytes each has."""
        first = int(np.searchsorted(self.end, low, "right"))
        last = int(np.searchsorted(self.start, high, "left"))
        if first >= last:
            return np.zeros(0, np.int32), np.zeros(0, np.int64)
        amounts = np.minimum(self.end[first:last], high) - np.maximum(self.start[first:last], low)
        return self.package[first:last], amounts


def disjoint(
    start: NDArray[np.int64], end: NDArray[np.int64], package: NDArray[np.int32]
) -> Intervals:
    """Ranges cut so that each byte belongs to the range that starts first."""
    if len(start) > 1 and (start[1:] < start[:-1]).any():
        order = np.argsort(start, kind="stable")
        start, end, package = start[order], end[order], package[order]
    if len(start) > 1 and (end[:-1] > start[1:]).any():
        reached = np.maximum.accumulate(np.append(start[:1], end[:-1]))
        start = np.maximum(start, reached)
    kept = end > start
    if not kept.all():
        start, end, package = start[kept], end[kept], package[kept]
    return Intervals(start, end, package)


NOTHING = Intervals(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
