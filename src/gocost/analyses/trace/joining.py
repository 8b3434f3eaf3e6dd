"""Generations of a trace put together: what is open at the end of one is closed in the next.

A generation knows a goroutine's state from its status event on, but not since when; its sums have
the leaving without the entering. Here the two meet: times of states add up exactly, and the
intervals that span generations get into the tables of stacks and reasons. Strings and stacks have
ids of their own in every generation; here they are numbered once for all, by what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import (
    UNKNOWN_ENTRY,
    Amounts,
    Group,
    Int64s,
    Joined,
    Local,
    Stacks,
)
from gocost.analyses.trace.durations import exact_sum
from gocost.analyses.trace.joining_procs import Procs
from gocost.formats.exectrace.ordered import MOST_TIME, TOO_LONG, Carried
from gocost.formats.exectrace.room import AT_ONCE, Room
from gocost.formats.exectrace.tables import Clock
from gocost.kernels import trace_fields as fields
from gocost.kernels import trace_run as kernel
from gocost.model.errors import FormatError


@dataclass(frozen=True, slots=True)
class Before:
    """Of each of some goroutines and Ps what earlier generations know; -1 and 0 for nothing."""

    since: Int64s
    """Since when the goroutine is in its state."""
    stack: Int64s
    reason: Int64s
    entry: Int64s
    """A text."""
    other: Int64s
    """Since when a goroutine assists; of a P since when it is in its state, or sweeps."""


class Joiner:
    """Puts generations together, in their order."""

    def __init__(
        self,
        *,
        keep: int | None = 0,
        between: tuple[int, int] | None = None,
        room: Room | None = None,
    ) -> None:
        """Of the goroutines that ended the `keep` that ran longest are in the result; None: all.

        `between` are the times that the generations were clipped to, where they were. `room` is
        that of the generations, of which these rows are taken.
        """
        self._room = Room() if room is None else room
        self._keep = keep
        self._between = between
        self._collector: tuple[int, int] | None = None
        self._stacks = Stacks()
        self._counted = 0
        self._live = np.empty((0, _LIVE_FIELDS), np.int64)
        self._groups: dict[str, Group] = {}
        self._ended: list[Int64s] = []
        self._procs = Procs()
        self._waits = Amounts()
        self._latencies = np.zeros(kernel.BUCKETS, np.int64)
        self._samples: list[Int64s] = [np.zeros((0, 5), np.int64)]
        self._marks: list[tuple[Int64s, Local]] = []
        self._heap: Int64s | None = None
        self._running = np.zeros((0, 3), np.int64)
        self._clock = Clock(1.0)
        self._first, self._last = 0, 0
        self._lived = 0
        self._events = self._created = self._generations = 0
        self._number = 0

    def add(self, carried: Carried) -> None:
        """The next generation. Raises FormatError where it contradicts the one before, or where
        there is no room for it.
        """
        first = self._generations == 0
        if not first and carried.generation.number != self._number + 1:
            raise FormatError(f"generation {carried.generation.number} follows on {self._number}")
        self._number = carried.generation.number
        self._check_collector(carried, first=first)
        local = Local(carried.tables, self._stacks)
        if first:
            self._first, self._clock = carried.first_ns, carried.tables.clock
        self._intervals(carried, local)
        self._room.give(carried.intervals.nbytes)
        self._count(carried, local)
        self._goroutines(carried, local, first=first)
        self._procs.add(carried, first=first)
        self._latencies += carried.histogram
        self._heap = carried.heap if self._heap is None else np.maximum(self._heap, carried.heap)
        self._add_samples(carried, local)
        if len(carried.marks):
            self._marks.append((carried.marks, local))  # and with it the tables
        else:
            self._room.give(carried.held)
        # Also those that were met since the last one ended, by who follows its intervals.
        self._room.take(self._stacks.held - self._counted)
        self._counted = self._stacks.held
        self._running = carried.running
        self._events += carried.events
        self._check_times()
        self._created += carried.created
        self._generations += 1
        self._last = max(self._last, carried.last_ns)

    def _check_times(self) -> None:
        """Raises FormatError where the times of one goroutine, of all of them, or of the Ps come to
        more than whoever adds them up can hold.

        So much no program does: a million goroutines live for an hour before. How many events a
        trace has says little of that: it may be recorded for hours.
        """
        sums = (self._live[:, _SUMS : _SUMS + 4], self._live[:, _ASSISTED])
        alone = max(max(int(each.max(initial=0)), -int(each.min(initial=0))) for each in sums)
        if alone >= _MOST_ALONE or max(self._lived, self._procs.most) >= MOST_TIME:
            raise FormatError(f"the trace: {TOO_LONG}", hint="record it again")

    def _check_collector(self, carried: Carried, *, first: bool) -> None:
        """The collector's events are numbered through. Raises FormatError where one is missing."""
        if carried.collector is None:
            return
        number, before, last, after = carried.collector
        if self._collector is not None:
            follows = (number - 1, before) == self._collector
        else:
            follows = first or before == fields.GC_IDLE
        if not follows:
            raise FormatError(
                f"generation {carried.generation.number}: the collection's event {number} does not"
                " follow on those before"
            )
        self._collector = last, after

    def _intervals(self, carried: Carried, local: Local) -> None:
        rows = carried.intervals
        base = 3 * len(carried.tables.stack_end)
        for first in np.flatnonzero(rows[:base, fields.I_COUNT]).tolist():
            known = len(self._waits.rows)
            state, stack = _state_of(first % 3), local.stack(first // 3)
            at = first
            while True:
                count, total, most, packed = rows[at].tolist()
                reason = int(local.reasons[packed & fields.REASON])
                self._waits.add((state, stack, reason), count, total, most)
                at = packed >> 32
                if not at:
                    break
            self._room.take((len(self._waits.rows) - known) * _AMOUNT)

    def _count(self, carried: Carried, local: Local) -> None:
        """Adds what was created and ended in the generation to its groups."""
        groups = carried.groups
        for start in np.flatnonzero(groups[:, fields.B_COUNT]).tolist():
            row = groups[start].tolist()
            group = self._group(self._stacks.root(local.stack(start)))
            group.count += row[fields.B_COUNT]
            group.starts += row[fields.B_STARTS]
            group.assisted += row[fields.B_ASSISTED]
            for state in range(4):
                time = row[fields.B_SUMS + 1 + state]
                group.sums[state] += time
                self._lived += abs(time)

    def _goroutines(self, carried: Carried, local: Local, *, first: bool) -> None:
        """Closes what was open, counts what ended, and keeps what lives."""
        own = carried.ended
        before = self._live.nbytes
        with self._room.lent(_JOINED * (len(own) + len(carried.live))):
            created = (own[:, fields.G_FIRST] == 0) & (own[:, fields.G_START] > 0)
            # What was created and ended here is in the groups already.
            if created.any():
                self._remember(self._fresh(own[created], local, ended=True))
            ended = self._closed(own[~created], local, first=first, ended=True)
            live = self._closed(carried.live, local, first=first, ended=False)
            self._retire(ended)
            # Of goroutines that nothing was said of nothing changed.
            known = self._live[:, _ID]
            silent = ~_among(known, ended[:, _ID]) & ~_among(known, live[:, _ID])
            if silent.any():
                with self._room.lent(2 * (int(silent.sum()) + len(live)) * _ROW):
                    live = np.concatenate([self._live[silent], live])
                    live = live[np.argsort(live[:, _ID], kind="stable")]
            self._live = live
        self._room.take(self._live.nbytes - before)
        self._room.give(own.nbytes + carried.live.nbytes)

    def _fresh(self, rows: Int64s, local: Local, *, ended: bool) -> Int64s:
        """Rows of the live table for goroutines as this generation has them."""
        out = np.zeros((len(rows), _LIVE_FIELDS), np.int64)
        out[:, _ID] = rows[:, fields.G_ID]
        out[:, _STATE] = rows[:, fields.G_STATE]
        out[:, _SINCE] = rows[:, fields.G_SINCE]
        out[:, _REASON] = local.reasons[rows[:, fields.G_PLACE] >> 32]
        out[:, _STACK] = local.stacks(rows[:, fields.G_PLACE] & 0x7FFFFFFF)
        out[:, _SUMS : _SUMS + 4] = rows[:, fields.G_SUMS + 1 : fields.G_SUMS + 5]
        out[:, _STARTS] = rows[:, fields.G_STARTS]
        out[:, _ASSISTED] = rows[:, fields.G_ASSISTED]
        out[:, _ASSIST] = rows[:, fields.G_ASSIST]
        out[:, _CREATOR] = local.stacks(rows[:, fields.G_CREATOR])
        start = rows[:, fields.G_START]
        out[:, _ENTRY] = self.entries(local.stacks(np.abs(start)))
        out[:, _ENDED] = ended
        return out

    def entries(self, stacks: Int64s) -> Int64s:
        """The text of the outermost function of each stack."""
        unique, places = np.unique(stacks, return_inverse=True)
        roots = [self._stacks.text(self._stacks.root(stack)) for stack in unique.tolist()]
        return np.array(roots, np.int64)[places.reshape(-1)] if len(roots) else stacks.copy()

    def _closed(self, rows: Int64s, local: Local, *, first: bool, ended: bool) -> Int64s:
        """The rows with what was before this generation added, where there was something."""
        out = self._fresh(rows, local, ended=ended)
        old = rows[:, fields.G_FIRST] != 0
        if first:
            return out
        at = np.searchsorted(self._live[:, _ID], out[:, _ID])
        at = np.minimum(at, max(len(self._live) - 1, 0))
        known = (
            self._live[at, _ID] == out[:, _ID] if len(self._live) else np.zeros(len(out), np.bool_)
        )
        if (known & ~old).any():
            twice = int(out[(known & ~old).argmax(), _ID])
            raise FormatError(f"goroutine {twice} is created a second time")
        if (old & ~known).any():
            new = int(out[(old & ~known).argmax(), _ID])
            raise FormatError(f"goroutine {new} appears after the first generation")
        before, left = self._live[at[old]], rows[old, fields.G_LEFT]
        contrary = before[:, _STATE] != rows[old, fields.G_FIRST]
        if contrary.any():
            one = int(before[contrary.argmax(), _ID])
            raise FormatError(f"goroutine {one} has another state than it was left in")
        later = left >= 0
        places = np.flatnonzero(old)
        # The leaving was counted here and the entering is known from before.
        np.subtract.at(
            out,
            (places[later], _SUMS - 1 + before[later, _STATE]),
            before[later, _SINCE],
        )
        self._span(before[later], left[later])
        out[places[~later], _SINCE] = before[~later, _SINCE]
        out[places[~later], _REASON] = before[~later, _REASON]
        # A status may show the stack of what waited before the trace began.
        shown = before[~later, _STACK] != 0
        out[places[~later][shown], _STACK] = before[~later, _STACK][shown]
        out[places, _SUMS : _SUMS + 4] += before[:, _SUMS : _SUMS + 4]
        out[places, _STARTS] += before[:, _STARTS]
        self._assists(out, places, before)
        named = before[:, _ENTRY] != 0
        out[places[named], _ENTRY] = before[named, _ENTRY]
        out[places, _CREATOR] = before[:, _CREATOR]
        return out

    @staticmethod
    def _assists(out: Int64s, places: Int64s, before: Int64s) -> None:
        """Adds assists; one that was open and ended here is closed with when it began."""
        out[places, _ASSISTED] += before[:, _ASSISTED]
        was, now = before[:, _ASSIST], out[places, _ASSIST]
        still = (was >= 0) & (now == 0)
        out[places[still], _ASSIST] = was[still]
        over = (was >= 0) & (now != 0)
        out[places[over], _ASSISTED] -= was[over]

    def _span(self, before: Int64s, left: Int64s) -> None:
        """Intervals that began in an earlier generation and ended in this one."""
        for at in range(0, len(before), AT_ONCE):
            self._span_some(before[at : at + AT_ONCE], left[at : at + AT_ONCE], self._waits)

    def _unended(self, live: Int64s) -> Amounts:
        """Intervals that are open at the end, up to it."""
        found = Amounts()
        for at in range(0, len(live), AT_ONCE):
            some = live[at : at + AT_ONCE]
            self._span_some(some, np.full(len(some), self._last), found)
        return found

    def _span_some(self, before: Int64s, left: Int64s, into: Amounts) -> None:
        known = len(into.rows)
        took = left - before[:, _SINCE]
        waits = before[:, _STATE] != fields.RUNNING
        if self._between is not None:
            waits &= took != 0
        keys, took = before[:, (_STATE, _STACK, _REASON)][waits], took[waits]
        if not len(took):
            return
        if into is self._waits or self._between is not None:  # what ended, or a window cut
            for time in took[keys[:, 0] == fields.RUNNABLE].tolist():
                self._latencies[kernel.bucket(time)] += 1
        order = np.lexsort(keys.T)
        keys, took = keys[order], took[order]
        starts = np.flatnonzero(np.any(np.diff(keys, axis=0, prepend=-1) != 0, axis=1))
        for (state, stack, reason), times in zip(
            keys[starts].tolist(), np.split(took, starts[1:]), strict=True
        ):
            key = (state - 1, stack, reason)
            into.add(key, len(times), exact_sum(times), int(times.max()))
        self._room.take((len(into.rows) - known) * _AMOUNT)

    def _retire(self, rows: Int64s) -> None:
        """Goroutines that are no more: into their groups."""
        if self._between is not None:
            rows = rows[rows[:, _SUMS : _SUMS + 4].any(axis=1)]
        for entry in np.flatnonzero(np.bincount(rows[:, _ENTRY])).tolist():
            part = rows[rows[:, _ENTRY] == entry]
            group = self._group(self._stacks.texts[entry])
            group.count += len(part)
            group.starts += int(part[:, _STARTS].sum())
            group.assisted += exact_sum(part[:, _ASSISTED])
            for state in range(4):
                time = exact_sum(part[:, _SUMS + state])
                group.sums[state] += time
                self._lived += abs(time)
        if len(rows):
            self._remember(rows)

    def _remember(self, rows: Int64s) -> None:
        """Keeps goroutines that ended, as many as are wanted."""
        if self._keep is None:
            self._room.take(rows.nbytes)
            self._ended.append(rows)
        elif self._keep:
            self._ended = [_longest(np.concatenate([*self._ended, rows]), self._keep)]

    def _group(self, entry: str) -> Group:
        return self._groups.setdefault(entry or UNKNOWN_ENTRY, Group())

    def _add_samples(self, carried: Carried, local: Local) -> None:
        raw = carried.tables.samples
        if not raw.shape[1]:
            return
        if int(raw[4].max()) >= len(carried.tables.stack_end):
            raise FormatError("a CPU sample names a stack that is not in its table")
        rows = raw.T.copy().view(np.int64)  # a thread, P or goroutine that is none is all ones
        rows[:, 0] = (raw[0] * carried.tables.clock.tick_ns).astype(np.int64)
        rows[:, 4] = local.stacks(rows[:, 4])
        if self._between is not None:
            rows = rows[(rows[:, 0] >= self._between[0]) & (rows[:, 0] < self._between[1])]
        self._room.take(rows.nbytes)
        self._samples.append(rows)

    @property
    def stacks(self) -> Stacks:
        """The stacks so far."""
        return self._stacks

    def before(self, who: Int64s, kind: Int64s) -> Before:
        """What the generations so far know of goroutines and Ps, for records of these kinds."""
        live = self._live
        since, stack, reason, entry, other = (
            np.full(len(who), value) for value in (-1, 0, 0, 0, -1)
        )
        if len(live):
            at = np.minimum(np.searchsorted(live[:, _ID], who), len(live) - 1)
            found = (live[at, _ID] == who) & (kind < fields.R_PROC)
            at = at[found]
            since[found], stack[found] = live[at, _SINCE], live[at, _STACK]
            reason[found], entry[found] = live[at, _REASON], live[at, _ENTRY]
            other[found] = live[at, _ASSIST]
        for row in np.flatnonzero(kind >= fields.R_PROC).tolist() if self._procs else ():
            other[row] = self._procs.since(int(who[row]), sweeping=kind[row] == fields.R_SWEEP)
        return Before(since, stack, reason, entry, other)

    def open_intervals(self) -> Iterator[tuple[Int64s, ...]]:
        """Columns of Chunks: the states that goroutines and Ps are in at the end."""
        end = self._last if self._between is None else min(self._last, self._between[1])
        for at in range(0, len(self._live), AT_ONCE):
            live = self._live[at : at + AT_ONCE].copy()
            live[:, _SINCE] = np.minimum(live[:, _SINCE], end)
            procs_on, threads_on = self._on(live[:, _ID])
            running = live[:, _STATE] == fields.RUNNING
            both = np.maximum(live[:, _ASSIST], live[:, _SINCE])
            yield (
                live[:, _STATE], live[:, _ID], live[:, _SINCE], np.full(len(live), end),
                live[:, _STACK], live[:, _REASON], procs_on, threads_on, live[:, _ENTRY],
                np.where(running & (live[:, _ASSIST] >= 0), both, -1),
            )  # fmt: skip
        procs = self._procs.open_intervals(end)
        yield tuple(procs[:, place] for place in range(procs.shape[1]))

    def _on(self, ids: Int64s) -> tuple[Int64s, Int64s]:
        """The P and the thread that goroutines are on at the end; -1 for none."""
        known = self._running[np.argsort(self._running[:, 0], kind="stable")]
        if not len(known):
            return np.full(len(ids), -1), np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(known[:, 0], ids), len(known) - 1)
        found = known[at, 0] == ids
        return np.where(found, known[at, 1], -1), np.where(found, known[at, 2], -1)

    def result(self, *, lost: str = "") -> Joined:
        """The account, with what is open closed at the trace's last event."""
        live = self._live
        if self._between is not None:
            self._last = min(self._last, self._between[1])
            # A window before the first event, or after the last one, has no length.
            self._first = min(max(self._first, self._between[0]), self._last)
        # A window may begin after the last event, and what is open with it.
        for since in (_SINCE, _ASSIST):
            live[:, since] = np.minimum(live[:, since], self._last)
        unended = self._unended(live)
        for state in range(1, 5):
            rows = live[:, _STATE] == state
            live[rows, _SUMS + state - 1] += self._last - live[rows, _SINCE]
        open_ = live[:, _ASSIST] >= 0
        live[open_, _ASSISTED] += self._last - live[open_, _ASSIST]
        ended, self._ended = self._ended, []
        with self._room.lent(2 * (live.nbytes + sum(each.nbytes for each in ended))):
            kept = np.concatenate([live, *ended]) if ended else live
            del ended
            if self._between is not None:
                kept = kept[kept[:, _SUMS : _SUMS + 4].any(axis=1)]
            self._keep = 0  # what lives is in `kept` already
            self._retire(live)
            goroutines, still = kept[:, _SHOWN], live[:, _OPEN]
            del kept
        with self._room.lent(sum(each.nbytes for each in self._samples)):
            samples = np.concatenate(self._samples)
            self._samples.clear()
        self._procs.close(self._last)
        self._check_times()
        return Joined(
            start=self._first,
            end=self._last,
            events=self._events,
            generations=self._generations,
            groups=self._groups,
            goroutines=goroutines,
            open=still,
            procs=self._procs.sums(),
            waits=self._waits,
            still=unended,
            latencies=self._latencies,
            marks=self._marks,
            heap=self._heap if self._heap is not None else np.zeros(0, np.int64),
            stacks=self._stacks,
            clock=self._clock,
            created=self._created,
            lost=lost,
            samples=samples,
            clipped=self._between is not None,
        )


