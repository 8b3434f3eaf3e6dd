"""Which goroutines came and which left between dumps with ids, or in the halves of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gocost.formats.goroutine_dump.dump import Dump, Int64s, Traced


def stayed(ids: Int64s, keys: Int64s, other: Int64s, other_keys: Int64s) -> npt.NDArray[np.bool_]:
    """Which goroutines the other dump has in the same group."""
    same: npt.NDArray[np.bool_] = beside(ids, other, other_keys) == keys
    return same


def beside(ids: Int64s, other: Int64s, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The other dump's values of these goroutines; -1 of those that it has not."""
    if not len(other):
        return np.full(len(ids), -1)
    order = np.argsort(other, kind="stable")
    at = np.minimum(np.searchsorted(other[order], ids), len(other) - 1)
    there = order[at]
    return np.where(other[there] == ids, values[there], -1)


def moved(
    dumps: Sequence[Dump], rows: Sequence[Int64s], keys: int
) -> tuple[list[tuple[Int64s, Int64s]], Int64s]:
    """Arrivals and departures by group and interval; and how many of the first arrivals are gone
    in the third dump.
    """
    gone = np.zeros(keys, np.int64)
    intervals = []
    for i in range(1, len(dumps)):
        before, after = dumps[i - 1], dumps[i]
        new = ~stayed(after.id, rows[i], before.id, rows[i - 1])
        left = ~stayed(before.id, rows[i - 1], after.id, rows[i])
        intervals.append(
            (
                np.bincount(rows[i][new], minlength=keys),
                np.bincount(rows[i - 1][left], minlength=keys),
            )
        )
        if i == 1 and len(dumps) > 2:
            missing = new & ~stayed(after.id, rows[1], dumps[2].id, rows[2])
            gone = np.bincount(rows[1][missing], minlength=keys)
    return intervals, gone


def went_on(trace: Traced, rows: Int64s, keys: int) -> tuple[list[tuple[Int64s, Int64s]], Int64s]:
    """For the halves of a trace those that came and stayed to its end; and of each those that went
    on, of which it is not known in which half: all of them, which judges more mildly.
    """
    late = trace.waited_ns < trace.length_ns / 2
    went = np.zeros(keys, np.int64)
    np.maximum.at(went, rows, trace.went_on)
    first = np.bincount(rows[trace.arrived & ~late], minlength=keys)
    second = np.bincount(rows[trace.arrived & late], minlength=keys)
    return [(first, went), (second, went)], went
