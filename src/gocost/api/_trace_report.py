"""What the report of a trace is made of: tables by view, title, notes.

Apart from `trace.py`, which has the cores at work before this is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gocost._version import VERSION
from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.tables import facts, tables
from gocost.api.trace import VIEWS
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Change, Layout, Note, Report
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from gocost.analyses.trace.timeline import Timeline
    from gocost.api._traces import OnDisk

ROWS = 12
"""Rows of a table that a person sees."""
UNMARKED: Final = (
    "the program marks no tasks, regions or logs: runtime/trace's NewTask, WithRegion and Log do"
)
_SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "stw": ("kind", "count", "total", "p50", "p99", "longest"),
    "wait_places": ("state", "place", "count", "total", "longest"),
    "goroutine_rates": ("entry", "running_base", "running_head", "running_change"),
    "wait_rates": ("state", "reason", "total_base", "total_head", "total_change"),
}
_FACTS: Final = (
    "scheduler.latency.p50",
    "scheduler.latency.p99",
    "scheduler.latency.max",
    "scheduler.utilisation",
    "gc.pause.max",
)


def trace_report(
    path: OnDisk,
    view: str,
    kept: int | None,
    found: Joined,
    *,
    base: tuple[str, Joined] | None,
    timeline: Timeline | None,
    since: int,
) -> Report:
    """The report of what was found; `since` is where its series begin."""
    subject = Subject(service=path.name)
    made = tables(found, kept)
    series = []
    lanes: tuple[str, ...] = ()
    notes = notes_of(found)
    if timeline is not None:
        from gocost.analyses.trace.timeline import MOST_PROCS
        from gocost.analyses.trace.timeline_series import LANES, stops_table, timeline_series

        series = timeline_series(timeline, since)
        made["stops"] = stops_table(found)
        lanes = LANES
        if len(found.procs) > MOST_PROCS:
            told = f"the timeline shows {MOST_PROCS} of {len(found.procs):,} Ps"
            notes.append(Note("warning", told))
    shown = VIEWS[view]
    if view == "tasks" and not any(made[name].rows for name in shown if name in made):
        notes.append(Note("info", UNMARKED))
    measured = facts(found, subject, f"execution trace {path}")
    changes: list[Change] = []
    if base is not None:
        from gocost.analyses.trace.changes import compared, facts_compared

        # Counts are of traces of different lengths.
        shown_facts = [fact for fact in measured if fact.metric in _FACTS]
        changes = facts_compared(shown_facts, facts(base[1], subject, ""))
        against = compared(found, base[1])
        wanted = {"goroutines": ("goroutine_rates",), "waits": ("wait_rates",)}
        shown = wanted.get(view, tuple(against))
        made |= against
    return Report(
        command="trace",
        gocost=VERSION,
        subject=subject,
        facts=measured,
        tables=made,
        changes=changes,
        series=series,
        notes=notes,
        layout=Layout(
            title=title_of(path, found) + (f", against {base[0]}" if base else ""),
            tables=tuple(name for name in shown if name in made),
            facts=_FACTS,
            rows=ROWS,
            columns=_SHOWN,
            timeline=lanes,
        ),
    )


def title_of(path: OnDisk, found: Joined) -> str:
    """What a person reads first: the file, how many events, in what time."""
    length = format_quantity((found.end - found.start) / 1e9, Unit.SECONDS)
    if found.clipped:
        return f"{path.name}: {length} of it, for which {found.events:,} events were read"
    return f"{path.name}: {found.events:,} events in {length}"


def notes_of(found: Joined) -> list[Note]:
    """What of the trace is lost."""
    return [Note("warning", found.lost)] if found.lost else []
