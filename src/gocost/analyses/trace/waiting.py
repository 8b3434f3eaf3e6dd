"""A trace's waits by stack, state and reason.

Sums are exact: intervals that reach beyond the window are cut at it. Without a window an interval
that is open at the end of the trace is in the sums of its goroutine but in no wait, as nobody saw
it end; with one it is a wait up to the window's end.
"""

from __future__ import annotations

from dataclasses import dataclass

from gocost.analyses.goroutines.names import waits_in
from gocost.analyses.trace.account import STATES, Joined


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a stack."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Intervals in which goroutines did not run, at one place for one reason."""

    state: str
    """runnable (scheduler latency), syscall or waiting."""
    reason: str
    """What the runtime says it waited for; of runnable, what it waited for before; may be empty."""
    stack: tuple[Frame, ...]
    """Leaf first; empty where the trace does not say it."""
    count: int
    total_ns: int
    longest_ns: int


def waits(trace: Joined) -> list[Wait]:
    """A row a state, reason and stack, the longest total first."""
    stacks = trace.stacks
    rows = sorted(trace.waits.rows.items(), key=lambda item: (-item[1][1], item[0]))
    return [
        Wait(STATES[state], stacks.texts[reason], frames_of(trace, stack), *row)
        for (state, stack, reason), row in rows
        if row[0]
    ]


def frames_of(trace: Joined, stack: int) -> tuple[Frame, ...]:
    """The frames of a stack, leaf first."""
    texts = trace.stacks.texts
    return tuple(
        Frame(texts[function], texts[file], line)
        for function, file, line in trace.stacks.frames[stack].T.tolist()
    )


def place_of(functions: list[str]) -> str:
    """The innermost function of a stack, leaf first, that is not only a way of waiting."""
    return waits_in(functions) or "(no stack)"
