"""`gocost.trace`: what an execution trace shows of scheduler, collector and waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gocost.api._traces import traces_at
from gocost.measures.trace import carried_out, read_trace
from gocost.model.errors import UsageError

if TYPE_CHECKING:
    from typing import Unpack

    from gocost.api._traces import Recording, Trace
    from gocost.model.report import Report

Between = tuple[int, int] | None
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
_KEPT = 100
"""Goroutines that a program sees where it did not say how many."""


def trace(
    file: Trace,
    *,
    view: str = "summary",
    top: int | None = None,
    between: Between = None,
    base: Trace | None = None,
    timeline: bool = False,
    meanwhile: Callable[[], object] | None = None,
    **recording: Unpack[Recording],
) -> Report:
    """The account of an execution trace.

    `file` is a path, of gzip too, `-` for standard input, or the URL of a service, which is
    recorded for `seconds` (5 by default) with `headers` into the new file `keep`, by default one of
    the current folder that the report's subject names; `max_bytes` bounds what is recorded,
    decompressed or read of standard input, and raises the cap of what goroutines and marks may take
    in memory (4 GiB); `announce` is told where the recording is.

    `view` is one of VIEWS; `top` is how many goroutines are listed one by one, those
    that ran longest (0: all); `between` are nanoseconds since the trace began, outside of which
    nothing counts; `base` is a trace to compare with, in rates; `timeline` adds series of what
    every P and the largest groups of goroutines did when, and the table `stops`; `meanwhile` is
    called while the trace is carried out. Tables: goroutine_groups, goroutines, procs, waits,
    wait_places, gc, stw, tasks, regions; times are whole nanoseconds. Raises SourceError where the
    file cannot be read and FormatError where it is no trace that can.
    """
    if view not in VIEWS:
        raise UsageError(f"there is no view {view!r}", hint=f"choose of {', '.join(VIEWS)}")
    kept = _KEPT if top is None else top or None
    path, other = traces_at(file, base, **recording)
    most = recording.get("max_bytes")
    with carried_out(path, keep=kept, between=between, timeline=timeline, max_bytes=most) as coming:
        # What makes the report of it is loaded while cores carry it out.
        from gocost.api._trace_report import trace_report

        if meanwhile is not None:
            meanwhile()
        found, spread = coming.joined()
    against = None
    if other is not None:
        against = (other.name, read_trace(other, between=between, max_bytes=most))
    since = found.start - (between[0] if between else 0)
    return trace_report(path, view, kept, found, base=against, timeline=spread, since=since)
