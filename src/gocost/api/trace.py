"""`gocost.trace`: what an execution trace shows of scheduler, collector and waiting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gocost.measures.trace import carried_out, read_trace
from gocost.model.errors import UsageError

if TYPE_CHECKING:
    from gocost.analyses.trace.account import Joined
    from gocost.model.report import Report

Between = tuple[int, int] | None
_KEPT = 100
"""Goroutines that a program sees where it did not say how many."""


def trace(
    path: str | Path,
    *,
    view: str = "summary",
    top: int | None = None,
    between: Between = None,
    base: str | Path | None = None,
    timeline: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> Report:
    """The account of the execution trace at `path`.

    `view` is one of `trace_report.VIEWS`; `top` is how many goroutines are listed one by one, those
    that ran longest (0: all); `between` are nanoseconds since the trace began, outside of which
    nothing counts; `base` is a trace to compare with, in rates; `timeline` adds series of what
    every P and the largest groups of goroutines did when, and the table `stops`; `meanwhile` is
    called while the trace is carried out. Tables: goroutine_groups, goroutines, procs, waits,
    wait_places, gc, stw, tasks, regions; times are whole nanoseconds. Raises SourceError where the
    file cannot be read and FormatError where it is no trace that can.
    """
    kept = _KEPT if top is None else top or None
    with carried_out(Path(path), keep=kept, between=between, timeline=timeline) as coming:
        # What makes the report of it is loaded while cores carry it out.
        from gocost.api.trace_report import trace_report

        if meanwhile is not None:
            meanwhile()
        found, spread = coming.joined()
    against = None
    if base is not None:
        against = (Path(base).name, read_trace(Path(base), between=between))
    since = found.start - (between[0] if between else 0)
    return trace_report(path, view, kept, found, base=against, timeline=spread, since=since)


def trace_profile(path: str | Path, kind: str, *, between: Between = None) -> Report:
    """Waits of a kind (net, sync, syscall, sched), or CPU samples (cpu), by stack.

    The table `stacks` has the count, total, mean and longest of waits, or the number of samples.
    """
    from gocost._version import VERSION
    from gocost.analyses.trace.profiles import profile_table
    from gocost.api.trace_report import ROWS, notes_of, title_of
    from gocost.model.report import Layout, Report
    from gocost.model.subject import Subject

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
