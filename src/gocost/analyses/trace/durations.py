"""Many durations in little room: exact extremes and sums, quantiles by buckets."""

from __future__ import annotations

from gocost.kernels.trace_run import bucket, bucket_floor

LEAST = 100
"""Durations that a p99 needs; a p90 needs ten."""


class Durations:
    """A histogram, eight buckets a power of two: quantiles are right to a sixteenth."""

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

    def quantile(self, share: float) -> int | None:
        """The middle of the bucket; None where there are too few."""
        needed = {0.9: 10, 0.99: LEAST}.get(share, 1)
        if self.count < needed:
            return None
        seen = 0
        for place, count in sorted(self._counts.items()):
            seen += count
            if seen >= share * self.count:
                middle = (bucket_floor(place) + bucket_floor(place + 1)) // 2
                return min(middle, self.longest)
        return self.longest

    def powers(self) -> list[tuple[int, int, int]]:
        """(least, below, how many) by powers of two that have some."""
        found: dict[int, int] = {}
        for place, count in self._counts.items():
            power = bucket_floor(place).bit_length()
            found[power] = found.get(power, 0) + count
        return [(1 << power >> 1, 1 << power, count) for power, count in sorted(found.items())]
