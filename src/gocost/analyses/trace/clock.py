"""When a trace was: in its own nanoseconds, and by the time of day, as far as it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.marks import LOG
from gocost.formats.exectrace.tables import Clock


@dataclass(frozen=True, slots=True)
class TraceTime:
    """When a trace, or a window of it, was: in its own nanoseconds, and on the wall clock."""

    start: int
    end: int
    clock: Clock
    error_ns: int | None = None
    """How far the wall clock may be off: what its snapshots differ by, and a tick."""

    @property
    def wall_start_ns(self) -> int | None:
        """Since 1970; None before format 25, which has no wall clock: use the recorded pair."""
        return self.wall(self.start)

    @property
    def wall_end_ns(self) -> int | None:
        """Since 1970; None before format 25."""
        return self.wall(self.end)

    def wall(self, time: int) -> int | None:
        """Since 1970, of a time in the trace's own nanoseconds."""
        if self.clock.wall_ns is None or self.clock.snapshot_ns is None:
            return None
        return self.clock.wall_ns + time - self.clock.snapshot_ns


CLOCK_KEY: Final = "gocost.clock"
"""`trace.Log(ctx, "gocost.clock", strconv.FormatInt(time.Now().UnixNano(), 10))`: what a program
says of the time of day, for traces that do not."""
_MOST_STAMPS: Final = 10_000


def stamps(trace: Joined) -> list[tuple[int, int]]:
    """The trace's time and the time of day, since 1970, of each log with CLOCK_KEY; nanoseconds.

    A program reads the clock before it logs: the trace's time is the later of the two.
    """
    found: list[tuple[int, int]] = []
    texts = trace.stacks.texts
    for rows, local in trace.marks:
        for row in rows[rows[:, 1] == LOG].tolist():
            key, value = (
                texts[int(local.texts[each])] if 0 <= each < len(local.texts) else ""
                for each in row[6:8]
            )
            told = key == CLOCK_KEY and value.isascii() and value.isdigit() and len(value) < 20
            if told and int(value) < 1 << 62 and len(found) < _MOST_STAMPS:
                found.append((row[0], int(value)))
    return found


def time_of(trace: Joined) -> TraceTime:
    """When what was looked at of a trace was."""
    return TraceTime(trace.start, trace.end, trace.clock)
