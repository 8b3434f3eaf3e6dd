"""How far apart two samples are: the Hodges-Lehmann shift and its confidence interval.

The shift is the median of all differences between a value of one sample and a value of the other.
Its interval is what the Mann-Whitney test does not reject: the k-th smallest and k-th largest of
those differences, with k from the exact distribution of U (from its normal approximation above
50 values a side). With ties the distribution without ties is used, whose interval is the wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import floor, sqrt
from statistics import NormalDist

import numpy as np

from gocost.analyses.statistics.mann_whitney import EXACT_LIMIT, Values, u_cdf


@dataclass(frozen=True, slots=True)
class Shift:
    """`second` less `first`, in the samples' unit; None bounds are beyond what so few say."""

    shift: float
    low: float | None
    high: float | None


def hodges_lehmann(first: Values, second: Values, confidence: float = 0.95) -> Shift:
    """The shift from `first` to `second` with its interval. Raises ValueError where one is empty.

    `confidence` is between 0 and 1; the interval covers at least that much.
    """
    if len(first) == 0 or len(second) == 0:
        raise ValueError("a shift needs at least one value on each side")
    differences = np.subtract.outer(second, first).ravel()
    differences.sort()
    count = len(differences)
    middle = (differences[(count - 1) // 2] + differences[count // 2]) / 2
    rank = interval_rank(len(first), len(second), confidence)
    if rank == 0:
        return Shift(float(middle), None, None)
    return Shift(float(middle), float(differences[rank - 1]), float(differences[count - rank]))


@lru_cache(maxsize=1024)
def interval_rank(n1: int, n2: int, confidence: float) -> int:
    """Which of the sorted differences bounds the interval, from 1; 0 where none can."""
    tail = (1 - confidence) / 2
    if max(n1, n2) <= EXACT_LIMIT:
        return int(np.searchsorted(u_cdf(n1, n2), tail * (1 + 1e-12), side="right"))
    middle = n1 * n2 / 2
    deviation = sqrt(n1 * n2 * (n1 + n2 + 1) / 12)
    return max(0, floor(middle + deviation * NormalDist().inv_cdf(tail) + 0.5))
