"""A quantity sampled over time, and the figures that are taken from it.

Times are seconds since the watching began. Samples need not be evenly spaced: `/proc` is read every
200 ms, pages every 5 s, and both once more at the edges of each phase.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

SLOPE_POINTS = 400
"""Points that a slope is taken from; longer tracks are thinned evenly (pairs grow as squares)."""


@dataclass(slots=True)
class Track:
    """Samples in the order of their times."""

    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, time: float, value: float) -> None:
        """Append a sample; one that is not later than the last one is dropped."""
        if not self.times or time > self.times[-1]:
            self.times.append(time)
            self.values.append(value)

    def between(self, start: float, end: float) -> Track:
        """The samples from `start` to `end`, both included."""
        first, last = bisect_left(self.times, start), bisect_right(self.times, end)
        return Track(self.times[first:last], self.values[first:last])

    def __len__(self) -> int:
        return len(self.times)

    def last(self) -> float | None:
        """The latest value."""
        return self.values[-1] if self.values else None

    def peak(self) -> float | None:
        """The largest value."""
        return max(self.values, default=None)

    def median(self) -> float | None:
        """The middle value."""
        return median(self.values) if self.values else None

    def rise(self) -> float | None:
        """The last value less the first; None for fewer than two, or where a counter was reset."""
        if len(self.values) < 2 or any(b < a for a, b in pairwise(self.values)):
            return None
        return self.values[-1] - self.values[0]

    def seconds(self) -> float:
        """From the first sample to the last."""
        return self.times[-1] - self.times[0] if self.times else 0.0

    def rate(self) -> float | None:
        """The rise a second."""
        rise, seconds = self.rise(), self.seconds()
        return rise / seconds if rise is not None and seconds > 0 else None

    def resampled(self, step: float) -> list[float | None]:
        """The latest value of each `step` seconds from 0 on; None where a step has none."""
        if not self.times:
            return []
        cells: list[float | None] = [None] * (int(self.times[-1] // step) + 1)
        for time, value in zip(self.times, self.values, strict=True):
            cells[int(time // step)] = value
        return cells


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through a track: its value at the first sample, and its slope a second."""

    start: float
    slope: float
    seconds: float

    @property
    def growth(self) -> float | None:
        """What is added over the whole track as a share of where it started."""
        return self.slope * self.seconds / self.start if self.start > 0 else None


def trend(track: Track) -> Trend | None:
    """The line of Theil and Sen: the median slope of all pairs of samples; None for under three.

    Up to 29% of the samples may lie anywhere without moving it far, so that one sample taken in
    the middle of a spike does not make a leak.
    """
    count = len(track)
    if count < 3:
        return None
    every = math.ceil(count / SLOPE_POINTS)
    times, values = track.times[::every], track.values[::every]
    slopes = [
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(len(times))
        for j in range(i + 1, len(times))
    ]
    slope = median(slopes)
    start = median(v - slope * (t - times[0]) for t, v in zip(times, values, strict=True))
    return Trend(start, slope, track.seconds())


def quantile(ordered: list[float], share: float) -> float:
    """The nearest-rank quantile of ascending values: the least that `share` of them do not pass."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
