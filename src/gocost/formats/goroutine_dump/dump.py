"""A goroutine dump as columns, whichever form it was written in.

A row is a goroutine or, where the dump is grouped, as many as `count` says. Everything that is
many is a numpy array; stacks, creators, states and labels are numbers of `texts`, -1 where there
is none or the form does not say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

# Bits of `flags`.
ELIDED: Final = 1
"""The runtime left frames out of the middle of its stack."""
UNAVAILABLE: Final = 2
"""It was running on another thread: it has no stack."""
TOO_LONG: Final = 4
"""Frames were left out, for the stack is longer than any that the runtime prints."""
LOCKED: Final = 8
"""To its thread."""
LEAKED: Final = 16
"""So says the runtime: nothing that can still run can reach what it waits on."""
DURABLE: Final = 32
BUBBLE: Final = 64
"""Of testing/synctest."""

ELIDED_FRAME: Final = "..."
_PLACE: Final = re.compile(r"(.*):(\d{1,9})", re.DOTALL)


class Form(StrEnum):
    """How a dump was written: what its columns can hold."""

    STACKS = "debug=2"
    GROUPED = "debug=1"
    PROFILE = "debug=0"
    TRACE = "trace"
    """Of an execution trace: what lives at its end."""


class Frame(NamedTuple):
    """A line of a stack. `line` is 0 where it is not known."""

    function: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Traced:
    """What a trace says beside a dump, a row a goroutine."""

    length_ns: int
    waited_ns: Int64s
    """That it has waited, at least."""
    arrived: npt.NDArray[np.bool_]
    """It began to wait while the trace was recorded."""
    went_on: Int64s
    """How often any goroutine waited at its stack and went on."""


@dataclass(frozen=True)
class Dump:
    """What a dump says. Goroutines stand in its order."""

    form: Form
    leaks: bool
    """It is the runtime's goroutineleak profile: every goroutine in it is leaked."""
    count: Int64s
    id: Int64s
    """0 where the form has none."""
    parent: Int64s
    """The goroutine that created it; 0 where that is not said (before Go 1.21)."""
    minutes: Int32s
    """That it has waited, since the first collection that saw it; 0 below one minute; -1 where
    the form does not say."""
    flags: Int32s
    state: Int32s
    stack: Int32s
    creator: Int32s
    labels: Int32s
    ancestors: Int32s
    texts: Sequence[str]
    lost: str = ""
    """What of the dump is not here, as it was cut off; empty where it is whole."""
    size: int = 0
    """Bytes it was written in."""
    traced: Traced | None = None
    """What only a trace says."""

    @cached_property
    def total(self) -> int:
        """How many goroutines it has."""
        return int(self.count.sum())

    def text(self, number: int) -> str:
        """A text, or an empty one for -1."""
        return self.texts[number] if number >= 0 else ""

    def frames(self, number: int) -> tuple[Frame, ...]:
        """The frames of a stack or creator, innermost first."""
        return frames(self.text(number))


def frames(text: str) -> tuple[Frame, ...]:
    """The frames of a stack as it stands in `Dump.texts`: `function\\nfile:line\\n` each."""
    lines = text.split("\n")
    return tuple(_frame(lines[i], lines[i + 1]) for i in range(0, len(lines) - 1, 2))


def _frame(function: str, place: str) -> Frame:
    found = _PLACE.fullmatch(place)
    return Frame(function, found[1], int(found[2])) if found else Frame(function, place, 0)


def column(rows: int, value: int, kind: Any = np.int32) -> npt.NDArray[Any]:
    """A column that says the same of all rows."""
    return np.full(rows, value, kind)
