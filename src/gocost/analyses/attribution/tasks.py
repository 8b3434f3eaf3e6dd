"""What goroutines did while they were in a task of the program's (runtime/trace.NewTask).

A goroutine is in a task from where it began the task until the task ends, and in its regions
(trace.WithRegion) on whichever goroutine; the innermost counts. Goroutines that a task starts and
that open no region of it are in no task: nothing in a trace says whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import numpy as np

from gocost.analyses.attribution.keys import Rows
from gocost.analyses.attribution.processor import Samples
from gocost.analyses.attribution.roles import Role, is_runtime, roles_of
from gocost.analyses.attribution.stacks import NOBODY
from gocost.analyses.attribution.waiting import KINDS, kind_of
from gocost.analyses.profile.groups import packages_of
from gocost.analyses.trace.account import STATES, Int64s, Joined, Stacks
from gocost.analyses.trace.following import ASSIST, RUNNABLE, RUNNING, SYSCALL, WAITING, Chunk
from gocost.analyses.trace.marks import REGION_BEGIN, REGION_END, TASK_BEGIN, TASK_END, marks
from gocost.analyses.trace.waiting import reason_of
from gocost.formats.pprof.profile import Bools, Int32s
from gocost.model.errors import FormatError

NO_TASK: Final = "(no task)"
BEFORE: Final = "(task of before the trace)"
"""Tasks that began before the trace did: their regions have an id and no name."""
_NO_TASK = 0


@dataclass(frozen=True, slots=True)
class TaskUse:
    """Nanoseconds by task, in the window of a trace."""

    names: list[str]
    """Of tasks; NO_TASK first."""
    counts: list[int]
    """How many of that name began in the window."""
    running: Int64s
    assisted: Int64s
    """Of `running`, marking for the collector."""
    allocating: Int64s
    """CPU samples of the trace that were allocating: counts."""
    waited: dict[str, Int64s]
    """By kind of waiting."""
    system: dict[str, int]
    """Running of the runtime's goroutines, by the function that they start in."""
    system_waited: dict[str, int]
    """By kind."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Changes:
    """When goroutines entered and left tasks, by goroutine and time."""

    goroutines: Int64s
    """Rising; those that were ever in a task."""
    first: Int64s
    """Where each one's changes begin; there it is in no task."""
    time: Int64s
    task: Int64s
    """A place in `names` from here on."""
    names: list[str]
    begun: list[tuple[int, int]]
    """(time, task) of each task that began."""


def changes(trace: Joined) -> Changes:
    """Of a whole trace: what a goroutine is in follows from all that came before."""
    names = {NO_TASK: _NO_TASK}
    task_of: dict[int, int] = {}
    beginner: dict[int, int] = {}
    inside: dict[int, list[tuple[int, str, int]]] = {}  # (task id, region's name or "", task)
    found: dict[int, list[tuple[int, int]]] = {}
    begun: list[tuple[int, int]] = []

    def say(goroutine: int, time: int) -> None:
        stack = inside.get(goroutine)
        now = stack[-1][2] if stack else _NO_TASK
        told = found.setdefault(goroutine, [])
        if (told[-1][1] if told else _NO_TASK) != now:
            told.append((max(time, told[-1][0] if told else time), now))

    for mark in marks(trace, TASK_BEGIN, TASK_END, REGION_BEGIN, REGION_END):
        id_, goroutine = mark.arguments[0], mark.goroutine
        if mark.type == TASK_BEGIN:
            task_of[id_] = names.setdefault(mark.text or "(unnamed)", len(names))
            begun.append((mark.time, task_of[id_]))
            beginner[id_] = goroutine
            inside.setdefault(goroutine, []).append((id_, "", task_of[id_]))
        elif mark.type == TASK_END:
            goroutine = beginner.pop(id_, -1)
            _drop(inside.get(goroutine, []), id_, "")
        elif id_ and mark.type == REGION_BEGIN:
            of = task_of.get(id_)
            of = names.setdefault(BEFORE, len(names)) if of is None else of
            inside.setdefault(goroutine, []).append((id_, mark.text or " ", of))
        elif id_:
            _drop(inside.get(goroutine, []), id_, mark.text or " ")
        if goroutine > 0:
            say(goroutine, mark.time)
    return _columns(found, list(names), begun)


def _drop(stack: list[tuple[int, str, int]], id_: int, region: str) -> None:
    """Removes the innermost of a task and region."""
    for at in range(len(stack) - 1, -1, -1):
        if stack[at][:2] == (id_, region):
            del stack[at]
            return


