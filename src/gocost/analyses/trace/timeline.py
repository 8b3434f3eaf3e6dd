"""When Ps were busy and what ran: a trace of tens of millions of events in some thousand bins.

A lane is a P (running a goroutine, in a syscall), a group of goroutines (by the function that they
start in: how many of them ran at a time) or the goroutines that were ready without a P. Intervals
that lie within a generation are added by kernels/trace_bins as they end; those that span
generations are closed here, with what is known from the generation before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import UNKNOWN_ENTRY
from gocost.formats.exectrace.ordered import Carried, Window
from gocost.formats.exectrace.room import AT_ONCE, Room
from gocost.formats.exectrace.tables import Tables
from gocost.kernels import trace_bins as kernel
from gocost.kernels import trace_fields as fields

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

BINS: Final = 4096
"""The most bins that a trace's time is told apart in; at least half of them are used."""
MOST_GROUPS: Final = 1_000
"""Groups that have a lane; those beyond them share one."""
MOST_PROCS: Final = 512
"""Ps that have lanes, those of the lowest numbers."""
_RUNNING, _SYSCALL = fields.R_PROC + fields.P_RUNNING, fields.R_PROC + fields.P_SYSCALL
_OTHERS: Final = "(others)"
_SPARE: Final = 8
"""Lanes that there is room for beyond those that are used, so that few are moved."""
MOST_NAMELESS: Final = MOST_PROCS
"""Goroutines that have a lane of their own until a stack tells where they start: they were running
on a P when the trace began, as other goroutines have a stack from their first event on."""
_MET: Final = 160
"""Bytes for each goroutine of a generation while it is found out who they are."""
_KNOWN: Final = 200
"""Bytes of what is open at the end of a generation, in a dict."""
_OPEN: Final = [fields.G_ID, fields.G_STATE, fields.G_LEFT, fields.G_SINCE]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Nanoseconds by lane and bin."""

    start: int
    """Of the first bin, in the trace's own nanoseconds."""
    bin_ns: int
    bins: int
    procs: dict[int, Int64s]
    """By P: an array of two rows, running and syscall."""
    groups: dict[str, Int64s]
    """By the function that goroutines start in: running."""
    runnable: Int64s


