"""A whole trace's account: the values that every question about it is answered from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.formats.exectrace.tables import Clock, Tables

Int64s = npt.NDArray[np.int64]

STATES: Final = ("runnable", "running", "syscall", "waiting")
"""In the order of their numbers, from 1 on."""
UNKNOWN_ENTRY: Final = "(started before the trace)"
_COROUTINE: Final = "coroutine"

_TEXT: Final = 200
"""Bytes of an entry that has a text, and of one that has frames, beside what they say."""
_FRAMES: Final = 260


@dataclass(slots=True)
class Stacks:
    """Stacks of all generations by their frames; number 0 is the empty one."""

    texts: list[str] = field(default_factory=lambda: [""])
    frames: list[Int64s] = field(default_factory=lambda: [np.zeros((3, 0), np.int64)])
    """Columns function (a text), file (a text), line, leaf first."""
    held: int = 0
    """Bytes that they take, more or less."""
    _of_text: dict[str, int] = field(default_factory=lambda: {"": 0})
    _of_frames: dict[bytes, int] = field(default_factory=lambda: {b"": 0})

    def text(self, text: str) -> int:
        """The number of a text."""
        found = self._of_text.get(text)
        if found is None:
            found = self._of_text[text] = len(self.texts)
            self.texts.append(text)
            self.held += _TEXT + len(text)
        return found

    def number(self, frames: Int64s) -> int:
        """The number of a stack whose frames name texts by these numbers."""
        key = frames.tobytes()
        found = self._of_frames.get(key)
        if found is None:
            found = self._of_frames[key] = len(self.frames)
            self.frames.append(frames)
            self.held += _FRAMES + 2 * len(key)
        return found

    def root(self, stack: int) -> str:
        """The outermost function; empty for the empty stack."""
        frames = self.frames[stack]
        return self.texts[int(frames[0, -1])] if frames.shape[1] else ""

    def functions(self, stack: int) -> list[str]:
        """The functions of a stack, leaf first."""
        return [self.texts[number] for number in self.frames[stack][0].tolist()]


class Local:
    """The numbers that the ids of one generation stand for."""

    def __init__(self, tables: Tables, stacks: Stacks) -> None:
        self._tables = tables
        self._stacks = stacks
        self._known: dict[int, int] = {0: 0}
        self.reasons = np.array(
            [stacks.text(text) for text in (*tables.texts, _COROUTINE)], np.int64
        )
        """Of waits: the texts, and after them that of a coroutine, which no event says."""
        self.texts = self.reasons[:-1]

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

    rows: dict[tuple[int, ...], list[int]] = field(default_factory=dict)

    def add(self, key: tuple[int, ...], count: int, total: int, most: int) -> None:
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
    open: Int64s
    """Those that live at the end: columns id, entry (a text), creator (a stack), state (from 1 on),
    since when, why (a text; 0 where it was so before the trace) and where (a stack)."""
    procs: dict[int, list[int]]
    """By P: nanoseconds running, idle, in a syscall, sweeping."""
    waits: Amounts
    """Intervals of not running that ended, by (place in STATES, stack, reason (a text))."""
    still: Amounts
    """The same of those that are open at the end, up to it."""
    latencies: Int64s
    """How often a goroutine was runnable for a time of each bucket of the kernel's histogram."""
    marks: list[tuple[Int64s, Local]]
    heap: Int64s
    """The most bytes that it had in each piece of the time; in one piece where nothing was divided.
    """
    stacks: Stacks
    clock: Clock
    created: int
    lost: str
    """What of the trace could not be read; empty where all of it was."""
    samples: Int64s
    """CPU samples: columns time, thread, P, goroutine, stack; -1 for none."""
    clipped: bool = False
    """Only a part of the trace's time was looked at: from `start` to `end`."""

    def every_wait(self) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """Those that ended and those that are open: their totals are those of the goroutines."""
        yield from self.waits.rows.items()
        yield from self.still.rows.items()
