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


def could_be_called(p: Sequence[float], index: int, least: float, rate: float) -> bool:
    """Whether the test at `index` would be called, the others as they are, if its p were `least`.

    `least` is what its samples give when they do not overlap at all. Where that would not do, the
    samples are too small to say anything in this family.
    """
    values = np.asarray(p, dtype=np.float64).copy()
    values[index] = least
    values.sort()
    passing = np.flatnonzero(values <= rate * np.arange(1, len(values) + 1) / len(values))
    return bool(passing.size) and least <= float(values[passing[-1]])
