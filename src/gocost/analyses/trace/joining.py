"""Generations of a trace put together: what is open at the end of one is closed in the next.

A generation knows a goroutine's state from its status event on, but not since when; its sums have
the leaving without the entering. Here the two meet: times of states add up exactly, and the
intervals that span generations get into the tables of stacks and reasons. Strings and stacks have
ids of their own in every generation; here they are numbered once for all, by what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.exectrace.ordered import Carried
from gocost.formats.exectrace.tables import Clock
from gocost.kernels import trace_run as kernel
from gocost.model.errors import FormatError

Int64s = npt.NDArray[np.int64]

STATES: Final = ("runnable", "running", "syscall", "waiting")
"""In the order of their numbers, from 1 on."""
UNKNOWN_ENTRY: Final = "(started before the trace)"


@dataclass(slots=True)
class Stacks:
    """Stacks of all generations by their frames; number 0 is the empty one."""

    texts: list[str] = field(default_factory=lambda: [""])
    frames: list[Int64s] = field(default_factory=lambda: [np.zeros((3, 0), np.int64)])
    """Columns function (a text), file (a text), line, leaf first."""
    _of_text: dict[str, int] = field(default_factory=lambda: {"": 0})
    _of_frames: dict[bytes, int] = field(default_factory=lambda: {b"": 0})

    def text(self, text: str) -> int:
        """The number of a text."""
        found = self._of_text.get(text)
        if found is None:
            found = self._of_text[text] = len(self.texts)
            self.texts.append(text)
        return found

    def number(self, frames: Int64s) -> int:
        """The number of a stack whose frames name texts by these numbers."""
        key = frames.tobytes()
        found = self._of_frames.get(key)
        if found is None:
            found = self._of_frames[key] = len(self.frames)
            self.frames.append(frames)
        return found

    def root(self, stack: int) -> str:
        """The outermost function; empty for the empty stack."""
        frames = self.frames[stack]
        return self.texts[int(frames[0, -1])] if frames.shape[1] else ""

    def functions(self, stack: int) -> list[str]:
        """The functions of a stack, leaf first."""
        return [self.texts[number] for number in self.frames[stack][0].tolist()]


class _Local:
    """The numbers that the ids of one generation stand for."""

    def __init__(self, carried: Carried, stacks: Stacks) -> None:
        self._tables = carried.tables
        self._stacks = stacks
        self._known: dict[int, int] = {0: 0}
        self.texts = np.array([stacks.text(text) for text in carried.tables.texts], np.int64)

    def stack(self, id_: int) -> int:
        """The number of a stack of this generation."""
        found = self._known.get(id_)
        if found is None:
            tables = self._tables
            part = tables.frames[:, tables.stack_start[id_] : tables.stack_end[id_]]
            frames = np.stack([self.texts[part[0]], self.texts[part[1]], part[2]])
            found = self._known[id_] = self._stacks.number(np.ascontiguousarray(frames))
        return found

    def stacks(self, ids: Int64s) -> Int64s:
        """The numbers of several."""
        unique, places = np.unique(ids, return_inverse=True)
        numbers = np.array([self.stack(id_) for id_ in unique.tolist()], np.int64)
        return numbers[places.reshape(-1)] if len(numbers) else ids.copy()


@dataclass(slots=True)
class Amounts:
    """Count, total and longest of intervals by a key, in nanoseconds."""

    rows: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def add(self, key: tuple[int, int], count: int, total: int, most: int) -> None:
        """Some more under a key."""
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = [count, total, most]
            return
        row[0] += count
        row[1] += total
        row[2] = max(row[2], most)


@dataclass(slots=True)
class Group:
    """Goroutines that start in the same function."""

    count: int = 0
    sums: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """Nanoseconds in each of STATES."""
    starts: int = 0
    assisted: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """A whole trace's account, times in nanoseconds."""

    start: int
    end: int
    events: int
    generations: int
    groups: dict[str, Group]
    """By the function that goroutines start in."""
    goroutines: Int64s
    """Columns id, entry (a text of `stacks`), sums of the four states, times started, nanoseconds
    of GC assist, whether it ended, creator (a stack). Those that live at the end, and those that
    ended where they were asked for."""
    procs: dict[int, list[int]]
    """By P: nanoseconds running, idle, in a syscall, sweeping."""
    by_stack: Amounts
    """By (state's place in STATES, stack)."""
    by_reason: Amounts
    """By (state's place in STATES, text)."""
    latencies: Int64s
    """How often a goroutine was runnable for a time of each bucket of the kernel's histogram."""
    marks: list[tuple[Int64s, _Local]]
    heap: Int64s
    stacks: Stacks
    clock: Clock
    created: int
    lost: str
    """What of the trace could not be read; empty where all of it was."""


