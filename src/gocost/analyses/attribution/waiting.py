"""Waiting by who waits: for a P, a lock, a channel, the network, a system call.

Of a trace, the time of every interval, up to its end, by the stack that began to wait (for
runnable: that was to go on). Of block profiles what was waited for locks and channels, of mutex
profiles what others waited for whoever unlocked: the two blame different sides, so that they are
columns of their own and not added up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gocost.analyses.attribution.roles import Role, is_runtime, roles_of
from gocost.analyses.attribution.stacks import NOBODY, Functions, Stacks, summed
from gocost.analyses.profile.groups import packages_of
from gocost.analyses.trace.account import STATES, Joined
from gocost.analyses.trace.waiting import reason_of
from gocost.formats.pprof.profile import Bools, Int32s, Int64s

KINDS: Final = ("scheduler", "lock", "channel", "network", "syscall", "sleep", "other")
"""Of a trace's waiting, in the order of the columns."""
BLOCKED: Final = "blocked"
HELD: Final = "held"

_WAYS: Final = re.compile(
    r"sync|sync/\w+|internal/.*|time|syscall|net|os|io|bufio|crypto/tls|context"
    r"|golang\.org/x/sync/.*|golang\.org/x/sys/unix|vendor/.*"
)
"""Packages whose functions wait for whoever called them."""
_KIND: Final = {
    "network": "network",
    "sync": "lock",
    "sync.(*Cond).Wait": "lock",
    "chan send": "channel",
    "chan receive": "channel",
    "select": "channel",
    "sleep": "sleep",
}
"""By the reasons of the runtime's traceBlockReasonStrings; the others are its own affairs."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nanoseconds by row for each column."""

    columns: Mapping[str, Int64s]
    nobody: Mapping[str, int]
    """What belongs to no row: stacks of the runtime alone, or none."""

    def total(self, column: str) -> int:
        """What a column adds up to."""
        return int(self.columns[column].sum()) + self.nobody.get(column, 0)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Waiting of a trace: a row a stack and kind of waiting."""

    stacks: Stacks
    kind: Int32s
    """A place in KINDS."""
    total: Int64s
    """Nanoseconds."""


def intervals(trace: Joined) -> Intervals:
    """What a trace's goroutines waited, by stack; running is no waiting."""
    texts = trace.stacks.texts
    numbers: dict[tuple[int, int], int] = {}
    frames: list[int] = []
    ends: list[int] = []
    kinds: list[int] = []
    totals: list[int] = []
    for (state, stack, reason), (_, total, _) in trace.every_wait():
        if not total:
            continue
        function, file, _ = trace.stacks.frames[stack]
        pairs = zip(function.tolist(), file.tolist(), strict=True)
        frames += [numbers.setdefault(pair, len(numbers)) for pair in pairs]
        ends.append(len(frames))
        kinds.append(
            KINDS.index(kind_of(STATES[state], reason_of(trace.stacks, state, stack, reason)))
        )
        totals.append(total)
    names = [texts[function] for function, _ in numbers]
    files = [texts[file] for _, file in numbers]
    packages = packages_of(names)
    functions = Functions(names, files, packages, roles_of(names, files, packages))
    stacks = Stacks(functions, np.array(frames, np.int32), np.array(ends, np.int64))
    return Intervals(stacks, np.array(kinds, np.int32), np.array(totals, np.int64))


def by_kind(charged: Int32s, found: Intervals) -> dict[str, tuple[Int32s, Int64s]]:
    """For each kind of waiting the row and the nanoseconds of each stack, by all stacks' rows."""
    return {
        kind: (charged[found.kind == number], found.total[found.kind == number])
        for number, kind in enumerate(KINDS)
        if (found.kind == number).any()
    }


def waiting(parts: Mapping[str, tuple[Int32s, Int64s]], size: int) -> Waiting:
    """Sums by row of each column's (row, nanoseconds)."""
    return Waiting(
        {name: summed(row, amount, size) for name, (row, amount) in parts.items()},
        {name: int(amount[row == NOBODY].sum()) for name, (row, amount) in parts.items()},
    )


def ways(functions: Functions) -> Bools:
    """Which functions only stand between whoever waits and what is waited for."""
    known = {package: _is_way(package) for package in dict.fromkeys(functions.packages)}
    found = np.array([known[package] for package in functions.packages], np.bool_)
    found |= functions.roles & Role.USER == 0
    return found


def _is_way(package: str) -> bool:
    return is_runtime(package) or _WAYS.fullmatch(package) is not None


def kind_of(state: str, reason: str) -> str:
    """One of KINDS, of a state of STATES other than running and the runtime's reason."""
    if state == "runnable":
        return "scheduler"
    return "syscall" if state == "syscall" else _KIND.get(reason, "other")
