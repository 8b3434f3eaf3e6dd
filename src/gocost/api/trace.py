"""`gocost.trace`: what an execution trace shows of scheduler, collector and waiting."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from gocost._version import VERSION
from gocost.analyses.trace.tables import facts, tables
from gocost.measures.trace import read_trace
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Series
from gocost.model.subject import Subject

SHOWN = ("goroutine_groups", "procs", "waits", "wait_places", "gc", "stw", "tasks", "regions")
ROWS = 12
"""Rows of a table that a person sees."""
KEPT = 100
"""Goroutines that a program sees where it did not say how many."""


def trace(
    path: str | Path,
    *,
    top: int | None = None,
    show: tuple[str, ...] = SHOWN,
    timeline: bool = False,
    between: tuple[int, int] | None = None,
) -> Report:
    """The account of the execution trace at `path`.

    `top` is how many goroutines are listed one by one, those that ran longest (0: all). `show`
    names the tables that a person sees. `timeline` adds series of what every P and the largest
    groups of goroutines did when, and the table `stops`. `between` are nanoseconds since the trace
    began: only what happens then counts. Tables: goroutine_groups, goroutines, procs, waits,
    wait_places, gc, stw, tasks, regions; times are whole nanoseconds. Raises SourceError where the
    file cannot be read and FormatError where it is no trace that can be.
    """
    kept = KEPT if top is None else top or None
    series: list[Series] = []
    if timeline:
        from gocost.analyses.trace.timeline import MOST_PROCS
        from gocost.analyses.trace.timeline_series import LANES, stops_table, timeline_series
        from gocost.measures.trace import read_timeline

        found, spread = read_timeline(Path(path), keep=kept, between=between)
        series = timeline_series(spread, found.start - (between[0] if between else 0))
    else:
        found = read_trace(Path(path), keep=kept, between=between)
    subject = Subject(service=Path(path).name)
    made = tables(found)
    if timeline:
        made["stops"] = stops_table(found)
    if kept is not None and "goroutines" in made:
        listed = made["goroutines"]
        made["goroutines"] = structs.replace(listed, rows=listed.rows[:kept])
    notes = [Note("warning", found.lost)] if found.lost else []
    if timeline and len(found.procs) > MOST_PROCS:
        told = f"the timeline shows {MOST_PROCS} of {len(found.procs):,} Ps"
        notes.append(Note("warning", told))
    length = format_quantity((found.end - found.start) / 1e9, Unit.SECONDS)
    return Report(
        command="trace",
        gocost=VERSION,
        subject=subject,
        facts=facts(found, subject, f"execution trace {path}"),
        tables=made,
        series=series,
        notes=notes,
        layout=Layout(
            title=f"{Path(path).name}: {found.events:,} events in {length}",
            tables=tuple(name for name in show if name in made),
            facts=(
                "scheduler.latency.p50",
                "scheduler.latency.p99",
                "scheduler.latency.max",
                "scheduler.utilisation",
                "gc.pause.max",
            ),
            rows=ROWS,
            columns={"wait_places": ("state", "place", "count", "total", "longest")},
            timeline=LANES if timeline else (),
        ),
    )