def _columns(
    found: dict[int, list[tuple[int, int]]], names: list[str], begun: list[tuple[int, int]]
) -> Changes:
    chosen = sorted(goroutine for goroutine, told in found.items() if told)
    first: list[int] = []
    times: list[int] = []
    tasks: list[int] = []
    for goroutine in chosen:
        first.append(len(times))
        times += [-1, *(time for time, _ in found[goroutine])]
        tasks += [_NO_TASK, *(task for _, task in found[goroutine])]
    goroutines, starts, at, of = (
        np.array(each, np.int64) for each in (chosen, first, times, tasks)
    )
    return Changes(goroutines, starts, at, of, names, begun)


@dataclass(slots=True)
class ByTask:
    """Takes a trace's intervals and adds them up by task, within a window of the trace's time."""

    changes: Changes
    start: int
    end: int
    _running: Int64s = field(init=False)
    _assisted: Int64s = field(init=False)
    _waited: Int64s = field(init=False)
    _system: dict[str, int] = field(default_factory=dict)
    _system_waited: dict[str, int] = field(default_factory=dict)
    _system_entries: dict[int, bool] = field(default_factory=dict)
    _keys: Int64s = field(init=False)

    def __post_init__(self) -> None:
        """Raises FormatError where times are further apart than 64 bits can rank."""
        size = len(self.changes.names)
        self._running = np.zeros(size, np.int64)
        self._assisted = np.zeros(size, np.int64)
        self._waited = np.zeros((len(KINDS), size), np.int64)
        count = len(self.changes.goroutines)
        if (self.end - self.start + 3) * (count + 1) >= 1 << 62:
            raise FormatError("the trace's times are too far apart", hint="record it again")
        owner = np.repeat(
            np.arange(count), np.diff(self.changes.first, append=len(self.changes.time))
        )
        self._keys = self._key(owner, self.changes.time)

    def _key(self, place: Int64s, time: Int64s) -> Int64s:
        """Ranks (goroutine, time); times outside of the window are its ends."""
        length = self.end - self.start + 3
        found: Int64s = place * length + np.clip(time - self.start, -1, length - 3) + 1
        return found

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next intervals."""
        states = chunk.of(RUNNABLE, RUNNING, SYSCALL, WAITING)
        self._add(states, states.start, stacks)
        helping = chunk.of(RUNNING, ASSIST)
        helping = helping.where(helping.gc_from >= 0)
        row, _, took = self.pieces(helping.who, *self._cut(helping.gc_from, helping.end))
        np.add.at(self._assisted, row, took)

    def _cut(self, start: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
        begun = np.maximum(start, self.start)
        return begun, np.maximum(np.minimum(end, self.end), begun)

    def _add(self, states: Chunk, start: Int64s, stacks: Stacks) -> None:
        begun, ended = self._cut(start, states.end)
        row, of, took = self.pieces(states.who, begun, ended)
        kind = self._kind(states, stacks)[of]
        system = self._is_system(states.entry, stacks)[of] & (row == _NO_TASK)
        ran = kind < 0
        np.add.at(self._running, row[ran & ~system], took[ran & ~system])
        waits = ~ran & ~system
        np.add.at(self._waited, (kind[waits], row[waits]), took[waits])
        if system.any():
            self._add_system(states.entry[of][system], kind[system], took[system], stacks)

    def _add_system(self, entry: Int64s, kind: Int64s, took: Int64s, stacks: Stacks) -> None:
        for text, which in np.unique(np.stack([entry, kind]), axis=1).T.tolist():
            amount = int(took[(entry == text) & (kind == which)].sum())
            of = self._system if which < 0 else self._system_waited
            name = stacks.texts[text] if which < 0 else KINDS[which]
            of[name] = of.get(name, 0) + amount

    def pieces(self, who: Int64s, start: Int64s, end: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Intervals cut where a goroutine entered or left a task: of each piece the task, the
        interval that it is of, and its nanoseconds.
        """
        found = self.changes
        every = np.arange(len(who))
        if not len(found.goroutines):
            return np.zeros(len(who), np.int64), every, end - start
        place = np.minimum(np.searchsorted(found.goroutines, who), len(found.goroutines) - 1)
        known = found.goroutines[place] == who
        first = np.searchsorted(self._keys, self._key(place, start), "right") - 1
        last = np.searchsorted(self._keys, self._key(place, end), "left") - 1
        last = np.maximum(last, first)
        count = np.where(known, last - first + 1, 1)
        of = np.repeat(every, count)
        step = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        at = np.minimum(first[of] + step, max(len(found.time) - 1, 0))
        begun = np.where(step > 0, np.maximum(found.time[at], start[of]), start[of])
        following = np.minimum(at + 1, len(found.time) - 1)
        ended = np.where(step < count[of] - 1, np.minimum(found.time[following], end[of]), end[of])
        row = np.where(known[of], found.task[at], _NO_TASK)
        return row, of, np.maximum(ended - begun, 0)

    def _kind(self, states: Chunk, stacks: Stacks) -> Int64s:
        """A place in KINDS; -1 for running."""
        # What says its reason needs no stack to tell it.
        stack = np.where(states.reason == 0, states.stack, 0)
        which, places = np.unique(np.stack([states.kind, stack, states.reason]), axis=1,
                                  return_inverse=True)  # fmt: skip
        kinds = [
            -1
            if state == RUNNING
            else KINDS.index(kind_of(STATES[state - 1], reason_of(stacks, state - 1, stack, why)))
            for state, stack, why in which.T.tolist()
        ]
        return np.array(kinds, np.int64)[places.reshape(-1)] if kinds else states.kind

    def _is_system(self, entry: Int64s, stacks: Stacks) -> Bools:
        """Whether goroutines are the runtime's own."""
        texts, places = np.unique(entry, return_inverse=True)
        for text in texts.tolist():
            if text not in self._system_entries:
                name = stacks.texts[text]
                self._system_entries[text] = is_runtime(packages_of([name])[0]) and name not in (
                    "runtime.main",
                )
        known = [self._system_entries[text] for text in texts.tolist()]
        return np.array(known, np.bool_)[places.reshape(-1)]

    def result(self, trace: Joined) -> TaskUse:
        """The sums; `trace` has the CPU samples."""
        found = self.changes
        counts = [0] * len(found.names)
        for time, task in found.begun:
            counts[task] += self.start <= time <= self.end
        return TaskUse(
            names=found.names,
            counts=counts,
            running=self._running,
            assisted=np.minimum(self._assisted, self._running),
            allocating=self._allocating(trace),
            waited={kind: self._waited[at] for at, kind in enumerate(KINDS)},
            system=self._system,
            system_waited=self._system_waited,
            seconds=(self.end - self.start) / 1e9,
        )

    def _allocating(self, trace: Joined) -> Int64s:
        """How many CPU samples of each task were allocating."""
        allocates: dict[int, bool] = {}
        rows = []
        for time, _, _, goroutine, stack in trace.samples.tolist():
            if goroutine > 0 and self.start <= time <= self.end:
                if stack not in allocates:
                    allocates[stack] = _allocates(trace.stacks.functions(stack))
                if allocates[stack]:
                    rows.append((goroutine, time))
        who, at = np.array(rows, np.int64).reshape(-1, 2).T
        row, _, _ = self.pieces(who.copy(), at.copy(), at.copy())
        return np.bincount(row, minlength=len(self.changes.names)).astype(np.int64)


