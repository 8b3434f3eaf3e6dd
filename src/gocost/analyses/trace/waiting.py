"""A trace's waits by stack, state and reason.

Sums are exact: intervals that reach beyond the window are cut at it. A goroutine that waited when
the trace began waits since its first status, for what its stack shows: the trace does not say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gocost.analyses.goroutines.names import blocked_in, waits_in
from gocost.analyses.trace.account import STATES, Amounts, Joined, Stacks


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
    """What it waited for; of runnable, what it waited for before; may be empty."""
    stack: tuple[Frame, ...]
    """Leaf first; empty where the trace does not say it."""
    count: int
    total_ns: int
    longest_ns: int


def waits(trace: Joined) -> list[Wait]:
    """A row a state, reason and stack, the longest total first: of what ended and what the runtime
    says of it, as go tool trace has it; of a window, which that has not, of all.
    """
    stacks = trace.stacks

    def said(state: int, stack: int, reason: int) -> str:
        return reason_of(stacks, state, stack, reason) if trace.clipped else stacks.texts[reason]

    found = Amounts()
    for key, row in trace.every_wait() if trace.clipped else trace.waits.rows.items():
        found.add(key, *row)
    rows = sorted(found.rows.items(), key=lambda item: (-item[1][1], item[0]))
    return [
        Wait(STATES[state], said(state, stack, reason), frames_of(trace, stack), *row)
        for (state, stack, reason), row in rows
        if row[0]
    ]


def reason_of(stacks: Stacks, state: int, stack: int, reason: int) -> str:
    """What a wait is for: what the runtime says, or of one that began before the trace what its
    stack shows, in the runtime's words; empty where neither does. `state` is a place in STATES.
    """
    if reason or not stack or STATES[state] != "waiting":
        return stacks.texts[reason]
    seen = blocked_in(stacks.functions(stack))
    return _SAID.get(seen, "sync" if seen.startswith("sync.") else seen)


_SAID: Final = {
    "IO wait": "network",
    "select (no cases)": "forever",
    "semacquire": "sync",
    "sync.Cond.Wait": "sync.(*Cond).Wait",
}
"""A dump's words that a trace has otherwise (traceBlockReasonStrings in Go's runtime)."""


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
