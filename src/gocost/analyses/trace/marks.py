"""The few events of a trace that are looked at one by one: collections, stops, tasks, regions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gocost.analyses.trace.account import Joined, Local

STW_BEGIN, STW_END, GC_ACTIVE, GC_BEGIN, GC_END = 26, 27, 28, 29, 30
PROCS, HEAP_GOAL, LABEL = 9, 38, 39
TASK_BEGIN, TASK_END, REGION_BEGIN, REGION_END, LOG = 40, 41, 42, 43, 44
_TEXT: Final = {STW_BEGIN: 0, LABEL: 0, TASK_BEGIN: 2, REGION_BEGIN: 1, REGION_END: 1, LOG: 1}
"""Which argument is a text, by type."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One of these events."""

    time: int
    """Nanoseconds."""
    type: int
    thread: int
    goroutine: int
    proc: int
    arguments: tuple[int, ...]
    text: str
    """What the event names: the kind of a stop, the name of a task or region."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something with a beginning and an end, in nanoseconds of the trace."""

    name: str
    start: int
    end: int
    whole: bool = True
    """False where the trace began or ended within it."""

    @property
    def took(self) -> int:
        """Nanoseconds."""
        return self.end - self.start


def marks(trace: Joined, *types: int) -> Iterator[Mark]:
    """The marks of these types, by time within each generation."""
    for row, local in _rows(trace, *types):
        text = _text(trace, row, local) if row[1] in _TEXT else ""
        yield Mark(row[0], row[1], row[2], row[3], row[4], tuple(row[5:]), text)


def _rows(trace: Joined, *types: int) -> Iterator[tuple[list[int], Local]]:
    """The same as the numbers that they are: time, type, thread, goroutine, P and arguments."""
    for rows, local in trace.marks:
        chosen = rows[np.isin(rows[:, 1], types)]
        for row in chosen[chosen[:, 0].argsort(kind="stable")].tolist():
            yield row, local


def _text(trace: Joined, row: list[int], local: Local) -> str:
    """What an event of a type that has a text says."""
    number = row[5 + _TEXT[row[1]]]
    return trace.stacks.texts[int(local.texts[number])] if number < len(local.texts) else ""


def allowed_procs(trace: Joined) -> list[tuple[int, int]]:
    """GOMAXPROCS, each from when on, in order; or how many Ps are seen, where it is not said."""
    found = [(mark.time, mark.arguments[0]) for mark in marks(trace, PROCS) if mark.arguments[0]]
    return sorted(found) or [(trace.start, max(len(trace.procs), 1))]


def allowed_ns(trace: Joined, until: int | None = None) -> int:
    """The time of all Ps that GOMAXPROCS allows, from the trace's start to its end, or until then.

    Before the first word of it the same holds as after.
    """
    steps = allowed_procs(trace)
    end = trace.end if until is None else until
    begins = [trace.start, *(min(max(time, trace.start), end) for time, _ in steps[1:]), end]
    return sum(
        count * (stop - start)
        for (_, count), start, stop in zip(steps, begins[:-1], begins[1:], strict=True)
    )


def stops(trace: Joined) -> list[Span]:
    """The stops of the world: what stopped it, and for how long."""
    open_: dict[int, Mark] = {}
    found = []
    for mark in marks(trace, STW_BEGIN, STW_END):
        if mark.type == STW_BEGIN:
            open_[mark.goroutine] = mark
        elif (begin := open_.pop(mark.goroutine, None)) is not None:
            found.append(Span(begin.text, begin.time, mark.time))
    return _within(trace, found)


def collections(trace: Joined) -> list[Span]:
    """The garbage collections, from the start of marking to its end.

    The sequence numbers say which begin and end belong together, whatever the clocks of the
    threads say; one that was under way at an end of the trace is not whole.
    """
    seen: dict[int, Mark] = {}
    for mark in marks(trace, GC_ACTIVE, GC_BEGIN, GC_END):
        seen[mark.arguments[0]] = mark
    found: list[Span] = []
    begin: int | None = None
    whole = True
    for _, mark in sorted(seen.items()):
        if mark.type == GC_BEGIN:
            begin, whole = mark.time, True
        elif mark.type == GC_ACTIVE and begin is None:
            begin, whole = trace.start, False
        elif mark.type == GC_END:
            start = trace.start if begin is None else begin
            found.append(Span("mark", start, mark.time, whole and begin is not None))
            begin = None
    if begin is not None:
        found.append(Span("mark", begin, trace.end, whole=False))
    return _within(trace, found)


def tasks(trace: Joined) -> list[Span]:
    """The user's tasks that began in the trace, or were under way in a window of it."""
    open_: dict[int, tuple[str, int]] = {}
    found = []
    for row, local in _rows(trace, TASK_BEGIN, TASK_END):
        time, kind, number = row[0], row[1], row[5]
        if kind == TASK_BEGIN:
            open_[number] = _text(trace, row, local), time
        elif (begin := open_.pop(number, None)) is not None:
            found.append(Span(*begin, time))
    found += [Span(name, begin, trace.end, whole=False) for name, begin in open_.values()]
    return _within(trace, found)


def regions(trace: Joined) -> list[Span]:
    """The user's regions that began and ended in the trace; they nest within a goroutine."""
    open_: dict[int, list[tuple[str, int]]] = {}
    found = []
    for row, local in _rows(trace, REGION_BEGIN, REGION_END):
        time, kind, goroutine = row[0], row[1], row[3]
        name = _text(trace, row, local)
        stack = open_.setdefault(goroutine, [])
        if kind == REGION_BEGIN:
            stack.append((name, time))
        elif stack and stack[-1][0] == name:
            found.append(Span(*stack.pop(), time))
    return _within(trace, found)


def is_within(trace: Joined, time: int) -> bool:
    """Whether a mark is of the window that the trace was clipped to, where it was.

    The generations that a window lies in are read whole: times outside of it are at its ends.
    """
    return not trace.clipped or trace.start < time < trace.end


def _within(trace: Joined, spans: list[Span]) -> list[Span]:
    """Those of the window; what goes over an end of it is not whole."""
    if not trace.clipped:
        return spans
    return [
        replace(
            span,
            whole=span.whole and is_within(trace, span.start) and is_within(trace, span.end),
        )
        for span in spans
        if span.start < trace.end and span.end > trace.start
    ]
