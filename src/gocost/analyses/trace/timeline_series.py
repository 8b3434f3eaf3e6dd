"""A trace's timeline as a report carries it: series, and the stops of the world one by one."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.spans import stops
from gocost.analyses.trace.timeline import Timeline
from gocost.model.quantity import Unit
from gocost.model.report import Column, Series, Table

LANES: Final = ("scheduler.utilisation", "scheduler.runnable", "scheduler.running")
"""The metrics of the series, in the order in which a person wants to see them."""
MOST_PROCS: Final = 64
"""Ps with a lane of their own; where there are more, neighbours share one."""
GROUPS: Final = 30
"""Groups with a lane of their own, those that ran longest; the others share one."""
_DIGITS: Final = 5


def timeline_series(found: Timeline, start: int) -> list[Series]:
    """How busy each P was (running, and in a syscall), how many goroutines were ready without one,
    and how many of each group ran at a time. `start` is when the trace began.
    """
    utilisation, runnable, running = LANES
    step = found.bin_ns / 1e9
    first = (found.start - start) / 1e9

    def series(metric: str, unit: Unit, sums: npt.NDArray[np.int64], **labels: str) -> Series:
        values = np.round(sums / found.bin_ns, _DIGITS)
        return Series(metric, unit, first, step, values.tolist(), labels)

    made = []
    procs = list(found.procs.items())
    share = max(1, -(-len(procs) // MOST_PROCS))
    for at in range(0, len(procs), share):
        part = procs[at : at + share]
        name = str(part[0][0]) if share == 1 else f"{part[0][0]} to {part[-1][0]}"
        for state, row in (("running", 0), ("syscall", 1)):
            sums = np.sum([rows[row] for _, rows in part], axis=0) // len(part)
            made.append(series(utilisation, Unit.RATIO, sums, proc=name, state=state))
    made.append(series(runnable, Unit.COUNT, found.runnable))
    groups = sorted(found.groups.items(), key=lambda item: (-int(item[1].sum()), item[0]))
    for name, sums in groups[:GROUPS]:
        made.append(series(running, Unit.COUNT, sums, entry=name))
    if len(groups) > GROUPS:
        rest = np.sum([sums for _, sums in groups[GROUPS:]], axis=0)
        made.append(series(running, Unit.COUNT, rest, entry=f"({len(groups) - GROUPS:,} others)"))
    return made


def stops_table(trace: Joined) -> Table:
    """The stops of the world, in their order."""
    return Table(
        title="Each stop of the world",
        columns=(
            Column("kind", Unit.TEXT, "as the runtime names it"),
            Column("start", Unit.NANOSECONDS, "since the trace began"),
            Column("duration", Unit.NANOSECONDS, "that no goroutine ran", additive=True),
        ),
        rows=[
            (span.name, span.start - trace.start, span.took)
            for span in sorted(stops(trace), key=lambda span: (span.start, span.end))
        ],
    )