def task_samples(rows: Rows, found: TaskUse) -> Samples:
    """What ran, as it is charged: a row for each task, for its marking, and for each of the
    runtime's own kinds of goroutine. They are measured and not sampled: their counts are 0.
    """
    which = [rows.number(name) for name in found.names]
    entries = list(found.system)
    roles = roles_of(entries, [""] * len(entries), packages_of(entries)).tolist()
    none, user = int(Role.NONE), int(Role.USER)
    table = [
        *zip(which, cycle([user]), cycle([user]), (found.running - found.assisted).tolist()),
        *zip(which, cycle([user | Role.ASSIST]), cycle([none]), found.assisted.tolist()),
        *zip(cycle([NOBODY]), roles, roles, found.system.values()),
    ]
    payer, role, leaf, values = np.array(table, np.int64).reshape(-1, 4).T
    return Samples(
        payer.astype(np.int32),
        role.astype(np.int32),
        leaf.astype(np.int32),
        values.copy(),
        np.zeros(len(table), np.int64),
    )


def task_waits(rows: Rows, found: TaskUse) -> dict[str, tuple[Int32s, Int64s]]:
    """For each kind of waiting rows and nanoseconds; the runtime's own goroutines are NOBODY."""
    which = np.array([*(rows.number(name) for name in found.names), NOBODY], np.int32)
    return {
        kind: (which, np.append(amounts, found.system_waited.get(kind, 0)))
        for kind, amounts in found.waited.items()
        if amounts.any() or found.system_waited.get(kind)
    }


def _allocates(functions: Sequence[str]) -> bool:
    roles = roles_of(functions, [""] * len(functions), packages_of(list(functions)))
    return bool((roles & Role.ALLOCATION).any())
