"""Minimum mutator utilisation: how much of the Ps' time the program had, at worst, in any window.

The collector takes time from the program (the mutator) by stopping the world, by assists, by
background workers and, not counted unless asked for, by sweeping. Utilisation at a moment is 1 less
the Ps that do one of these over GOMAXPROCS, and 0 while the world is stopped for the collector; or,
by P, 0 or 1. Its minimum over all windows of a length is a curve of that length, as `go tool trace`
draws it (`internal/trace/gc.go` in the Go source): a 10 ms request that meets the worst window gets
that share. By P dedicated workers do not count: they take their P off the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import Int64s, Joined, Stacks
from gocost.analyses.trace.following import ASSIST, RUNNING, SWEEP, Chunk
from gocost.analyses.trace.marks import LABEL, allowed_procs, marks
from gocost.analyses.trace.spans import stops
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

PARTS: Final = ("stw", "background", "assist", "sweep")
WINDOWS: Final = (
    *(digit * 10**power for power in range(3, 10) for digit in (1, 2, 5)),
    10**10,
)
"""Nanoseconds: 1 us to 10 s."""

_WORKER: Final = "runtime.gcBgMarkWorker"
Floats = npt.NDArray[np.float64]


def windows_within(length: int) -> tuple[int, ...]:
    """Those of WINDOWS that `length` nanoseconds have room for; as the last one all of a trace that
    is shorter than the longest of them.
    """
    fit = tuple(window for window in WINDOWS if window <= length)
    return fit if length >= WINDOWS[-1] or length in fit else (*fit, max(length, 1))


class Collecting:
    """Keeps when the collector was at work, and on which P; a consumer of intervals."""

    def __init__(self) -> None:
        self._assists: list[Int64s] = []
        self._sweeps: list[Int64s] = []
        self._workers: list[Int64s] = []

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        on_p = chunk.where((chunk.proc >= 0) | (chunk.kind == RUNNING))
        assists = on_p.where(np.isin(on_p.kind, (RUNNING, ASSIST)) & (on_p.gc_from >= 0))
        assists = assists.where(assists.proc >= 0)
        self._assists.append(np.stack([assists.gc_from, assists.end, assists.proc]))
        sweeps = on_p.of(SWEEP)
        self._sweeps.append(np.stack([sweeps.start, sweeps.end, sweeps.proc]))
        worker = stacks.text(_WORKER)
        runs = on_p.where((on_p.kind == RUNNING) & (on_p.entry == worker) & (on_p.proc >= 0))
        self._workers.append(np.stack([runs.start, runs.end, runs.proc, runs.who]))

    def curve(
        self,
        trace: Joined,
        parts: Sequence[str] = PARTS[:3],
        windows: Sequence[int] = WINDOWS,
        *,
        by_proc: bool = False,
    ) -> list[tuple[int, float, int]]:
        """Of each window: its length, the least utilisation, and where the worst one starts."""
        spans = [np.zeros((3, 0), np.int64)]
        if "assist" in parts:
            spans += self._assists
        if "sweep" in parts:
            spans += self._sweeps
        if "background" in parts:
            spans.append(self._background(trace, by_proc=by_proc))
        busy = np.concatenate(spans, axis=1)
        stopped = [
            (span.start, span.end) for span in stops(trace) if "stw" in parts and "GC" in span.name
        ]
        procs = allowed_procs(trace)
        found: list[list[tuple[float, int]]] = []
        if by_proc:
            for proc in sorted(trace.procs):
                own = busy[:, busy[2] == proc]
                steps = _steps(trace, own, stopped, [(trace.start, 1)])
                found.append([steps.least(window) for window in windows])
        else:
            steps = _steps(trace, busy, stopped, procs)
            found.append([steps.least(window) for window in windows])
        worst = [min(column) for column in zip(*found, strict=True)]
        return [
            (window, share, max(start - trace.start, 0))
            for window, (share, start) in zip(windows, worst, strict=True)
        ]

    def _background(self, trace: Joined, *, by_proc: bool) -> Int64s:
        """Runs of workers from the time on at which they say that they are at work."""
        since: dict[int, int] = {}
        for mark in marks(trace, LABEL):
            label = mark.text
            if not label.startswith("GC ") or label == "GC (idle)":
                continue
            if not (by_proc and label == "GC (dedicated)"):
                since.setdefault(mark.goroutine, mark.time)
        runs = np.concatenate([np.zeros((4, 0), np.int64), *self._workers], axis=1)
        begins = np.array([since.get(who, 1 << 62) for who in runs[3].tolist()], np.int64)
        start = np.maximum(runs[0], begins)
        some = start < runs[1]
        return np.stack([start, runs[1], runs[2]])[:, some]


@dataclass(frozen=True, slots=True)
class _Steps:
    """A utilisation that changes in steps."""

    times: Int64s
    """Where each step begins, and the end."""
    sums: Floats
    """The integral from the start to each of the times, in nanoseconds."""

    def least(self, window: int) -> tuple[float, int]:
        """The least mean of a window of this length, and where that one begins.

        A worst window begins or ends with a step. One longer than everything is everything.
        """
        first, last = int(self.times[0]), int(self.times[-1])
        window = min(window, last - first)
        if window <= 0:
            return 1.0, first
        starts = np.concatenate([self.times, self.times - window])
        starts = starts[(starts >= first) & (starts + window <= last)]
        means = (self._upto(starts + window) - self._upto(starts)) / window
        at = int(means.argmin())
        return max(float(means[at]), 0.0), int(starts[at])

    def _upto(self, times: Int64s) -> Floats:
        origin = self.times[0]  # small numbers, which floats hold exactly
        return np.asarray(np.interp(times - origin, self.times - origin, self.sums))


def _steps(
    trace: Joined,
    busy: Int64s,
    stopped: Sequence[tuple[int, int]],
    procs: Sequence[tuple[int, int]],
) -> _Steps:
    """The utilisation of all Ps, of which `busy` are taken away while the world runs."""
    merged = _merged(busy)
    stw = np.array(stopped, np.int64).reshape(-1, 2).T
    times = np.concatenate([merged[0], merged[1], stw[0], stw[1]])
    taken = np.concatenate(
        [np.ones(merged.shape[1]), -np.ones(merged.shape[1]), np.zeros(2 * stw.shape[1])]
    )
    halts = np.concatenate(
        [np.zeros(2 * merged.shape[1]), np.ones(stw.shape[1]), -np.ones(stw.shape[1])]
    )
    edges = np.array([trace.start, trace.end, *(time for time, _ in procs)], np.int64)
    every = np.unique(np.clip(np.concatenate([times, edges]), trace.start, trace.end))
    place = np.searchsorted(every, np.clip(times, trace.start, trace.end))
    gc = np.cumsum(np.bincount(place, taken, len(every)))
    halted = np.cumsum(np.bincount(place, halts, len(every))) > 0
    counts = np.array([count for _, count in procs], np.float64)
    begins = np.array([time for time, _ in procs], np.int64)
    allowed = counts[np.maximum(np.searchsorted(begins, every, side="right") - 1, 0)]
    share = np.where(halted, 0.0, 1.0 - np.minimum(gc, allowed) / allowed)
    sums = np.concatenate([np.zeros(1), np.cumsum(share[:-1] * np.diff(every))])
    return _Steps(every, sums)


def _merged(spans: Int64s) -> Int64s:
    """Spans of a P that overlap as one: it does not matter how much a P has to do."""
    spans = spans[:, spans[1] > spans[0]]
    if not spans.shape[1]:
        return spans
    spans = spans[:, np.lexsort((spans[0], spans[2]))]
    start, end, proc = spans
    # The furthest end so far, of each P by itself: Ps are put behind each other.
    shift = (np.cumsum(np.diff(proc, prepend=proc[0]) != 0)) * (int(end.max()) + 1)
    furthest = np.maximum.accumulate(end + shift)
    fresh = np.ones(len(start), np.bool_)
    fresh[1:] = (start + shift)[1:] > furthest[:-1]
    at = np.flatnonzero(fresh)
    last = np.append(at[1:], len(start)) - 1
    return np.stack([start[at], (furthest - shift)[last], proc[at]])


def curve_table(found: Sequence[tuple[int, float, int]], *, by_proc: bool) -> Table:
    """The curve, from the shortest window to the longest."""
    rows: list[Sequence[Cell]] = [(window, share, start) for window, share, start in found]
    return Table(
        title="Minimum mutator utilisation" + (", of the worst P" if by_proc else ""),
        columns=(
            Column("window", Unit.NANOSECONDS, "how long it is"),
            Column("mmu", Unit.RATIO, "the program's share of it, at worst"),
            Column("worst_at", Unit.NANOSECONDS, "where that window starts, since the trace began"),
        ),
        rows=rows,
    )