class Joiner:
    """Puts generations together, in their order."""

    def __init__(self, *, keep: int | None = 0) -> None:
        """Of the goroutines that ended the `keep` that ran longest are in the result; None: all."""
        self._keep = keep
        self._stacks = Stacks()
        self._live = np.empty((0, _LIVE_FIELDS), np.int64)
        self._groups: dict[str, Group] = {}
        self._ended: list[Int64s] = []
        self._procs: dict[int, _Proc] = {}
        self._by_stack, self._by_reason = Amounts(), Amounts()
        self._latencies = np.zeros(kernel.BUCKETS, np.int64)
        self._marks: list[tuple[Int64s, _Local]] = []
        self._heap: Int64s | None = None
        self._clock = Clock(1.0)
        self._first, self._last = 0, 0
        self._events = self._created = self._generations = 0
        self._number = 0

    def add(self, carried: Carried) -> None:
        """The next generation. Raises FormatError where it contradicts the one before."""
        first = self._generations == 0
        if not first and carried.generation.number != self._number + 1:
            raise FormatError(f"generation {carried.generation.number} follows on {self._number}")
        self._number = carried.generation.number
        local = _Local(carried, self._stacks)
        if first:
            self._first, self._clock = carried.first_ns, carried.tables.clock
        self._intervals(carried, local)
        self._goroutines(carried, local, first=first)
        self._add_procs(carried, first=first)
        self._latencies += carried.histogram
        self._heap = carried.heap if self._heap is None else np.maximum(self._heap, carried.heap)
        if len(carried.marks):
            self._marks.append((carried.marks, local))
        self._events += carried.events
        self._created += carried.created
        self._generations += 1
        self._last = max(self._last, carried.last_ns)

    def _intervals(self, carried: Carried, local: _Local) -> None:
        rows = carried.intervals
        for at in np.flatnonzero(rows[:, kernel.I_COUNT]).tolist():
            count, total, most, reason = rows[at].tolist()
            state = _state_of(at % 3)
            self._by_stack.add((state, local.stack(at // 3)), count, total, most)
            self._by_reason.add((state, int(local.texts[reason])), count, total, most)
        others = carried.reasons
        for at in np.flatnonzero(others.any(axis=1)).tolist():
            count, total, most, _ = others[at].tolist()
            self._by_reason.add((_state_of(at % 3), int(local.texts[at // 3])), count, total, most)

    def _goroutines(self, carried: Carried, local: _Local, *, first: bool) -> None:
        """Closes what was open, counts what ended, and keeps what lives."""
        groups = carried.groups
        for start in np.flatnonzero(groups[:, kernel.B_COUNT]).tolist():
            row = groups[start].tolist()
            group = self._group(self._stacks.root(local.stack(start)))
            group.count += row[kernel.B_COUNT]
            group.starts += row[kernel.B_STARTS]
            group.assisted += row[kernel.B_ASSISTED]
            for state in range(4):
                group.sums[state] += row[kernel.B_SUMS + 1 + state]
        own = carried.ended
        created = (own[:, kernel.G_FIRST] == 0) & (own[:, kernel.G_START] > 0)
        # What was created and ended here is in the groups already.
        if created.any():
            self._remember(self._fresh(own[created], local, ended=True))
        ended = self._closed(own[~created], local, first=first, ended=True)
        live = self._closed(carried.live, local, first=first, ended=False)
        self._retire(ended)
        # Of goroutines that nothing was said of nothing changed.
        gone = np.isin(self._live[:, _ID], ended[:, _ID])
        silent = ~np.isin(self._live[:, _ID], live[:, _ID]) & ~gone
        merged = np.concatenate([self._live[silent], live])
        self._live = merged[np.argsort(merged[:, _ID], kind="stable")]

    def _fresh(self, rows: Int64s, local: _Local, *, ended: bool) -> Int64s:
        """Rows of the live table for goroutines as this generation has them."""
        out = np.zeros((len(rows), _LIVE_FIELDS), np.int64)
        out[:, _ID] = rows[:, kernel.G_ID]
        out[:, _STATE] = rows[:, kernel.G_STATE]
        out[:, _SINCE] = rows[:, kernel.G_SINCE]
        out[:, _REASON] = local.texts[rows[:, kernel.G_PLACE] >> 32]
        out[:, _STACK] = local.stacks(rows[:, kernel.G_PLACE] & 0x7FFFFFFF)
        out[:, _SUMS : _SUMS + 4] = rows[:, kernel.G_SUMS + 1 : kernel.G_SUMS + 5]
        out[:, _STARTS] = rows[:, kernel.G_STARTS]
        out[:, _ASSISTED] = rows[:, kernel.G_ASSISTED]
        out[:, _ASSIST] = rows[:, kernel.G_ASSIST]
        out[:, _CREATOR] = local.stacks(rows[:, kernel.G_CREATOR])
        start = rows[:, kernel.G_START]
        out[:, _ENTRY] = self._entries(local.stacks(np.abs(start)))
        out[:, _ENDED] = ended
        return out

    def _entries(self, stacks: Int64s) -> Int64s:
        """The text of the outermost function of each stack."""
        unique, places = np.unique(stacks, return_inverse=True)
        roots = [self._stacks.text(self._stacks.root(stack)) for stack in unique.tolist()]
        return np.array(roots, np.int64)[places.reshape(-1)] if len(roots) else stacks.copy()

    def _closed(self, rows: Int64s, local: _Local, *, first: bool, ended: bool) -> Int64s:
        """The rows with what was before this generation added, where there was something."""
        out = self._fresh(rows, local, ended=ended)
        old = rows[:, kernel.G_FIRST] != 0
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
        before, left = self._live[at[old]], rows[old, kernel.G_LEFT]
        contrary = before[:, _STATE] != rows[old, kernel.G_FIRST]
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
        out[places[~later], _STACK] = before[~later, _STACK]
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
        took = left - before[:, _SINCE]
        for state, stack, reason, time in zip(
            before[:, _STATE].tolist(),
            before[:, _STACK].tolist(),
            before[:, _REASON].tolist(),
            took.tolist(),
            strict=True,
        ):
            if state == kernel.RUNNING:
                continue
            if state == kernel.RUNNABLE:
                self._latencies[kernel.bucket(time)] += 1
            self._by_stack.add((state - 1, stack), 1, time, time)
            self._by_reason.add((state - 1, reason), 1, time, time)

    def _retire(self, rows: Int64s) -> None:
        """Goroutines that are no more: into their groups."""
        for entry in np.unique(rows[:, _ENTRY]).tolist():
            part = rows[rows[:, _ENTRY] == entry]
            group = self._group(self._stacks.texts[entry])
            group.count += len(part)
            group.starts += int(part[:, _STARTS].sum())
            group.assisted += int(part[:, _ASSISTED].sum())
            for state in range(4):
                group.sums[state] += int(part[:, _SUMS + state].sum())
        if len(rows):
            self._remember(rows)

    def _remember(self, rows: Int64s) -> None:
        """Keeps goroutines that ended, as many as are wanted."""
        if self._keep is None:
            self._ended.append(rows)
        elif self._keep:
            self._ended = [_longest(np.concatenate([*self._ended, rows]), self._keep)]

    def _group(self, entry: str) -> Group:
        return self._groups.setdefault(entry or UNKNOWN_ENTRY, Group())

    def _add_procs(self, carried: Carried, *, first: bool) -> None:
        for number, row in enumerate(carried.procs.tolist()):
            if row[kernel.P_STATE] == 0:
                continue
            proc = self._procs.setdefault(number, _Proc())
            for state in range(3):
                proc.sums[state] += row[kernel.P_SUMS + 1 + state]
            proc.swept += row[kernel.P_SWEPT]
            # What was open is closed here by its first leaving, which counts from 0.
            if not first and proc.open is not None and _moved(row):
                proc.sums[proc.open[0]] -= proc.open[1]
            state = _proc_state(row[kernel.P_STATE])
            if first or _moved(row) or proc.open is None:
                proc.open = (state, row[kernel.P_SINCE])

    def result(self, *, lost: str = "") -> Joined:
        """The account, with what is open closed at the trace's last event."""
        live = self._live
        for state in range(1, 5):
            rows = live[:, _STATE] == state
            live[rows, _SUMS + state - 1] += self._last - live[rows, _SINCE]
        open_ = live[:, _ASSIST] >= 0
        live[open_, _ASSISTED] += self._last - live[open_, _ASSIST]
        kept = np.concatenate([live, *self._ended])
        self._keep = 0  # what lives is in `kept` already
        self._retire(live)
        for proc in self._procs.values():
            if proc.open is not None:
                proc.sums[proc.open[0]] += self._last - proc.open[1]
        return Joined(
            start=self._first,
            end=self._last,
            events=self._events,
            generations=self._generations,
            groups=self._groups,
            goroutines=kept[:, _SHOWN],
            procs={p: [*proc.sums, proc.swept] for p, proc in sorted(self._procs.items())},
            by_stack=self._by_stack,
            by_reason=self._by_reason,
            latencies=self._latencies,
            marks=self._marks,
            heap=self._heap if self._heap is not None else np.zeros(0, np.int64),
            stacks=self._stacks,
            clock=self._clock,
            created=self._created,
            lost=lost,
        )


@dataclass(slots=True)
class _Proc:
    sums: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Running, idle, in a syscall."""
    swept: int = 0
    open: tuple[int, int] | None = None
    """The state it is in, and since when."""


def _moved(row: list[int]) -> bool:
    """Whether the P left the state in which this generation found it."""
    return row[kernel.P_SINCE] != 0


def _proc_state(state: int) -> int:
    """The place of a P's state among running, idle and syscall; an abandoned P counts as idle."""
    return {kernel.P_RUNNING: 0, kernel.P_IDLE: 1, kernel.P_SYSCALL: 2}.get(state, 1)


def _state_of(kind: int) -> int:
    """The place in STATES of a kind of interval."""
    return (0, 2, 3)[kind]


def _longest(rows: Int64s, count: int) -> Int64s:
    """The rows that ran longest."""
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(-rows[:, _SUMS + kernel.RUNNING - 1], count - 1)[:count]]


# Columns of the table of goroutines that live.
(_ID, _ENTRY, _SUMS) = (0, 1, 2)
(_STARTS, _ASSISTED, _ENDED, _CREATOR, _STATE, _SINCE, _REASON, _STACK, _ASSIST) = range(6, 15)
_LIVE_FIELDS = 15
_SHOWN = list(range(10))