_MOST_ALONE: Final = 1 << 60
"""Nanoseconds that a goroutine is in a state: a generation adds up to six times that, which is less
than 64 bits hold."""


def _state_of(kind: int) -> int:
    """The place in STATES of a kind of interval."""
    return (0, 2, 3)[kind]


def _longest(rows: Int64s, count: int) -> Int64s:
    """The rows that ran longest."""
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(-rows[:, _SUMS + fields.RUNNING - 1], count - 1)[:count]]


# Columns of the table of goroutines that live.
(_ID, _ENTRY, _SUMS) = (0, 1, 2)
(_STARTS, _ASSISTED, _ENDED, _CREATOR, _STATE, _SINCE, _REASON, _STACK, _ASSIST) = range(6, 15)
_LIVE_FIELDS = 15
_ROW: Final = 8 * _LIVE_FIELDS
_JOINED: Final = 3 * _ROW
"""Bytes that a goroutine of a generation needs while it is joined: rows that are made of it, and
copies of what was known before."""
_AMOUNT: Final = 400
"""Bytes of an entry of Amounts."""
_SHOWN = list(range(10))
_OPEN = [_ID, _ENTRY, _CREATOR, _STATE, _SINCE, _REASON, _STACK]


def _among(rising: Int64s, ids: Int64s) -> npt.NDArray[np.bool_]:
    """Which of the first ids, which rise, are among the others."""
    places = np.searchsorted(rising, ids)
    inside = places < len(rising)
    places, ids = places[inside], ids[inside]
    found = np.zeros(len(rising), np.bool_)
    found[places[rising[places] == ids]] = True
    return found
