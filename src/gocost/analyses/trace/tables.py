"""A trace's account as tables and facts. Times are whole nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from gocost.analyses.trace.account import STATES, Group, Joined
from gocost.analyses.trace.durations import bounded_quantile, exact_sum, is_known, quantile
from gocost.analyses.trace.marks import allowed_ns
from gocost.analyses.trace.spans import Spans, collections, regions, stops, tasks
from gocost.analyses.trace.waiting import place_of, reason_of
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table
from gocost.model.subject import Subject

Row = Sequence[Cell]

_RUNNABLE, _RUNNING, _SYSCALL, _WAITING = range(4)
_ORDER: Final = (_RUNNING, _RUNNABLE, _WAITING, _SYSCALL)
_MEANING: Final = {
    _RUNNING: "on a P",
    _RUNNABLE: "ready to run, without a P",
    _WAITING: "blocked, on whatever it was",
    _SYSCALL: "in a system call",
}
_NS: Final = Unit.NANOSECONDS


def _states(*, additive: bool = True) -> tuple[Column, ...]:
    return tuple(Column(STATES[state], _NS, _MEANING[state], additive=additive) for state in _ORDER)


def group_table(trace: Joined) -> Table:
    """Goroutines by the function that they start in, those first that ran longest."""
    rows: list[Row] = [
        (
            entry,
            group.count,
            *(group.sums[state] for state in _ORDER),
            group.assisted,
            group.starts,
        )
        for entry, group in sorted(trace.groups.items(), key=_by_running)
    ]
    return Table(
        title="Goroutines by where they start",
        columns=(
            Column("entry", Unit.TEXT, "the function that they start in"),
            Column("count", Unit.COUNT, "how many of them there were", additive=True),
            *_states(),
            Column(
                "assist",
                _NS,
                "in assists of the collector",
                additive=True,
            ),
            Column("starts", Unit.COUNT, "how often they were put on a P", additive=True),
        ),
        rows=rows,
    )


def _by_running(item: tuple[str, Group]) -> tuple[int, str]:
    entry, group = item
    return -group.sums[_RUNNING], entry


def goroutine_table(trace: Joined, most: int | None = None) -> Table:
    """Single goroutines, those first that ran longest; `most` of them, or all."""
    order = np.lexsort((trace.goroutines[:, 0], -trace.goroutines[:, 2 + _RUNNING]))
    rows: list[Row] = [
        (
            row[0],
            trace.stacks.texts[row[1]],
            *(row[2 + state] for state in _ORDER),
            row[6],
            row[7],
            bool(row[8]),
        )
        for row in trace.goroutines[order[:most]].tolist()
    ]
    return Table(
        title="Goroutines",
        columns=(
            Column("goroutine", Unit.NUMBER, "its id"),
            Column("entry", Unit.TEXT, "the function that it starts in"),
            *_states(),
            Column("starts", Unit.COUNT, "how often it was put on a P"),
            Column("assist", _NS, "in assists of the collector"),
            Column("ended", Unit.BOOLEAN, "it ended while the trace was recorded"),
        ),
        rows=rows,
    )


def proc_table(trace: Joined) -> Table:
    """What each P did."""
    length = max(trace.end - trace.start, 1)
    rows: list[Row] = [
        (proc, running, idle, syscall, swept, (running + syscall) / length)
        for proc, (running, idle, syscall, swept) in trace.procs.items()
    ]
    return Table(
        title="Ps",
        columns=(
            Column("proc", Unit.NUMBER, "its number"),
            Column("running", _NS, "it ran a goroutine or looked for one", additive=True),
            Column("idle", _NS, "no thread had it", additive=True),
            Column("syscall", _NS, "its goroutine was in a system call", additive=True),
            Column("sweep", _NS, "of running: sweeping", additive=True),
            Column("busy", Unit.RATIO, "running and syscall, of the trace's length"),
        ),
        rows=rows,
    )


def wait_table(trace: Joined) -> Table:
    """What goroutines waited for, by state and reason; running is no waiting."""
    rows: list[Row] = [
        (state, reason, *_amounts(row))
        for (state, reason), row in _by_total(waits_by_reason(trace))
    ]
    return Table(
        title="Waits",
        columns=(
            Column("state", Unit.TEXT, "runnable, waiting or syscall"),
            Column("reason", Unit.TEXT, "what it waited for; unknown if the trace does not say"),
            *_AMOUNTS,
        ),
        rows=rows,
    )


def place_table(trace: Joined) -> Table:
    """Where in the code goroutines waited."""
    rows: list[Row] = [
        (STATES[state], _place(trace, stack), *_amounts(row), _path(trace, stack))
        for (state, stack), row in _by_total(waits_by_place(trace))
    ]
    return Table(
        title="Waits by place",
        columns=(
            Column("state", Unit.TEXT, "runnable, waiting or syscall"),
            Column("place", Unit.TEXT, "the innermost function that is not only a way of waiting"),
            *_AMOUNTS,
            Column("stack", Unit.TEXT, "functions from the leaf to the root, joined by ;"),
        ),
        rows=rows,
    )


_AMOUNTS: Final = (
    Column("count", Unit.COUNT, "intervals", additive=True),
    Column("total", _NS, "of all intervals", additive=True),
    Column("mean", _NS, "of an interval"),
    Column("longest", _NS, "interval"),
)


def _amounts(row: list[int]) -> tuple[int, int, int, int]:
    count, total, most = row
    return count, total, total // count if count else 0, most


_Key = TypeVar("_Key", tuple[str, str], tuple[int, int])


def _by_total(rows: Mapping[_Key, list[int]]) -> list[tuple[_Key, list[int]]]:
    return sorted(
        ((key, row) for key, row in rows.items() if row[0] or row[1]),
        key=lambda item: (-item[1][1], item[0]),
    )


def waits_by_reason(trace: Joined) -> dict[tuple[str, str], list[int]]:
    """Count, total and longest of waits by state and reason, which is always said."""
    stacks = trace.stacks
    return _gathered(
        ((STATES[state], reason_of(stacks, state, stack, reason) or _unsaid(state)), row)
        for (state, stack, reason), row in trace.every_wait()
    )


def waits_by_place(trace: Joined) -> dict[tuple[int, int], list[int]]:
    """The same by place in STATES and stack."""
    return _gathered(((state, stack), row) for (state, stack, _), row in trace.every_wait())


def _gathered(found: Iterable[tuple[_Key, list[int]]]) -> dict[_Key, list[int]]:
    gathered: dict[_Key, list[int]] = {}
    for key, (count, total, most) in found:
        row = gathered.setdefault(key, [0, 0, 0])
        row[0] += count
        row[1] += total
        row[2] = max(row[2], most)
    return gathered


def _unsaid(state: int) -> str:
    """What a wait is for where nothing says it."""
    return {_RUNNABLE: "a P", _SYSCALL: "system call"}.get(state, "unknown")


def _place(trace: Joined, stack: int) -> str:
    return place_of(trace.stacks.functions(stack))


def _path(trace: Joined, stack: int) -> str:
    return ";".join(trace.stacks.functions(stack))


def gc_table(trace: Joined) -> Table:
    """The garbage collections, in their order."""
    rows: list[Row] = [
        (number, span.start - trace.start, span.took, span.whole)
        for number, span in enumerate(collections(trace), 1)
    ]
    return Table(
        title="Garbage collections",
        columns=(
            Column("cycle", Unit.NUMBER, "in the trace, from 1"),
            Column("start", _NS, "since the trace began"),
            Column("duration", _NS, "from the start of marking to its end", additive=True),
            Column("whole", Unit.BOOLEAN, "it began and ended within the trace"),
        ),
        rows=rows,
    )


def span_table(title: str, name: str, found: Spans) -> Table:
    """Spans by their name: how many, how long in all, at the middle, and at most."""
    rows: list[tuple[str, int, int, int, int | None, int | None, int | None]] = []
    for label, some in found.by_name():
        took = some.end - some.start
        whole = np.sort(took[some.whole])
        rows.append(
            (
                label,
                len(some),
                len(some) - len(whole),
                exact_sum(took),
                quantile(whole, 50),
                quantile(whole, 99),
                int(whole[-1]) if len(whole) else None,
            )
        )
    rows.sort(key=lambda row: (-row[3], row[0]))
    return Table(
        title=title,
        columns=(
            Column(name, Unit.TEXT, "as the program or the runtime names it"),
            Column("count", Unit.COUNT, "how many of them there were", additive=True),
            Column("cut", Unit.COUNT, "of those, by an end of the trace", additive=True),
            Column("total", _NS, "of all of them, as far as the trace goes", additive=True),
            Column("p50", _NS, "half of those that were not cut took at most this"),
            Column("p99", _NS, "99 of 100 of them did; none for fewer than 100"),
            Column("longest", _NS, "of those that were not cut"),
        ),
        rows=rows,
    )


def tables(trace: Joined, most: int | None = None) -> dict[str, Table]:
    """All of them, with `most` goroutines; those without rows are left out."""
    makers: dict[str, Callable[[], Table]] = {
        "goroutine_groups": lambda: group_table(trace),
        "goroutines": lambda: goroutine_table(trace, most),
        "procs": lambda: proc_table(trace),
        "waits": lambda: wait_table(trace),
        "wait_places": lambda: place_table(trace),
        "gc": lambda: gc_table(trace),
        "stw": lambda: span_table("Stops of the world", "kind", stops(trace)),
        "tasks": lambda: span_table("Tasks", "task", tasks(trace)),
        "regions": lambda: span_table("Regions", "region", regions(trace)),
    }
    made = {name: make() for name, make in makers.items()}
    return {name: table for name, table in made.items() if table.rows}


def facts(trace: Joined, subject: Subject, origin: str) -> list[Fact]:
    """Scheduler latency and utilisation, pauses, goroutines created."""
    found = [
        Fact("scheduler.goroutines.created", trace.created, Unit.COUNT, subject, origin=origin)
    ]
    busy = sum(running + syscall for running, _, syscall, _ in trace.procs.values())
    room = allowed_ns(trace)
    if room > 0:
        share = busy / room
        found.append(Fact("scheduler.utilisation", share, Unit.RATIO, subject, origin=origin))
    counts = trace.latencies.tolist()
    total = sum(counts)
    if total:
        seen = trace.every_wait() if trace.clipped else trace.waits.rows.items()  # as the counts
        longest = max((row[2] for (state, *_), row in seen if state == _RUNNABLE), default=0)
        for percent in (50, 99):
            if is_known(total, percent):
                found.append(_latency(percent, counts, longest, subject, origin))
        found.append(
            Fact("scheduler.latency.max", longest / 1e9, Unit.SECONDS, subject, origin=origin,
                 n=total)
        )  # fmt: skip
        found.append(Fact("scheduler.latency.count", total, Unit.COUNT, subject, origin=origin))
    found += _pauses(stops(trace), subject, origin)
    return found


def _latency(
    percent: int, counts: Sequence[int], longest: int, subject: Subject, origin: str
) -> Fact:
    """No bucket's end is beyond the longest of them."""
    found = bounded_quantile(counts, percent)
    likely = () if found.likely is None else found.likely
    low, high = [min(each, longest) / 1e9 for each in likely] or (None, None)
    return Fact(
        f"scheduler.latency.p{percent}", min(found.high, longest) / 1e9, Unit.SECONDS, subject,
        origin=origin, n=sum(counts), low=low, high=high,
    )  # fmt: skip


def _pauses(found: Spans, subject: Subject, origin: str) -> list[Fact]:
    """How long the collector stopped the world: its two stops a cycle."""
    some = [each.end - each.start for name, each in found.by_name() if name.startswith("GC ")]
    if not some:
        return []
    times = np.sort(np.concatenate(some))
    count = len(times)
    values = {"p50": quantile(times, 50), "p99": quantile(times, 99), "max": int(times[-1])}
    made = [
        Fact(f"gc.pause.{name}", value / 1e9, Unit.SECONDS, subject, origin=origin, n=count)
        for name, value in values.items()
        if value is not None
    ]
    return [*made, Fact("gc.pause.count", count, Unit.COUNT, subject, origin=origin)]
