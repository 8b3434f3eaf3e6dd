"""Quantiles of durations: exact where the durations are at hand, else by buckets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gocost.analyses.trace.account import Int64s
from gocost.kernels.trace_run import bucket, bucket_floor

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


def bucket_bounds(counts: Sequence[int], percent: int) -> tuple[int, int]:
    """The least and the greatest that a quantile can be of which only a histogram is known.

    The buckets are those of the kernel's `bucket`. Raises ValueError where the histogram is empty.
    """
    rank = _rank(sum(counts), percent)
    seen = 0
    for number, count in enumerate(counts):
        seen += count
        if count and seen >= rank:
            return bucket_floor(number), bucket_floor(number + 1) - 1
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
        low, high = bucket_bounds(counts, percent)
        return min((low + high + 1) // 2, self.longest)
