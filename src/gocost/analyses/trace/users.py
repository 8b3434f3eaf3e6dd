"""What a program says of itself with runtime/trace: tasks, regions and logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.durations import quantile
from gocost.analyses.trace.marks import LOG, REGION_BEGIN, TASK_BEGIN, is_within, marks
from gocost.analyses.trace.spans import Spans, regions, tasks
from gocost.model.quantity import Unit
from gocost.model.report import Cell, Column, Table

Key = tuple[str, str]
"""`task` or `region`, and the name."""


@dataclass(slots=True)
class _Task:
    count: int = 0
    regions: int = 0
    logs: int = 0
    goroutines: set[int] = field(default_factory=set)


def tables(trace: Joined) -> dict[str, Table]:
    """`users`, `latencies` and `latency_buckets`."""
    took = {
        **{("task", name): found for name, found in _durations(tasks(trace)).items()},
        **{("region", name): found for name, found in _durations(regions(trace)).items()},
    }
    return {
        "users": _users(trace),
        "latencies": _latencies(took),
        "latency_buckets": _buckets(took),
    }


def _durations(spans: Spans) -> dict[str, list[int]]:
    """Of those that began and ended in the trace, by name, ascending."""
    whole = {name: some.end[some.whole] - some.start[some.whole] for name, some in spans.by_name()}
    return {name: np.sort(took).tolist() for name, took in whole.items() if len(took)}


def _users(trace: Joined) -> Table:
    """By task: what it holds. What belongs to no task is under an empty name."""
    names: dict[int, str] = {}
    found: dict[str, _Task] = {}
    keys: dict[tuple[str, str], int] = {}
    for mark in marks(trace, TASK_BEGIN, REGION_BEGIN, LOG):
        if mark.type == TASK_BEGIN:
            names[mark.arguments[0]] = mark.text
        if not is_within(trace, mark.time):
            continue
        task = found.setdefault(names.get(mark.arguments[0], ""), _Task())
        task.goroutines.add(mark.goroutine)
        task.count += mark.type == TASK_BEGIN
        task.regions += mark.type == REGION_BEGIN
        if mark.type == LOG:
            task.logs += 1
            key = names.get(mark.arguments[0], ""), mark.text
            keys[key] = keys.get(key, 0) + 1
    rows: list[Sequence[Cell]] = [
        (
            name or "(no task)",
            task.count,
            task.regions,
            task.logs,
            len(task.goroutines),
            ", ".join(sorted(key for of, key in keys if of == name)[:8]),
        )
        for name, task in sorted(found.items(), key=lambda item: (-item[1].count, item[0]))
    ]
    return Table(
        title="Tasks and what is in them",
        columns=(
            Column("task", Unit.TEXT, "as the program names it"),
            Column("count", Unit.COUNT, "tasks that began", additive=True),
            Column("regions", Unit.COUNT, "that began in them", additive=True),
            Column("logs", Unit.COUNT, "that they wrote", additive=True),
            Column("goroutines", Unit.COUNT, "that began tasks or regions or wrote logs"),
            Column("keys", Unit.TEXT, "of the logs, the first eight"),
        ),
        rows=rows,
    )


def _latencies(found: dict[Key, list[int]]) -> Table:
    rows: list[Sequence[Cell]] = [
        (
            what,
            name,
            len(took),
            sum(took),
            *(quantile(took, percent) for percent in (50, 90, 99)),
            took[-1],
        )
        for (what, name), took in _by_total(found)
    ]
    return Table(
        title="How long tasks and regions took",
        columns=(
            Column("what", Unit.TEXT, "task or region"),
            Column("name", Unit.TEXT, "as the program names it"),
            Column("count", Unit.COUNT, "that began and ended in the trace", additive=True),
            Column("total", Unit.NANOSECONDS, "of all of them", additive=True),
            Column("p50", Unit.NANOSECONDS, "half of them took at most this"),
            Column("p90", Unit.NANOSECONDS, "9 of 10 did; none for fewer than 10"),
            Column("p99", Unit.NANOSECONDS, "99 of 100 did; none for fewer than 100"),
            Column("longest", Unit.NANOSECONDS, "one of them"),
        ),
        rows=rows,
    )


def _by_total(found: dict[Key, list[int]]) -> list[tuple[Key, list[int]]]:
    return sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))


def _buckets(found: dict[Key, list[int]]) -> Table:
    rows: list[Sequence[Cell]] = [
        (what, name, 1 << power >> 1, 1 << power, count)
        for (what, name), took in _by_total(found)
        for power, count in sorted(Counter(max(0, ns).bit_length() for ns in took).items())
    ]
    return Table(
        title="Durations by powers of two",
        columns=(
            Column("what", Unit.TEXT, "task or region"),
            Column("name", Unit.TEXT, "as the program names it"),
            Column("from", Unit.NANOSECONDS, "at least this long"),
            Column("below", Unit.NANOSECONDS, "and less than this"),
            Column("count", Unit.COUNT, "how many of them", additive=True),
        ),
        rows=rows,
    )
