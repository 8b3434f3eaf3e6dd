"""A robust slope and its interval, by Theil and Sen.

The slope is the median of the slopes between all pairs of points, which up to 29% of the points may
lie anywhere without moving it far. Its interval is Sen's (1968): the slopes between two ranks from
either end, by the distribution of Kendall's S, exact up to ten points and normal above. Fewer than
five points cannot reach 95%: their interval is from the least slope to the greatest, and
`confidence` says what that reaches. Values are taken to be without ties, which widens it if at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, median
from typing import Final

CONFIDENCE: Final = 0.95
EXACT: Final = 10
"""Points up to which the distribution of Kendall's S is counted out."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A robust slope, a second, with its interval."""

    value: float
    low: float
    high: float


def theil_sen(times: Sequence[float], values: Sequence[float]) -> Slope:
    """The median of the slopes between all pairs, and the interval of CONFIDENCE around it."""
    slopes = sorted(
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(len(times))
        for j in range(i + 1, len(times))
    )
    cut = _cut(len(times))
    return Slope(median(slopes), slopes[cut], slopes[-1 - cut])


def confidence(count: int) -> float:
    """What the interval of so many values reaches: at least CONFIDENCE where that can be."""
    if count > EXACT:
        return CONFIDENCE
    orders = _orders(count)
    return 1 - 2 * sum(orders[: _cut(count) + 1]) / math.factorial(count)


def _cut(count: int) -> int:
    """How many of the slopes are outside the interval at either end."""
    pairs = count * (count - 1) // 2
    tail = (1 - CONFIDENCE) / 2
    if count > EXACT:
        spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        return max(0, math.floor((pairs - NormalDist().inv_cdf(1 - tail) * spread) / 2))
    orders, below, total = _orders(count), 0, math.factorial(count)
    for inversions, ways in enumerate(orders):
        below += ways
        if below > tail * total:
            return max(0, inversions - 1)
    return 0


@cache
def _orders(count: int) -> tuple[int, ...]:
    """How many orders of so many values have 0, 1, 2, ... inversions."""
    ways = [1]
    for size in range(2, count + 1):
        grown = [0] * (len(ways) + size - 1)
        for shift in range(size):
            for inversions, each in enumerate(ways):
                grown[inversions + shift] += each
        ways = grown
    return tuple(ways)
