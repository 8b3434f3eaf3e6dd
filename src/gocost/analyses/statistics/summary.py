"""One sample in three figures: its median and the interval of that; and the mean of ratios.

The interval of a median needs no assumption about the distribution: which two of the sorted values
bound it follows from the binomial distribution alone. Which of the equally good pairs is taken
(the left one), and the normal approximation above 30 values, are benchstat's conventions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, comb, exp, floor, log, sqrt
from statistics import NormalDist

_APPROXIMATE_ABOVE = 30


@dataclass(frozen=True, slots=True)
class Center:
    """A sample's middle and what bounds it; None bounds are beyond what so few values say."""

    value: float
    low: float | None
    high: float | None


def median(ordered: Sequence[float], confidence: float = 0.95) -> Center:
    """The median of ascending values with its interval. Raises ValueError where there are none."""
    count = len(ordered)
    if count == 0:
        raise ValueError("no values have no median")
    low, high = median_ranks(count, confidence)
    return Center(
        (ordered[(count - 1) // 2] + ordered[count // 2]) / 2,
        ordered[low - 1] if low >= 1 else None,
        ordered[high - 1] if high <= count else None,
    )


def mode(ordered: Sequence[float]) -> Center:
    """The most frequent of ascending values, bounded by the extremes: for exact figures.

    Of equally frequent ones it is the least. Raises ValueError where there are none.
    """
    (value, _), *_ = Counter(ordered).most_common(1)  # in order of first appearance
    return Center(value, ordered[0], ordered[-1])


def geometric_mean(values: Iterable[float]) -> float | None:
    """The geometric mean; None where there are no values or one is not above zero."""
    logs = []
    for value in values:
        if not value > 0:
            return None
        logs.append(log(value))
    return exp(sum(logs) / len(logs)) if logs else None


@lru_cache(maxsize=1024)
def median_ranks(count: int, confidence: float) -> tuple[int, int]:
    """Which of `count` sorted values bound the median, from 1; 0 or `count` + 1 is beyond them."""
    if confidence >= 1:
        return 0, count + 1
    low, high = (
        _exact_ranks(count, confidence)
        if count <= _APPROXIMATE_ABOVE
        else _normal_ranks(count, confidence)
    )
    return max(low, 0), min(high, count + 1)


def _exact_ranks(count: int, confidence: float) -> tuple[int, int]:
    """Adds up the binomial's probabilities from its middle outwards, the left first."""
    weights = [comb(count, k) / 2**count for k in range(count + 1)]

    def weight(k: int) -> float:
        return weights[k] if 0 <= k <= count else 0.0

    low = ceil((count + 1) / 2) - 1
    high = low + 1
    total = weight(low)
    while total < confidence and (weight(low - 1) > 0 or weight(high) > 0):
        if weight(low - 1) >= weight(high):
            low -= 1
            total += weight(low)
        else:
            total += weight(high)
            high += 1
    return low, high


def _normal_ranks(count: int, confidence: float) -> tuple[int, int]:
    """The same from the normal approximation, with continuity correction."""
    normal = NormalDist(count / 2, sqrt(count) / 2)
    left = normal.inv_cdf((1 - confidence) / 2)
    right = 2 * normal.mean - left
    low, high = floor(left - 0.5) + 1, ceil(right - 0.5) + 1

    def covered(upper: int) -> float:
        return normal.cdf(upper - 0.5) - normal.cdf(low - 0.5)

    # One value less on the right is still enough now and then.
    if confidence <= covered(high - 1) < covered(high):
        high -= 1
    return low, high
