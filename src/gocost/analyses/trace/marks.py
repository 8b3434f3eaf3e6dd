"""The few events of a trace that are kept one by one: of stops, collections, tasks, regions, logs
and GOMAXPROCS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gocost.analyses.trace.account import Int64s, Joined, Local

STW_BEGIN, STW_END, GC_ACTIVE, GC_BEGIN, GC_END = 26, 27, 28, 29, 30
PROCS, HEAP_GOAL, LABEL = 9, 38, 39
TASK_BEGIN, TASK_END, REGION_BEGIN, REGION_END, LOG = 40, 41, 42, 43, 44
_TEXT: Final = {STW_BEGIN: 0, LABEL: 0, TASK_BEGIN: 2, REGION_BEGIN: 1, REGION_END: 1, LOG: 1}
_ARGUMENT: Final = np.array([_TEXT.get(type_, -1) for type_ in range(LOG + 1)])
"""Which argument is a text, by type; -1 for none."""

_PIECE: Final = 1 << 12
"""Rows that are objects at one time."""


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


def marks(trace: Joined, *types: int) -> Iterator[Mark]:
    """The marks of these types, by time within each generation."""
    for rows, local in chosen(trace, *types):
        for first in range(0, len(rows), _PIECE):  # there may be millions of them
            part = rows[first : first + _PIECE]
            for row, text in zip(part.tolist(), said(part, local).tolist(), strict=True):
                time, type_, thread, goroutine, proc, *rest = row
                named = trace.stacks.texts[text]
                yield Mark(time, type_, thread, goroutine, proc, tuple(rest), named)


def chosen(trace: Joined, *types: int) -> Iterator[tuple[Int64s, Local]]:
    """The same a generation at a time, as rows: time, type, thread, goroutine, P, arguments."""
    wanted = np.zeros(1 << 8, np.bool_)  # a type is a byte
    wanted[list(types)] = True
    for rows, local in trace.marks:
        some = rows[wanted[rows[:, 1]]]
        yield some[some[:, 0].argsort(kind="stable")], local


def said(rows: Int64s, local: Local) -> Int64s:
    """The text that each of these rows names, 0 where it names none."""
    if not len(rows):
        return np.zeros(0, np.int64)
    argument = _ARGUMENT[rows[:, 1]]
    number = rows[np.arange(len(rows)), 5 + np.maximum(argument, 0)]
    named = (argument >= 0) & (number >= 0) & (number < len(local.texts))
    return np.where(named, local.texts[np.where(named, number, 0)], 0)


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


def is_within(trace: Joined, time: int) -> bool:
    """Whether a mark is of the window that the trace was clipped to, where it was.

    The generations that a window lies in are read whole: times outside of it are at its ends.
    """
    return not trace.clipped or trace.start < time < trace.end