class Spread:
    """Makes the timeline of a trace: `recorder` for each generation, `add` for each in order."""

    def __init__(self, window: Window, room: Room) -> None:
        """`room` is that of the generations, of which is taken what is known of goroutines."""
        self._room = room
        self._held = 0
        self._start = window.start
        length = max(1, window.end - window.start + 1)
        self._shift = max(0, (-(-length // BINS) - 1).bit_length())
        self._bins = -(-length // (1 << self._shift))
        self._procs: dict[int, Int64s] = {}
        self._groups: dict[str, Int64s] = {}
        self._runnable = self._empty()
        self._open_procs: dict[int, tuple[int, int]] = {}
        self._open_running: dict[int, int] = {}
        self._open_ready: dict[int, int] = {}
        self._names: dict[str, int] = {}
        self._entries: tuple[Int64s, Int64s] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        """Ids of goroutines, ascending, and the numbers of their names; -1 for none."""
        self._nameless: dict[int, Int64s] = {}
        """The sums of goroutines that no stack has told the start of yet."""

    def _empty(self) -> Int64s:
        return np.zeros(kernel.FIELDS * self._bins, np.int64)

    def recorder(self, room: Room) -> Recorder:
        """What takes the records of one generation, which has a part of the room perhaps; may run
        in any thread.
        """
        return Recorder(self._start, self._shift, self._bins, room)

    def add(self, recorder: Recorder, carried: Carried) -> None:
        """The next generation, in order."""
        for name, sums in recorder.groups():
            self._group(name)[:] += sums
        for proc, state, sums in recorder.procs():
            self._proc(proc, state)[:] += sums
        self._runnable += recorder.runnable()
        with self._room.lent(_MET * (len(carried.ended) + len(carried.live))):
            self._meet(carried, recorder)
        for rows in recorder.spanning:
            for at in range(0, len(rows), AT_ONCE):
                for record in rows[at : at + AT_ONCE].tolist():
                    self._close(record, recorder.roots)
        self._room.give(sum(rows.nbytes for rows in recorder.spanning))
        recorder.spanning.clear()
        for who, sums in recorder.nameless():
            self._lane(who)[:] += sums
        self._name()
        open_ = np.flatnonzero(carried.live[:, fields.G_STATE] <= fields.RUNNING)
        known = len(open_) * _KNOWN
        self._room.take(known)
        with self._room.lent(len(open_) * 8 * len(_OPEN)):
            self._remember(carried, carried.live[open_[:, None], _OPEN])
        entries = sum(column.nbytes for column in self._entries)
        self._room.take(entries - self._held)
        self._held = known + entries

    def _close(self, record: list[int], roots: Callable[[int], str]) -> None:
        """An interval that began before its generation, or of a goroutine without a stack there."""
        kind, who, begin, end, _, _, _, of = record
        if kind in (_RUNNING, _SYSCALL):
            if who >= MOST_PROCS:
                return
            begin = self._open_procs.get(who, (0, self._start))[1]
            self._interval(self._proc(who, int(kind == _SYSCALL)), begin, end)
        elif kind == fields.RUNNING:
            if begin < 0:
                begin = self._open_running.get(who, self._start)
            name = roots(abs(of))
            self._interval(self._group(name) if name else self._lane(who), begin, end)
        elif kind == fields.RUNNABLE:
            self._interval(self._runnable, self._open_ready.get(who, self._start), end)

    def _interval(self, sums: Int64s, begin: int, end: int) -> None:
        kernel.interval(sums, begin, end, self._start, self._shift)

    def _lane(self, who: int) -> Int64s:
        """The sums of a goroutine's group; its own until it is known where it starts."""
        if name := self._entry(who):
            return self._group(name)
        if who not in self._nameless:
            if len(self._nameless) >= MOST_NAMELESS:
                return self._group(UNKNOWN_ENTRY)
            self._nameless[who] = self._empty()
        return self._nameless[who]

    def _name(self) -> None:
        """Adds to their groups the goroutines that are known by now."""
        for who in list(self._nameless):
            if name := self._entry(who):
                self._group(name)[:] += self._nameless.pop(who)

    def _meet(self, carried: Carried, recorder: Recorder) -> None:
        """Who the generation's goroutines are, and those that it says nothing of."""
        both = (carried.ended, carried.live)
        ids = np.concatenate([rows[:, fields.G_ID] for rows in both])
        starts = np.concatenate([rows[:, fields.G_START] for rows in both])
        order = np.argsort(ids, kind="stable")
        ids, starts = ids[order], starts[order]
        names = recorder.numbered(starts, self._names)
        names = np.where(names >= 0, names, self._numbers(ids))
        silent = ~np.isin(self._entries[0], ids)
        ids = np.concatenate([self._entries[0][silent], ids])
        names = np.concatenate([self._entries[1][silent], names])
        order = np.argsort(ids, kind="stable")
        self._entries = ids[order], names[order]

    def _remember(self, carried: Carried, open_: Int64s) -> None:
        """What is open at the generation's end, and since when. Who ended needs no name."""
        for number, row in enumerate(carried.procs.tolist()):
            if row[fields.P_STATE] and row[fields.P_SINCE]:
                self._open_procs[number] = (row[fields.P_STATE], row[fields.P_SINCE])
        running: dict[int, int] = {}
        ready: dict[int, int] = {}
        for at in range(0, len(open_), AT_ONCE):
            for id_, state, left, since in open_[at : at + AT_ONCE].tolist():
                now, before = (
                    (running, self._open_running)
                    if state == fields.RUNNING
                    else (ready, self._open_ready)
                )
                still = left == fields.NOT_YET
                now[id_] = before.get(id_, self._start) if still else since
        self._open_running, self._open_ready = running, ready
        living = ~np.isin(self._entries[0], carried.ended[:, fields.G_ID])
        self._entries = self._entries[0][living], self._entries[1][living]

    def _numbers(self, ids: Int64s) -> Int64s:
        """The number of the name of each goroutine, as far as generations have told it."""
        known, names = self._entries
        if not len(known):
            return np.full(len(ids), -1, np.int64)
        at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[at] == ids, names[at], -1)

    def _entry(self, id_: int) -> str:
        number = int(self._numbers(np.array([id_], np.int64))[0])
        return "" if number < 0 else list(self._names)[number]

    def result(self, end: int) -> Timeline:
        """The timeline, with what is open closed at the trace's end."""
        for proc, (state, since) in self._open_procs.items():
            if state in (fields.P_RUNNING, fields.P_SYSCALL) and proc < MOST_PROCS:
                self._interval(self._proc(proc, int(state == fields.P_SYSCALL)), since, end)
        for id_, since in self._open_running.items():
            self._interval(self._lane(id_), since, end)
        for since in self._open_ready.values():
            self._interval(self._runnable, since, end)
        for sums in self._nameless.values():
            self._group(UNKNOWN_ENTRY)[:] += sums
        return Timeline(
            start=self._start,
            bin_ns=1 << self._shift,
            bins=self._bins,
            procs={proc: self._told(sums) for proc, sums in sorted(self._procs.items())},
            groups={name: self._told(sums)[0] for name, sums in sorted(self._groups.items())},
            runnable=self._told(self._runnable)[0],
        )

    def _told(self, sums: Int64s) -> Int64s:
        return kernel.spread(sums, self._shift, self._bins)

    def _group(self, name: str) -> Int64s:
        if name not in self._groups and len(self._groups) >= MOST_GROUPS:
            name = _OTHERS
        found = self._groups.get(name)
        if found is None:
            found = self._groups[name] = self._empty()
        return found

    def _proc(self, proc: int, state: int) -> Int64s:
        found = self._procs.get(proc)
        if found is None:
            found = self._procs[proc] = np.zeros(2 * kernel.FIELDS * self._bins, np.int64)
        half = len(found) // 2
        return found[state * half : (state + 1) * half]


@dataclass(slots=True)
class Recorder:
    """Adds up the records of one generation; what needs the one before is kept for it."""

    start: int
    shift: int
    bins: int
    room: Room
    spanning: list[Int64s] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _tables: Tables | None = None
    _of_stack: Int32s = field(default_factory=lambda: np.zeros(0, np.int32))
    _of_proc: Int32s = field(default_factory=lambda: np.zeros(0, np.int32))
    _numbers: list[tuple[int, int]] = field(default_factory=list)
    _nameless: dict[int, int] = field(default_factory=dict)
    """By goroutine the number that stands for its stack, from `_stacks` on."""
    _stacks: int = 0
    _sums: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    _used: int = 0
    """Lanes of `_sums`; there may be room for more."""

    def __call__(self, records: Int64s, tables: Tables) -> None:
        """Some records of the generation, in the order in which they ended."""
        if self._tables is None:
            self._begin(tables)
        kind, begin = records[:, fields.R_KIND], records[:, fields.R_START]
        of_proc = (kind == _RUNNING) | (kind == _SYSCALL)
        running = kind == fields.RUNNING
        self._meet(records[of_proc, fields.R_WHO])
        within = np.flatnonzero(running & (begin >= 0))
        unnamed = within[self._of_stack[np.abs(records[within, fields.R_OF])] < 0]
        if len(unnamed):
            # The kernel finds their lanes as it does those of stacks, by numbers after the stacks'.
            records[unnamed, fields.R_OF] = self._stand_ins(records[unnamed, fields.R_WHO])
        kernel.add(
            records.reshape(-1), self._of_stack, self._of_proc, 0, self._sums, self.start,
            self.shift, self.bins,
        )  # fmt: skip
        told = of_proc | running | (kind == fields.RUNNABLE)
        spanning = records[told & (begin < 0)]
        if len(spanning):
            self.room.take(spanning.nbytes)
            self.spanning.append(spanning)

    def _begin(self, tables: Tables) -> None:
        """A lane for the runnable, and one for each function that stacks begin in."""
        self._tables = tables
        root = tables.roots()
        texts, of_stack = np.unique(root, return_inverse=True)
        lanes = np.minimum(np.arange(len(texts)) + 1, MOST_GROUPS)
        of_stack = np.where(root < 0, -1, lanes[of_stack.reshape(-1)])
        self._stacks = len(root)
        # After the stacks' the number of those beyond MOST_NAMELESS: the lane of the empty name.
        self._of_stack = np.append(of_stack, 1).astype(np.int32)
        self._names = ["" if text < 0 else tables.texts[text] for text in texts.tolist()]
        if len(self._names) > MOST_GROUPS:
            self._names = [*self._names[: MOST_GROUPS - 1], _OTHERS]
        self._used = 1 + len(self._names)
        self._sums = np.zeros(self._used * kernel.FIELDS * self.bins, np.int64)

    def _more(self, count: int) -> int:
        """Some more lanes; the number of the first."""
        first, width = self._used, kernel.FIELDS * self.bins
        self._used += count
        if self._used * width > len(self._sums):
            more = np.zeros((self._used + _SPARE) * width - len(self._sums), np.int64)
            self._sums = np.concatenate([self._sums, more])
        return first

    def _stand_ins(self, who: Int64s) -> Int64s:
        """The numbers that stand for the stacks of goroutines that have none, with a lane each."""
        ids, places = np.unique(who, return_inverse=True)
        new = [id_ for id_ in ids.tolist() if id_ not in self._nameless]
        new = new[: MOST_NAMELESS - len(self._nameless)]
        if new:
            lanes = self._more(len(new)) + np.arange(len(new), dtype=np.int32)
            numbers = range(len(self._of_stack), len(self._of_stack) + len(new))
            self._nameless |= dict(zip(new, numbers, strict=True))
            self._of_stack = np.concatenate([self._of_stack, lanes])
        return np.array([self._nameless.get(id_, self._stacks) for id_ in ids.tolist()], np.int64)[
            places
        ]

    def _meet(self, procs: Int64s) -> None:
        """Two lanes for each P that has none."""
        new = [
            proc
            for proc in np.unique(procs).tolist()
            if proc < MOST_PROCS and (2 * proc >= len(self._of_proc) or self._of_proc[2 * proc] < 0)
        ]
        if not new:
            return
        room = np.full(max(2 * (new[-1] + 1), len(self._of_proc)), -1, np.int32)
        room[: len(self._of_proc)] = self._of_proc
        lane = self._more(2 * len(new))
        for proc in new:
            room[2 * proc : 2 * proc + 2] = lane, lane + 1
            self._numbers += [(proc, 0), (proc, 1)]
            lane += 2
        self._of_proc = room

    def roots(self, stack: int) -> str:
        """The function that a stack begins in; empty where it says none."""
        if not 0 < stack < self._stacks:
            return ""
        lane = int(self._of_stack[stack])
        return self._names[lane - 1] if lane > 0 else ""

    def numbered(self, starts: Int64s, names: dict[str, int]) -> Int64s:
        """The numbers, in `names`, of the functions that stacks begin in (a G_START each); -1 where
        a stack says none. What has no number gets the next one.
        """
        if self._tables is None:
            return np.full(len(starts), -1, np.int64)
        numbers = [names.setdefault(name, len(names)) if name else -1 for name in self._names]
        of_lane = np.array([-1, *numbers], np.int64)
        stacks = np.abs(starts)
        inside = (stacks > 0) & (stacks < self._stacks)
        lanes = np.where(inside, self._of_stack[np.where(inside, stacks, 0)], -1)
        return of_lane[np.maximum(lanes, 0)]

    def _lanes(self) -> Int64s:
        return self._sums.reshape(-1, kernel.FIELDS * self.bins)

    def groups(self) -> list[tuple[str, Int64s]]:
        """The sums by group, of those that ran."""
        lanes = self._lanes()
        return [
            (name or UNKNOWN_ENTRY, lanes[1 + number])
            for number, name in enumerate(self._names)
            if lanes[1 + number].any()
        ]

    def nameless(self) -> list[tuple[int, Int64s]]:
        """Goroutine and sums, of those that no stack of the generation tells the start of."""
        lanes = self._lanes()
        return [(who, lanes[self._of_stack[number]]) for who, number in self._nameless.items()]

    def procs(self) -> list[tuple[int, int, Int64s]]:
        """P, whether it is in a syscall, and the sums."""
        lanes = self._lanes()
        return [(*which, lanes[self._of_proc[2 * which[0] + which[1]]]) for which in self._numbers]

    def runnable(self) -> Int64s:
        """The sums of those that were ready."""
        return self._lanes()[0] if len(self._sums) else np.zeros(
            kernel.FIELDS * self.bins, np.int64)  # fmt: skip
