"""Many tests at once: the false discovery rate, and how many runs a family of tests needs.

Of 200 benchmarks in which nothing changed, ten have p < 0.05 by chance. The procedure of Benjamini
and Hochberg (1995) adjusts each p so that of everything called at q, at most that share is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from gocost.analyses.statistics.mann_whitney import smallest_p

MOST_RUNS: Final = 50
"""Runs a side above which no number is named: the exact test ends there."""


def false_discovery(p: Sequence[float]) -> list[float]:
    """The adjusted q of each p, in the same order: reject where q is at most the wanted rate."""
    count = len(p)
    if count == 0:
        return []
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * count / np.arange(1, count + 1)
    adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    q = np.empty(count)
    q[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in q]


def runs_needed(family: int, rate: float) -> int | None:
    """The fewest runs a side with which one change in a family of that many tests can be called.

    None where even `MOST_RUNS` would not do.
    """
    wanted = rate / max(1, family)
    for runs in range(1, MOST_RUNS + 1):
        if smallest_p(runs, runs) <= wanted:
            return runs
    return None


def could_be_called(p: Sequence[float], least: Sequence[float], rate: float) -> list[bool]:
    """Of each test, whether it would be called, the others as they are, if its p were its `least`.

    `least` is what a test's samples give when they do not overlap at all. Where that would not do,
    the samples are too small to say anything in this family.
    """
    count = len(p)
    if count == 0:
        return []
    values = np.asarray(p, dtype=np.float64)
    smallest = np.minimum(least, values)
    order = np.argsort(values, kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    ordered = values[order]
    allowed = rate * np.arange(1, count + 1) / count
    # In order, `smallest` takes a place before its p; what lies between the two moves up by one,
    # what is above stays. One of all these that is allowed calls everything before it.
    place = np.minimum(np.searchsorted(ordered, smallest), rank)
    staying = np.flatnonzero(ordered <= allowed)
    above = rank < (staying[-1] if staying.size else -1)
    moving = np.where(ordered[:-1] <= allowed[1:], np.arange(count - 1), -1)
    last_moving = np.concatenate(([-1], np.maximum.accumulate(moving)))
    between = last_moving[rank] >= place
    called = (smallest <= allowed[place]) | between | above
    return [bool(each) for each in called]
