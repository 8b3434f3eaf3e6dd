"""Windows of a trace in which scheduler latency or utilisation leaves its usual band.

A trace is cut into up to 1,000 windows of equal length, of 1 ms at least. Of each the p99 of the
times that goroutines were runnable is taken (of those that got a P in it) and the share of the Ps'
time that was busy. Usual is what lies within the median and 5 times 1.4826 times the median
absolute deviation, which for a normal distribution is 5 standard deviations, and no narrower than
a fifth of the median to either side. Of latencies, which differ by factors, that holds for the
logarithm. Latency is a spike above its band, utilisation on either side. A window with fewer than
20 starts has no p99, and with fewer than 20 windows nothing is usual. Windows out of a band are one
spike where no more than a hundredth of all windows lies between two of them that is known to be
usual, so that a burst is one; a window without a p99 between two of high latency, in which
goroutines may have waited all along, is none. What is furthest out comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import Int64s, Joined, Stacks
from gocost.analyses.trace.following import PROC_RUNNING, PROC_SYSCALL, RUNNABLE, Chunk
from gocost.analyses.trace.marks import allowed_ns
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

WINDOWS: Final = 1000
LEAST_NS: Final = 1_000_000
STARTS: Final = 20
DEVIATIONS: Final = 5.0
NORMAL: Final = 1.4826
_BUCKETS: Final = 64 * 4
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Spikes:
    """Sums by window; a consumer of intervals."""

    def __init__(self, start: int, end: int) -> None:
        """The trace's first and last time."""
        self._start = start
        self.width = max(LEAST_NS, -(-(end - start + 1) // WINDOWS))
        self.count = count = max(1, (end - start) // self.width)
        self._latency = np.zeros((count, _BUCKETS), np.int64)
        self._longest = np.zeros(count, np.int64)
        self._busy = np.zeros(count, np.int64)

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        some = chunk.of(RUNNABLE)
        window = (some.end - self._start) // self.width
        there = (window >= 0) & (window < len(self._busy)) & (some.proc >= 0)
        took = (some.end - some.start)[there]
        np.add.at(self._latency, (window[there], _bucket(took)), 1)
        np.maximum.at(self._longest, window[there], took)
        procs = chunk.of(PROC_RUNNING, PROC_SYSCALL)
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

    def table(self, trace: Joined) -> Table:
        """What is out of the ordinary, worst first."""
        latency = self._quantiles()
        edges = self._start + self.width * np.arange(len(self._busy) + 1)
        room = np.diff([allowed_ns(trace, until=int(edge)) for edge in edges])
        busy = self._busy / np.maximum(room, 1)
        slow = _Band.of(np.log(np.maximum(latency, 1.0)), np.log(1.2))
        full = _Band.of(busy, 0.2 * float(np.median(busy)))
        late = slow.out(np.log(np.maximum(latency, 1.0))) > 1
        odd = np.abs(full.out(busy)) > 1
        # Where latencies are of all sizes the band has room for any that the trace could have.
        bounded = slow.high < np.log(max(len(busy), 1) * self.width)
        usual = int(np.exp(slow.high)) if bounded else None
        rows: list[tuple[float, Sequence[Cell]]] = []
        for first, last in _spells(late, odd, np.isnan(latency), len(latency) // 100):
            some = slice(first, last + 1)
            p99 = None if np.isnan(latency[some]).all() else float(np.nanmax(latency[some]))
            what = (
                "utilisation" if not late[some].any() else "both" if odd[some].any() else "latency"
            )
            outs = [
                slow.out(np.log(np.array([max(p99 or 1.0, 1.0)]))),
                np.abs(full.out(busy[some])),
            ]
            row: Sequence[Cell] = (
                first * self.width,
                (last + 1 - first) * self.width,
                int((late | odd)[some].sum()),
                what,
                None if p99 is None else int(p99),
                int(self._longest[some].max()),
                usual,
                float(busy[first + int(outs[1].argmax())]),
                None if np.isinf(full.low) else max(full.low, 0.0),
                None if np.isinf(full.high) else min(full.high, 1.0),
            )
            rows.append((max(float(out.max()) for out in outs), row))
        return Table(
            title="Times out of the ordinary, worst first",
            columns=(
                Column("start", Unit.NANOSECONDS, "since the trace began"),
                Column("length", Unit.NANOSECONDS, "from its first window to the end of its last"),
                Column("windows", Unit.COUNT, "in it that left a band", additive=True),
                Column(
                    "what", Unit.TEXT, "what left its usual band: latency, utilisation, or both"
                ),
                Column(
                    "latency_p99",
                    Unit.NANOSECONDS,
                    "of the worst window; none for fewer than 20 starts",
                ),
                Column("latency_longest", Unit.NANOSECONDS, "of those that got a P in it"),
                Column(
                    "latency_usual",
                    Unit.NANOSECONDS,
                    "the upper end of the usual band; none where any latency is within it",
                ),
                Column("busy", Unit.RATIO, "of the Ps' time, in the window that is furthest out"),
                Column("busy_low", Unit.RATIO, "the lower end of the usual band"),
                Column("busy_high", Unit.RATIO, "the upper end of the usual band"),
            ),
            rows=[row for _, row in sorted(rows, key=lambda each: -each[0])],
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


def _spells(late: Bools, odd: Bools, unknown: Bools, usual: int) -> Iterator[tuple[int, int]]:
    """The first and last windows of each spike, `usual` ones at most between two out of a band."""
    places = np.flatnonzero(late | odd).tolist()
    known = np.cumsum(~unknown)
    first = 0
    for at in range(1, len(places) + 1):
        before = places[at - 1]
        if at < len(places):
            here = places[at]
            between = here - before - 1
            if late[before] and late[here]:
                between = int(known[here - 1] - known[before])
            if between <= usual:
                continue
        yield places[first], before
        first = at


@dataclass(frozen=True, slots=True)
class _Band:
    """The usual; infinite for too few values."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Floats, least: float) -> _Band:
        """`least` wide at least to either side."""
        known = values[~np.isnan(values)]
        if len(known) < STARTS:
            return cls(-np.inf, np.inf)
        middle = float(np.median(known))
        deviation = NORMAL * float(np.median(np.abs(known - middle)))
        reach = max(DEVIATIONS * deviation, least)
        return cls(middle - reach, middle + reach)

    def out(self, values: Floats) -> Floats:
        """How far out: from -1 to 1 within the band; 0 where there is no band or no value."""
        reach = (self.high - self.low) / 2
        if np.isinf(reach) or reach <= 0:
            return np.zeros(len(values))
        return np.nan_to_num((values - (self.low + self.high) / 2) / reach)
