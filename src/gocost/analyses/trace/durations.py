"""Quantiles of durations: exact where the durations are at hand, else by buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gocost.analyses.trace.account import Int64s
from gocost.kernels.trace_run import bucket, bucket_floor

_NORMAL: Final = 1.96
_LEAST: Final = {90: 10, 99: 100}
"""Durations that a quantile needs, by its percent; others need one."""


def quantile(ordered: Sequence[int] | Int64s, percent: int) -> int | None:
    """The least of ascending durations that so many in a hundred do not exceed.

    None where there are too few of them to say.
    """
    count = len(ordered)
    if not is_known(count, percent):
        return None
    return int(ordered[_rank(count, percent) - 1])


def exact_sum(durations: Int64s) -> int:
    """The sum, exact also where it passes 64 bits: a trace may say that a task took centuries."""
    return (int((durations >> 32).sum()) << 32) + int((durations & 0xFFFFFFFF).sum())


def is_known(count: int, percent: int) -> bool:
    """Whether a quantile of `count` durations says something."""
    return count >= _LEAST.get(percent, 1)


def _rank(count: int, percent: int) -> int:
    """The nearest rank, from 1."""
    return max(1, -(-count * percent // 100))


@dataclass(frozen=True, slots=True)
class Bounded:
    """A quantile of which only a histogram is known, in the unit of its buckets."""

    low: int
    high: int
    """The ends of the bucket that it lies in."""
    likely: tuple[int, int] | None
    """Where it lies in 95 of 100 samples of so many durations, were each of them by itself: ranks
    by the binomial distribution, with the buckets that they lie in. None where the sample does not
    reach so far."""


def bounded_quantile(counts: Sequence[int], percent: int) -> Bounded:
    """A quantile of a histogram with the buckets of the kernel's `bucket`. Raises ValueError where
    that is empty.
    """
    total = sum(counts)
    rank = _rank(total, percent)
    spread = _NORMAL * math.sqrt(total * percent * (100 - percent)) / 100
    first, last = math.floor(rank - spread), math.ceil(rank + spread)
    likely = None
    if first >= 1 and last <= total:
        likely = bucket_floor(_bucket_of(counts, first)), _ceiling(_bucket_of(counts, last))
    number = _bucket_of(counts, rank)
    return Bounded(bucket_floor(number), _ceiling(number), likely)


def _ceiling(number: int) -> int:
    return bucket_floor(number + 1) - 1


def _bucket_of(counts: Sequence[int], rank: int) -> int:
    seen = 0
    for number, count in enumerate(counts):
        seen += count
        if count and seen >= rank:
            return number
    raise ValueError("nothing has no quantile")


class Durations:
    """A histogram, eight buckets a power of two, in little room: quantiles to a sixteenth."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.longest = 0
        self._counts: dict[int, int] = {}

    def add(self, took: int) -> None:
        """One more, in nanoseconds; below 0 counts as 0."""
        self.count += 1
        self.total += took
        self.longest = max(self.longest, took)
        place = bucket(took)
        self._counts[place] = self._counts.get(place, 0) + 1

    def join(self, other: Durations) -> None:
        """Those of another, too."""
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)
        for place, count in other._counts.items():
            self._counts[place] = self._counts.get(place, 0) + count

    def quantile(self, percent: int) -> int | None:
        """The middle of the bucket; None where there are too few."""
        if not is_known(self.count, percent):
            return None
        counts = [self._counts.get(place, 0) for place in range(max(self._counts) + 1)]
        found = bounded_quantile(counts, percent)
        return min((found.low + found.high + 1) // 2, self.longest)
