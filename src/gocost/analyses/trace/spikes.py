"""Windows of a trace in which scheduler latency or utilisation leaves its usual band.

A trace is cut into up to 1,000 windows of equal length, of 1 ms at least. Of each the p99 of the
times that goroutines were runnable is taken (of those that got a P in it) and the share of the Ps'
time that was busy. Usual is what lies within the median and 5 times 1.4826 times the median
absolute deviation, which for a normal distribution is 5 standard deviations, and no narrower than
a fifth of the median to either side. Of latencies, which differ by factors, that holds for the
logarithm. Latency is a spike above its band, utilisation on either side. A window with fewer than
20 starts has no p99, and with fewer than 20 windows nothing is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import Int64s, Stacks
from gocost.analyses.trace.following import PROC_RUNNING, PROC_SYSCALL, RUNNABLE, Chunk
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

WINDOWS: Final = 1000
LEAST_NS: Final = 1_000_000
STARTS: Final = 20
DEVIATIONS: Final = 5.0
NORMAL: Final = 1.4826
_BUCKETS: Final = 64 * 4
Floats = npt.NDArray[np.float64]


class Spikes:
    """Sums by window; a consumer of intervals."""

    def __init__(self, start: int, end: int) -> None:
        """The trace's first and last time."""
        self._start = start
        self.width = max(LEAST_NS, -(-(end - start + 1) // WINDOWS))
        count = max(1, (end - start) // self.width)
        self._latency = np.zeros((count, _BUCKETS), np.int64)
        self._longest = np.zeros(count, np.int64)
        self._busy = np.zeros(count, np.int64)
        self._procs: set[int] = set()

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        some = chunk.of(RUNNABLE)
        window = (some.end - self._start) // self.width
        there = (window >= 0) & (window < len(self._busy)) & (some.proc >= 0)
        took = (some.end - some.start)[there]
        np.add.at(self._latency, (window[there], _bucket(took)), 1)
        np.maximum.at(self._longest, window[there], took)
        procs = chunk.of(PROC_RUNNING, PROC_SYSCALL)
        self._procs.update(np.unique(procs.who).tolist())
        self._spread(procs.start - self._start, procs.end - self._start)

    def _spread(self, start: Int64s, end: Int64s) -> None:
        """Adds each time to the windows that it lies in."""
        limit = len(self._busy) * self.width
        start, end = np.clip(start, 0, limit), np.clip(end, 0, limit)
        first, last = start // self.width, end // self.width
        within = first == last
        inside = within & (first < len(self._busy))
        np.add.at(self._busy, first[inside], (end - start)[inside])
        for begin, stop, one, other in zip(
            *(each[~within].tolist() for each in (start, end, first, last)), strict=True
        ):
            self._busy[one] += (one + 1) * self.width - begin
            self._busy[one + 1 : other] += self.width
            if other < len(self._busy):
                self._busy[other] += stop - other * self.width

    def table(self) -> Table:
        """The windows that are out of the ordinary, in their order."""
        latency = self._quantiles()
        busy = self._busy / (max(len(self._procs), 1) * self.width)
        usual = float(np.exp(_band(np.log(np.maximum(latency, 1.0)), np.log(1.2))[1]))
        low, high = _band(busy, 0.2 * float(np.median(busy)))
        rows: list[Sequence[Cell]] = []
        for place in range(len(busy)):
            why = ["latency"] if latency[place] > usual else []
            why += [] if low <= busy[place] <= high else ["utilisation"]
            if not why:
                continue
            rows.append(
                (
                    place * self.width,
                    self.width,
                    " and ".join(why),
                    None if np.isnan(latency[place]) else int(latency[place]),
                    int(self._longest[place]),
                    None if np.isinf(usual) else int(usual),
                    float(busy[place]),
                    None if np.isinf(low) else max(float(low), 0.0),
                    None if np.isinf(high) else min(float(high), 1.0),
                )
            )
        return Table(
            title="windows out of the ordinary",
            columns=(
                Column("start", Unit.NANOSECONDS, "since the trace began"),
                Column("width", Unit.NANOSECONDS, "of the window"),
                Column("what", Unit.TEXT, "what left its usual band"),
                Column("latency_p99", Unit.NANOSECONDS, "none for fewer than 20 starts"),
                Column("latency_longest", Unit.NANOSECONDS, "of those that got a P in it"),
                Column("latency_usual", Unit.NANOSECONDS, "the upper end of the usual band"),
                Column("busy", Unit.RATIO, "of the Ps' time"),
                Column("busy_low", Unit.RATIO, "the lower end of the usual band"),
                Column("busy_high", Unit.RATIO, "the upper end of the usual band"),
            ),
            rows=rows,
        )

    def _quantiles(self) -> Floats:
        """The p99 of each window, to a quarter of a power of two; NaN where there is none."""
        counts = self._latency.sum(axis=1)
        wanted = np.ceil(0.99 * counts)
        at = (np.cumsum(self._latency, axis=1) >= wanted[:, None]).argmax(axis=1)
        found = np.minimum(2.0 ** ((at + 0.5) / 4), self._longest)
        found[counts < STARTS] = np.nan
        return np.asarray(found)


def _bucket(took: Int64s) -> Int64s:
    """Four buckets a power of two."""
    return (4 * np.log2(np.maximum(took, 1))).astype(np.int64)


def _band(values: Floats, least: float) -> tuple[float, float]:
    """The usual band, `least` wide at least to either side; infinite for too few values."""
    known = values[~np.isnan(values)]
    if len(known) < STARTS:
        return -np.inf, np.inf
    middle = float(np.median(known))
    deviation = NORMAL * float(np.median(np.abs(known - middle)))
    reach = max(DEVIATIONS * deviation, least)
    return middle - reach, middle + reach
