"""Profiles of a trace: what goroutines waited for, by stack, and CPU samples.

Reasons are chosen as `go tool trace -pprof` chooses them (`cmd/trace/pprof.go` in the Go source):
net is the reason `network`; sync is every reason with `chan`, `sync` or `select` in it; syscall and
sched are all of those states. Like there, intervals count that ended in the trace and had their
reason said by it; of a window, which that does not have, all of `trace waits`. A wait has the
stack that waited. For sched go tool trace shows the stack of whoever made a goroutine runnable;
here it is the stack in which the goroutine had stopped, or that it was created to run: its own; and
go tool trace leaves out the time from a goroutine's creation until it first runs.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Final

import numpy as np

from gocost.analyses.flame import cut, flame_table, grown
from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.clock import time_of
from gocost.analyses.trace.waiting import Wait, frames_of, place_of, waits
from gocost.formats.pprof.building import NamedFrame, built
from gocost.formats.pprof.profile import Header, Profile, ValueType
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

KINDS: Final = ("net", "sync", "syscall", "sched", "cpu")
_SYNC: Final = ("chan", "sync", "select")
_TITLES: Final = {
    "net": "Waits for the network",
    "sync": "Waits for channels, locks and select",
    "syscall": "System calls",
    "sched": "Waits for a P",
    "cpu": "CPU samples",
}


def chosen(trace: Joined, kind: str) -> list[Wait]:
    """The waits of a kind other than cpu, the longest total first."""
    return [wait for wait in waits(trace) if _is(wait, kind)]


def _is(wait: Wait, kind: str) -> bool:
    if kind == "net":
        return wait.state == "waiting" and wait.reason == "network"
    if kind == "sync":
        return wait.state == "waiting" and any(word in wait.reason for word in _SYNC)
    return wait.state == {"syscall": "syscall", "sched": "runnable"}[kind]


def samples(trace: Joined) -> list[tuple[int, int, int]]:
    """CPU samples: (stack, goroutine or -1, how many), the most first."""
    counts = Counter(map(tuple, trace.samples[:, [4, 3]].tolist()))
    found = [(stack, goroutine, count) for (stack, goroutine), count in counts.items()]
    return sorted(found, key=lambda row: (-row[2], row[:2]))


def profile(trace: Joined, kind: str) -> Profile:
    """The profile of a kind, as pprof takes it: contentions and delay; of cpu, samples."""
    time = time_of(trace)
    start, took = time.wall_start_ns or 0, trace.end - trace.start
    if kind == "cpu":
        found = samples(trace)
        return built(
            Header((ValueType("samples", "count"),), time_ns=start, duration_ns=took),
            [_named(trace, stack) for stack, _, _ in found],
            [(count,) for _, _, count in found],
            ("goroutine", [goroutine for _, goroutine, _ in found]),
        )
    amounts: dict[tuple[NamedFrame, ...], list[int]] = {}
    for wait in chosen(trace, kind):
        stack = tuple((frame.function, frame.file, frame.line) for frame in wait.stack)
        row = amounts.setdefault(stack, [0, 0])
        row[0] += wait.count
        row[1] += wait.total_ns
    types = (ValueType("contentions", "count"), ValueType("delay", "nanoseconds"))
    period = ValueType("trace", "count")
    return built(
        Header(types, period_type=period, period=1, time_ns=start, duration_ns=took),
        list(amounts),
        list(amounts.values()),
    )


def _named(trace: Joined, stack: int) -> list[NamedFrame]:
    return [(frame.function, frame.file, frame.line) for frame in frames_of(trace, stack)]


def profile_table(trace: Joined, kind: str) -> Table:
    """The same as a table: a row a stack and reason; of cpu, a row a stack and goroutine."""
    if kind == "cpu":
        return _sample_table(trace)
    rows: list[list[Cell]] = [
        [
            place_of([frame.function for frame in wait.stack]),
            wait.reason,
            wait.count,
            wait.total_ns,
            wait.total_ns // wait.count,
            wait.longest_ns,
            ";".join(frame.function for frame in wait.stack),
        ]
        for wait in chosen(trace, kind)
    ]
    return Table(
        title=_TITLES[kind],
        columns=(
            Column("place", Unit.TEXT, "the innermost function that is not only a way of waiting"),
            Column("reason", Unit.TEXT, "what the runtime says; of runnable, what was before it"),
            Column("count", Unit.COUNT, "intervals", additive=True),
            Column("total", Unit.NANOSECONDS, "of all intervals", additive=True),
            Column("mean", Unit.NANOSECONDS, "of an interval"),
            Column("longest", Unit.NANOSECONDS, "interval"),
            Column("stack", Unit.TEXT, "functions from the leaf to the root, joined by ;"),
        ),
        rows=rows,
    )


def profile_flame(trace: Joined, kind: str) -> Table:
    """The same as a tree of frames, which a page draws; of no calls where it has none."""
    cpu = kind == "cpu"
    own: list[int]
    stacks: list[list[str]]
    if cpu:
        found = samples(trace)
        own = [count for _, _, count in found]
        stacks = [trace.stacks.functions(stack) for stack, _, _ in found]
    else:
        waited = chosen(trace, kind)
        own = [wait.total_ns for wait in waited]
        stacks = [[frame.function for frame in wait.stack] for wait in waited]
    names: dict[str, int] = {}
    frames = [names.setdefault(name, len(names)) for name in chain.from_iterable(stacks)]
    ends = np.cumsum([len(stack) for stack in stacks], dtype=np.int64)
    tree = grown(list(names), np.array(frames, np.int64), ends, np.array(own, np.int64))
    return flame_table(
        cut(tree)[0],
        title=f"{_TITLES[kind]} by stack",
        level="function" if cpu else "place",
        unit=Unit.COUNT if cpu else Unit.NANOSECONDS,
        told="samples" if cpu else "time of all intervals",
    )


def _sample_table(trace: Joined) -> Table:
    total = max(len(trace.samples), 1)
    rows: list[list[Cell]] = []
    for stack, goroutine, count in samples(trace):
        functions = trace.stacks.functions(stack)
        rows.append(
            [
                functions[0] if functions else "(no stack)",
                goroutine if goroutine >= 0 else None,
                count,
                count / total,
                functions[-1] if functions else "",
                ";".join(functions),
            ]
        )
    return Table(
        title=_TITLES["cpu"],
        columns=(
            Column("function", Unit.TEXT, "the one that ran"),
            Column("goroutine", Unit.NUMBER, "its id; none where a thread ran no goroutine"),
            Column("samples", Unit.COUNT, "how often it was seen running", additive=True),
            Column("share", Unit.RATIO, "of all samples of the trace", additive=True),
            Column("entry", Unit.TEXT, "the outermost function"),
            Column("stack", Unit.TEXT, "functions from the leaf to the root, joined by ;"),
        ),
        rows=rows,
    )
