"""`gocost.trace`: what an execution trace shows of scheduler, collector and waiting."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import structs

from gocost._version import VERSION
from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.changes import compared
from gocost.analyses.trace.tables import facts, tables
from gocost.measures.trace import read_trace
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Series
from gocost.model.subject import Subject

VIEWS: Final = {
    "summary": (
        "goroutine_groups", "procs", "waits", "wait_places", "gc", "stw", "tasks", "regions",
    ),
    "goroutines": ("goroutine_groups", "goroutines"),
    "scheduler": ("procs", "goroutine_groups"),
    "gc": ("gc", "stw", "stops"),
    "waits": ("waits", "wait_places"),
    "tasks": ("tasks", "regions"),
}  # fmt: skip
"""The tables that a person sees, by view; a program gets all."""
ROWS = 12
"""Rows of a table that a person sees."""
KEPT = 100
"""Goroutines that a program sees where it did not say how many."""
UNMARKED: Final = (
    "the program marks no tasks, regions or logs: runtime/trace's NewTask, WithRegion and Log do"
)
_SHOWN: Final[dict[str, tuple[str, ...]]] = {
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
Between = tuple[int, int] | None


def trace(
    path: str | Path,
    *,
    view: str = "summary",
    top: int | None = None,
    between: Between = None,
    base: str | Path | None = None,
    timeline: bool = False,
) -> Report:
    """The account of the execution trace at `path`.

    `view` is one of VIEWS; `top` is how many goroutines are listed one by one, those that ran
    longest (0: all); `between` are nanoseconds since the trace began, outside of which nothing
    counts; `base` is a trace to compare with, in rates; `timeline` adds series of what every P and
    the largest groups of goroutines did when, and the table `stops`. Tables: goroutine_groups,
    goroutines, procs, waits, wait_places, gc, stw, tasks, regions; times are whole nanoseconds.
    Raises SourceError where the file cannot be read and FormatError where it is no trace that can.
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
    notes = notes_of(found)
    if timeline and len(found.procs) > MOST_PROCS:
        told = f"the timeline shows {MOST_PROCS} of {len(found.procs):,} Ps"
        notes.append(Note("warning", told))
    shown = VIEWS[view]
    if view == "tasks" and not any(made[name].rows for name in shown if name in made):
        notes.append(Note("info", UNMARKED))
    if base is not None:
        against = compared(found, read_trace(Path(base), between=between))
        wanted = {"goroutines": ("goroutine_rates",), "waits": ("wait_rates",)}
        shown = wanted.get(view, tuple(against))
        made |= against
    return Report(
        command="trace",
        gocost=VERSION,
        subject=subject,
        facts=facts(found, subject, f"execution trace {path}"),
        tables=made,
        series=series,
        notes=notes,
        layout=Layout(
            title=title_of(path, found) + (f", against {Path(base).name}" if base else ""),
            tables=tuple(name for name in shown if name in made),
            facts=_FACTS,
            rows=ROWS,
            columns=_SHOWN,
            timeline=LANES if timeline else (),
        ),
    )


def trace_profile(path: str | Path, kind: str, *, between: Between = None) -> Report:
    """Waits of a kind (net, sync, syscall, sched), or CPU samples (cpu), by stack.

    The table `stacks` has the count, total, mean and longest of waits, or the number of samples.
    """
    from gocost.analyses.trace.profiles import profile_table

    found = read_trace(Path(path), between=between)
    _check_samples(found, path, kind)
    narrow: tuple[str, ...] = ("place", "reason", "count", "total", "mean", "longest")
    if kind == "cpu":
        narrow = ("function", "goroutine", "samples", "share", "entry")
    return Report(
        command="trace",
        gocost=VERSION,
        subject=Subject(service=Path(path).name),
        tables={"stacks": profile_table(found, kind)},
        notes=notes_of(found),
        layout=Layout(
            title=title_of(path, found),
            rows=ROWS,
            columns={"stacks": narrow},
        ),
    )


def trace_profile_file(path: str | Path, kind: str, *, between: Between = None) -> bytes:
    """The same as a profile that pprof reads: contentions and delay by stack, or samples."""
    from gocost.analyses.trace.profiles import profile
    from gocost.formats.pprof.encoding import encode

    found = read_trace(Path(path), between=between)
    _check_samples(found, path, kind)
    return encode(profile(found, kind))


def _check_samples(found: Joined, path: str | Path, kind: str) -> None:
    if kind == "cpu" and not len(found.samples):
        raise UsageError(
            f"{path} has no CPU samples",
            hint="they are recorded where a CPU profile runs at the same time:"
            " /debug/pprof/profile?seconds=5 beside /debug/pprof/trace?seconds=5",
        )


def title_of(path: str | Path, found: Joined) -> str:
    """What a person reads first: the file, how many events, in what time."""
    length = format_quantity((found.end - found.start) / 1e9, Unit.SECONDS)
    part = "a part of " if found.clipped else ""
    return f"{Path(path).name}: {found.events:,} events in {part}{length}"


def notes_of(found: Joined) -> list[Note]:
    """What of the trace is lost."""
    return [Note("warning", found.lost)] if found.lost else []
