"""One generation carried out: its tables, and what its goroutines and Ps did.

Drives kernels/trace_run: reads the batches that it asks for, makes tables larger that are full,
and takes over what it hands out. Generations are independent of each other here and may be carried
out at the same time; whoever puts them together closes what is open between them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.exectrace.index import Generation, ReadInto
from gocost.formats.exectrace.room import Room
from gocost.formats.exectrace.tables import Clock, Tables, held_by_tables, read_tables
from gocost.kernels import trace_fields as fields
from gocost.kernels import trace_index
from gocost.kernels import trace_run as kernel
from gocost.model.errors import FormatError

Int64s = npt.NDArray[np.int64]

EVENTS: Final = tuple(
    kind for kind in range(256) if kind not in (2, 4, 6, 8, 50, trace_index.END_OF_GENERATION)
)
"""Data that start with one of these are events of a thread."""
MAX_THREADS: Final = 100_000
MAX_PROCS: Final = 1 << 16
MOST_TIME: Final = 1 << 62
"""Events times nanoseconds; what was entered before a generation may add 2^60 more."""
TOO_LONG: Final = "its times come to more than 64 bits hold"
_ENDED: Final = 1 << 13
_MARKS: Final = 1 << 13
_FIRST_ROWS: Final = 1 << 10
_PAIRS: Final = 1 << 10
_ROW: Final = 8 * fields.GOROUTINE_FIELDS + 16
"""Bytes of a goroutine that lives, and of the four places that it has in the hash table."""
_AHEAD_THREAD: Final = 1 << 18
_AHEAD: Final = 1 << 22
"""Bytes that are read at once, of a thread and of all together."""
_RECORDS: Final = 1 << 13


@dataclass(frozen=True, slots=True)
class Window:
    """The whole trace's time, in nanoseconds, and how many pieces of it are told apart."""

    start: int
    end: int
    bins: int
    clip: tuple[int, int] | None = None
    """Only what happens between these times counts, where it is not everything."""

    @property
    def bin_ns(self) -> int:
        """Nanoseconds a bin."""
        return max(1, -(-(self.end - self.start + 1) // self.bins))


@dataclass(frozen=True, slots=True)
class Carried:
    """What a generation did. Columns are those of kernels/trace_run."""

    generation: Generation
    tables: Tables
    live: Int64s
    """A row a goroutine that lives at its end, by rising id."""
    ended: Int64s
    """A row a goroutine that ended in it and was created before it, or that was to be kept."""
    groups: Int64s
    """A row a start stack: goroutines that were created and ended in it."""
    procs: Int64s
    marks: Int64s
    intervals: Int64s
    """Three rows (runnable, syscall, waiting) a stack, then their further reasons."""
    histogram: Int64s
    heap: Int64s
    events: int
    parks: int
    created: int
    first_ns: int
    last_ns: int
    running: Int64s
    """Columns goroutine, P (-1 for none), thread: what runs or is in a syscall at its end."""
    collector: tuple[int, int, int, int] | None
    """Number of its first event and state before it, number of its last event and state after it;
    None where the generation has none."""
    held: int = 0
    """Bytes that its tables have of the room."""


Recorder = Callable[[Int64s, Tables], None]
"""Gets rows of what took a time (R_ fields), in the order in which it ended; they are lent."""


def begin_of(generation: Generation, clock: Clock) -> int:
    """When a generation's first batch of events begins, in nanoseconds; batches of tables, which
    may be long before it, do not count unless there are no others.
    """
    events = generation.of_kind(*EVENTS)
    events = events[:, events[trace_index.SIZE] > 0]
    times = (events if events.shape[1] else generation.batches)[trace_index.TIME]
    return int(min(times.min() * clock.tick_ns, 1 << 61))


def carry_out(
    read_into: ReadInto,
    generation: Generation,
    version: int,
    window: Window,
    *,
    first: bool,
    keep: int | None = 0,
    record: Recorder | None = None,
    room: Room | None = None,
) -> Carried:
    """Carry out a generation's events in order.

    `first` is true for the trace's first generation. Of the goroutines that are created and end
    in it the `keep` are given whole that ran longest; None gives all. `record` gets everything
    that took a time as it goes. The rows of what is returned are taken of `room`. Raises
    FormatError where there is none, or the events contradict each other or cannot be ordered.
    """
    room = Room() if room is None else room
    held = held_by_tables(generation)
    room.take(held)
    tables = read_tables(read_into, generation, version)
    run = _Run(
        read_into, generation, tables, window, first=first, keep=keep, record=record,
        room=room,
    )  # fmt: skip
    run.carry_out()
    return replace(run.result(), held=held)


def times_could_pass(events: int, first_ns: int, last_ns: int) -> bool:
    """Whether sums of what so many events end within a time could pass 64 bits.

    Each adds at most that time. Go begins a generation every second, and one of 100 million events
    may last 46 s.
    """
    return events * (last_ns - first_ns) >= MOST_TIME


class _Run:
    """The tables that the kernel works on, and the batches that are still to come."""

    def __init__(
        self,
        read_into: ReadInto,
        generation: Generation,
        tables: Tables,
        window: Window,
        *,
        first: bool,
        keep: int | None,
        record: Recorder | None = None,
        room: Room | None = None,
    ) -> None:
        self._room = Room() if room is None else room
        self._read_into = read_into
        self._generation = generation
        self._tables = tables
        self._lay_out()
        stacks = len(tables.stack_end)
        self._goroutines = np.empty((0, fields.GOROUTINE_FIELDS), np.int64)
        self._table = np.full(2, -1, np.int32)
        self._procs = np.zeros((0, fields.PROC_FIELDS), np.int64)
        self._groups = np.zeros((stacks, fields.GROUP_FIELDS), np.int64)
        self._groups[:, fields.B_UNNAMED] = tables.roots() < 0
        self._ended = np.empty((_ENDED, fields.GOROUTINE_FIELDS), np.int64)
        self._marks = np.empty((_MARKS, fields.MARK_FIELDS), np.int64)
        self._intervals = np.zeros((3 * stacks + _PAIRS, fields.INTERVAL_FIELDS), np.int64)
        self._room.take(self._intervals.nbytes)
        rows = fields.ROOM + (_RECORDS if record else 1)
        self._records = np.zeros((rows, fields.RECORD_FIELDS), np.int64)
        self._record = record
        self._histogram = np.zeros(kernel.BUCKETS, np.int64)
        self._heap = np.zeros(window.bins, np.int64)
        self._scalars = np.zeros(fields.SCALARS, np.int64)
        self._scalars[fields.S_FREE] = -1
        self._scalars[fields.S_INITIAL] = first
        self._scalars[fields.S_KEEP] = keep != 0
        self._scalars[fields.S_LEAST] = -(1 << 62)
        self._keep = keep
        self._longest: list[Int64s] = []
        self._scalars[fields.S_SEED] = _multiplier()
        self._scalars[fields.S_TEXTS] = len(tables.texts)
        self._scalars[fields.S_PAIRS] = 3 * stacks
        self._scalars[fields.S_RECORDING] = record is not None
        self._scalars[fields.S_CLIPPING] = window.clip is not None
        self._scalars[fields.S_FROM : fields.S_TO + 1] = window.clip or (0, 0)
        self._scalars[fields.S_BINS_FROM] = window.start
        self._scalars[fields.S_BIN] = window.bin_ns
        # A P of the first generation that is not spoken of is none; later it may be known before.
        self._threads[:, fields.T_P] = fields.NONE if first else fields.UNKNOWN
        self._out: dict[str, list[Int64s]] = {"ended": [], "marks": []}
        self._grow_goroutines()
        self._grow_procs()

    def _lay_out(self) -> None:
        """A place in one buffer for batches of each thread, and the batches by thread."""
        found = self._generation.of_kind(*EVENTS)
        found = found[:, found[trace_index.SIZE] > 0]
        ids, of_batch = np.unique(found[trace_index.THREAD], return_inverse=True)
        if len(ids) > MAX_THREADS:
            raise FormatError(f"a generation has events of {len(ids)} threads; the cap is"
                              f" {MAX_THREADS}")  # fmt: skip
        order = np.argsort(of_batch.reshape(-1), kind="stable")
        found = found[:, order]
        times = np.minimum(found[trace_index.TIME] * self._tables.clock.tick_ns, 1 << 61)
        self._times: list[int] = times.astype(np.int64).tolist()
        self._starts: list[int] = found[trace_index.START].tolist()
        self._sizes: list[int] = found[trace_index.SIZE].tolist()
        counts = np.bincount(of_batch.reshape(-1), minlength=len(ids))
        self._following: list[int] = [0, *np.cumsum(counts).tolist()]
        room = np.zeros(len(ids), np.int64)
        np.maximum.at(room, of_batch.reshape(-1)[order], found[trace_index.SIZE])
        whole = np.zeros(len(ids), np.int64)
        np.add.at(whole, of_batch.reshape(-1)[order], found[trace_index.SIZE])
        ahead = min(_AHEAD_THREAD, _AHEAD // max(1, len(ids)))
        room = np.maximum(room, np.minimum(whole, ahead))
        self._places: list[int] = [0, *np.cumsum(room).tolist()]
        self._data = np.zeros(self._places[-1] + kernel.PADDING, np.uint8)
        self._ids = ids
        self._next = self._following[:-1]
        self._threads = np.zeros((len(ids), fields.THREAD_FIELDS), np.int64)
        self._threads[:, fields.T_ID] = ids
        self._ahead = np.zeros((len(ids), fields.AHEAD, fields.AHEAD_FIELDS), np.int64)
        self._threads[:, fields.T_G] = fields.UNKNOWN
        # The tracer's own events have no thread, and so neither goroutine nor P.
        self._threads[ids < 0, fields.T_G] = fields.NONE
        self._threads[:, fields.T_STATUS] = fields.NEEDS
        self._queue = np.zeros(max(1, len(ids)), np.int32)
        self._waits = np.full(2 * len(ids) + (1 << len(ids).bit_length()), -1, np.int32)

    def carry_out(self) -> None:
        """Run until all is done. Raises FormatError."""
        self._refill()
        while True:
            outcome = self._run()
            if outcome == fields.DONE:
                if times_could_pass(self.events, self.first_ns, self.last_ns):
                    raise self._too_long()
                self._take("ended", self._ended, fields.S_ENDED)
                self._take("marks", self._marks, fields.S_MARKS)
                self._hand_out()
                return
            if outcome == fields.NEED:
                self._refill()
            elif outcome == fields.FULL_GOROUTINES:
                self._grow_goroutines()
            elif outcome == fields.FULL_ENDED:
                self._take("ended", self._ended, fields.S_ENDED)
            elif outcome == fields.FULL_MARKS:
                self._take("marks", self._marks, fields.S_MARKS)
            elif outcome == fields.FULL_PROCS:
                self._grow_procs()
            elif outcome == fields.FULL_PAIRS:
                self._grow_intervals()
            elif outcome == fields.FULL_RECORDS:
                self._hand_out()
            else:
                raise self._fault(outcome)

    def _run(self) -> int:
        try:
            return kernel.run(
                self._data,
                self._tables.clock.tick_ns,
                self._threads.reshape(-1),
                self._ahead.reshape(-1),
                self._queue,
                self._waits,
                self._ids,
                self._table,
                self._goroutines.reshape(-1),
                self._procs.reshape(-1),
                self._groups.reshape(-1),
                self._ended.reshape(-1),
                self._marks.reshape(-1),
                self._intervals.reshape(-1),
                self._histogram,
                self._heap,
                self._records.reshape(-1),
                self._scalars,
            )
        except ValueError as error:
            # Interpreted, a sum of more than 64 bits has no place; compiled, it is seen later.
            raise self._too_long() from error

    def _too_long(self) -> FormatError:
        return FormatError(
            f"generation {self._generation.number}: {TOO_LONG}",
            hint="record the trace again, or see whether `go tool trace` reads it",
        )

    @property
    def events(self) -> int:
        """How many were carried out."""
        return int(self._scalars[fields.S_EVENTS])

    @property
    def first_ns(self) -> int:
        """When the first batch begins."""
        return min(self._times, default=0)

    @property
    def last_ns(self) -> int:
        """When the last event was."""
        return int(self._scalars[fields.S_LAST])

    def _refill(self) -> None:
        """Reads the next batches of every thread that has come to the end of what was read."""
        threads, scalars = self._threads, self._scalars
        place_of, stop, into = self._places, self._following, self._data.data
        for thread in np.flatnonzero(threads[:, fields.T_STATUS] == fields.NEEDS).tolist():
            batch, last = self._next[thread], stop[thread + 1]
            if batch >= last:
                threads[thread, fields.T_STATUS] = fields.OUT
                continue
            place, end = place_of[thread], place_of[thread + 1]
            read: list[tuple[int, int, int, int]] = []
            while len(read) < fields.AHEAD and batch < last and place + self._sizes[batch] <= end:
                size, start = self._sizes[batch], self._starts[batch]
                if self._read_into(into[place : place + size], start) != size:
                    raise FormatError("the file ends within a batch", offset=start)
                read.append((place, place + size, self._times[batch], 0))
                place, batch = place + size, batch + 1
            self._next[thread] = batch
            row, more = threads[thread], len(read) - 1
            row[fields.T_AT], row[fields.T_END], row[fields.T_TIME], _ = read[0]
            row[fields.T_STATUS], row[fields.T_MORE] = fields.READY, more
            if more:
                self._ahead[thread, -more:] = read[1:]
            tail = int(scalars[fields.S_HEAD] + scalars[fields.S_QUEUED]) % len(self._queue)
            self._queue[tail] = thread
            scalars[fields.S_QUEUED] += 1
            scalars[fields.S_PROGRESS] += 1

    def _grow_goroutines(self) -> None:
        """Twice the rows, and a hash table with room for them."""
        old = self._goroutines
        had, count = len(old), max(_FIRST_ROWS, 2 * len(old))
        self._room.take((count - had) * _ROW)
        with self._room.lent(old.nbytes):
            rows = np.empty((count, fields.GOROUTINE_FIELDS), np.int64)
            rows[:had] = old
            self._goroutines = rows
            del old
        rows[had:, fields.G_ID] = -1  # free
        rows[had:, fields.G_STATE] = -1 - np.arange(had + 1, count + 1)
        rows[-1, fields.G_STATE] = 0  # the last one
        self._scalars[fields.S_FREE] = had  # all old rows are taken: that is why it grows
        self._table = np.full(4 * count, -1, np.int32)
        kernel.rehash(self._table, rows.reshape(-1), had, self._scalars)

    def _grow_intervals(self) -> None:
        """Twice the room for what more than one reason of a stack needs."""
        old = self._intervals
        self._room.take(old.nbytes)
        with self._room.lent(old.nbytes):
            self._intervals = np.zeros((2 * len(old), fields.INTERVAL_FIELDS), np.int64)
            self._intervals[: len(old)] = old
            del old

    def _grow_procs(self) -> None:
        count = max(64, 4 * len(self._procs))
        if count > MAX_PROCS:
            raise FormatError(f"an event names a P beyond the cap of {MAX_PROCS}")
        rows = np.zeros((count, fields.PROC_FIELDS), np.int64)
        rows[:, fields.P_SWEEP] = fields.NOT_OPEN
        rows[:, fields.P_THREAD] = -1
        rows[: len(self._procs)] = self._procs
        self._procs = rows

    def _take(self, name: str, rows: Int64s, place: int) -> None:
        used = int(self._scalars[place])
        self._scalars[place] = 0
        if not used:
            return
        taken = rows[:used].copy()
        if name == "ended" and self._keep:
            whole = (taken[:, fields.G_FIRST] == 0) & (taken[:, fields.G_START] > 0)
            both = np.concatenate([*self._longest, taken[whole]])
            if len(both) > self._keep:
                running = both[:, fields.G_SUMS + fields.RUNNING]
                both = both[np.argpartition(-running, self._keep - 1)[: self._keep]]
                least = both[:, fields.G_SUMS + fields.RUNNING].min()
                self._scalars[fields.S_LEAST] = least
            self._longest = [both]
            taken = taken[~whole]
        self._room.take(taken.nbytes)
        self._out[name].append(taken)

    def _hand_out(self) -> None:
        """Gives what is recorded to whom it is for."""
        if self._record is not None:
            self._record(self._records[: int(self._scalars[fields.S_RECORDS])], self._tables)
        self._scalars[fields.S_RECORDS] = 0

    def _fault(self, outcome: int) -> FormatError:
        """Where the events went wrong, and at what."""
        thread = int(self._scalars[fields.S_FAULT])
        told = kernel.ERRORS[-1 - outcome]
        if outcome in (fields.UNORDERED, fields.TANGLED):
            stuck = np.flatnonzero(self._threads[:, fields.T_STATUS] == fields.PARKED)
            thread = int(stuck[0]) if len(stuck) else thread
        row = self._threads[thread].tolist()
        batch = max(self._next[thread] - 1 - row[fields.T_MORE], 0)
        offset = self._starts[batch] + self._sizes[batch] - (row[fields.T_END] - row[fields.T_AT])
        return FormatError(
            f"generation {self._generation.number}, thread {int(self._ids[thread])}: {told}",
            offset=offset,
            hint="record the trace again, or see whether `go tool trace` reads it",
        )

    def _still(self) -> Int64s:
        """What the threads have at the end."""
        threads = self._threads[self._threads[:, fields.T_G] >= 0]
        ids = self._goroutines[threads[:, fields.T_G] // fields.GOROUTINE_FIELDS, fields.G_ID]
        procs = np.maximum(threads[:, fields.T_P], fields.NONE)
        return np.stack([ids, procs, threads[:, fields.T_ID]], axis=1)

    def _whole(self, parts: list[Int64s]) -> Int64s:
        """Parts put together, which are let go."""
        with self._room.lent(sum(each.nbytes for each in parts)):
            whole = np.concatenate(parts)
            parts.clear()
        return whole

    def result(self) -> Carried:
        """What was found."""
        running = self._still()
        ids = self._goroutines[:, fields.G_ID]
        living = int(np.count_nonzero(ids >= 0))
        size = living * 8 * fields.GOROUTINE_FIELDS
        with self._room.lent(size + ids.nbytes):
            rows = self._goroutines[np.argsort(ids, kind="stable")[len(ids) - living :]]
            self._room.give(len(ids) * _ROW - size)
            del ids
            self._goroutines = empty = np.empty((0, fields.GOROUTINE_FIELDS), np.int64)
        self._room.take(sum(each.nbytes for each in self._longest))
        pairs = int(self._scalars[fields.S_PAIRS])
        self._room.give(self._intervals[pairs:].nbytes)
        spoken = self._procs[:, fields.P_STATE] != 0
        scalars = self._scalars.tolist()
        return Carried(
            generation=self._generation,
            tables=self._tables,
            live=rows,
            ended=self._whole([empty, *self._out.pop("ended"), *self._longest]),
            groups=self._groups,
            procs=self._procs[: int(np.flatnonzero(spoken).max(initial=-1)) + 1],
            marks=self._whole(
                [np.empty((0, fields.MARK_FIELDS), np.int64), *self._out.pop("marks")]
            ),
            intervals=self._intervals[:pairs].copy(),
            histogram=self._histogram,
            heap=self._heap,
            events=self.events,
            parks=scalars[fields.S_PARKS],
            created=scalars[fields.S_CREATED],
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            running=running,
            collector=(
                scalars[fields.S_GC_FIRST],
                scalars[fields.S_GC_BEFORE],
                scalars[fields.S_GC_SEQ],
                scalars[fields.S_GC_STATE],
            )
            if scalars[fields.S_GC_STATE]
            else None,
        )


def _multiplier() -> int:
    """The secret odd number that ids of goroutines are multiplied with, as a signed one.

    As a fraction of 2^64 it is far from every fraction with a small denominator (its continued
    fraction has terms of 1 to 5 only), so that ids that follow on each other are spread evenly over
    a hash table. Of any number one in ten would have them meet often.
    """
    above, below = 0, 1
    for byte in os.urandom(48):
        above, below = below, (1 + byte % 5) * below + above
    number = (above << 64) // below | 1
    return number - (1 << 64) if number >> 63 else number
