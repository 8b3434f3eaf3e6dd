"""A trace's intervals one after the other, for questions that sums cannot answer.

A kernel hands out what took a time as it ends, in rows of one generation; here rows get what the
generation before knows (since when, why and where a state was entered), and stacks the numbers that
hold for the whole trace. Consumers take them chunk by chunk, so that memory stays bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gocost.analyses.trace.account import Int64s, Local, Stacks
from gocost.analyses.trace.joining import Joiner
from gocost.formats.exectrace.tables import Tables
from gocost.kernels import trace_fields as fields

RUNNABLE, RUNNING, SYSCALL, WAITING = (
    fields.RUNNABLE, fields.RUNNING, fields.SYSCALL, fields.WAITING,
)  # fmt: skip
ASSIST, CREATED, ENDED, SWEEP = fields.R_ASSIST, fields.R_CREATED, fields.R_ENDED, fields.R_SWEEP
PROC_RUNNING, PROC_IDLE, PROC_SYSCALL = (
    fields.R_PROC + fields.P_RUNNING,
    fields.R_PROC + fields.P_IDLE,
    fields.R_PROC + fields.P_SYSCALL,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Intervals, a place in every column each, in the order in which their threads ended them.

    `start` is `end` where it is not known. Times in nanoseconds of the trace.
    """

    kind: Int64s
    """A state of a goroutine (RUNNABLE to WAITING), ASSIST, CREATED, ENDED, a state of a P
    (PROC_RUNNING to PROC_SYSCALL) or SWEEP."""
    who: Int64s
    """The goroutine's id; of a P's state its number."""
    start: Int64s
    end: Int64s
    stack: Int64s
    """Where it entered the state; of CREATED where it was created."""
    reason: Int64s
    """A text of the stacks."""
    proc: Int64s
    """The P it happened on; -1 for none."""
    thread: Int64s
    entry: Int64s
    """A text: the function that the goroutine starts in, as far as it is known."""
    gc_from: Int64s
    """Of RUNNING and ASSIST: from when on the goroutine both ran and assisted; -1 for never."""

    def of(self, *kinds: int) -> Chunk:
        """Those of these kinds."""
        return self.where(np.isin(self.kind, kinds))

    def where(self, rows: np.typing.NDArray[np.bool_]) -> Chunk:
        """Those of a mask."""
        return Chunk(*(getattr(self, name)[rows] for name in self.__slots__))


class Consumer(Protocol):
    """Takes the intervals of a trace, chunk by chunk."""

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        """The next ones."""


class Follower:
    """Makes chunks of what generations record; one generation after the other."""

    def __init__(self, joiner: Joiner, consumers: tuple[Consumer, ...]) -> None:
        self._joiner = joiner
        self._consumers = consumers
        self._local: Local | None = None
        self._tables: Tables | None = None

    def record(self, rows: Int64s, tables: Tables) -> None:
        """Rows of the generation that is being carried out; the ones before it were joined."""
        if self._tables is not tables or self._local is None:
            self._tables, self._local = tables, Local(tables, self._joiner.stacks)
        self._hand_on(self._chunk(rows, self._local))

    def finish(self) -> None:
        """What is still open when the last generation was joined, up to the trace's end."""
        for columns in self._joiner.open_intervals():
            self._hand_on(Chunk(*columns))

    def _hand_on(self, chunk: Chunk) -> None:
        if len(chunk.kind):
            for consumer in self._consumers:
                consumer.take(chunk, self._joiner.stacks)

    def _chunk(self, rows: Int64s, local: Local) -> Chunk:
        kind, who = rows[:, fields.R_KIND], rows[:, fields.R_WHO].copy()
        start, end = rows[:, fields.R_START].copy(), rows[:, fields.R_END].copy()
        place = np.where(np.isin(kind, (RUNNING, ASSIST)), 0, rows[:, fields.R_PLACE])
        created = kind == CREATED
        of = np.where(kind > ENDED, 0, np.abs(rows[:, fields.R_OF]))
        starts = np.where(created, place, of)
        stack = local.stacks(np.where(created, of, place & fields.REASON))
        reason = local.reasons[np.where(created, 0, place >> 32)]
        entry = self._joiner.entries(local.stacks(starts))
        known = self._joiner.before(who, kind)
        late = (start < 0) & (kind <= WAITING)
        stack[late], reason[late] = known.stack[late], known.reason[late]
        late |= start < 0
        since = np.where(kind <= WAITING, known.since, known.other)
        start[late] = np.where(since[late] >= 0, since[late], end[late])
        named = (kind <= ENDED) & (known.entry != 0)
        entry[named] = known.entry[named]
        # A running goroutine says since when it assists, an assist since when its goroutine runs.
        running, assist = kind == RUNNING, kind == ASSIST
        other = rows[:, fields.R_PLACE]
        both = np.maximum(start, np.where(assist & (other <= 0), known.since, other))
        gc_from = np.where(assist | running & (other != fields.NOT_OPEN), both, -1)
        return Chunk(
            kind.copy(), who, start, end, stack, reason, rows[:, fields.R_PROC_ON].copy(),
            rows[:, fields.R_THREAD_ON].copy(), entry, gc_from,
        )  # fmt: skip
