"""`gocost.trace_intervals`: views of a trace that go through its intervals one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gocost._version import VERSION
from gocost.analyses.trace import users
from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.chrome import ChromeWriter
from gocost.analyses.trace.lifetimes import Lifetimes
from gocost.analyses.trace.mutator import PARTS, Collecting, curve_table, windows_within
from gocost.analyses.trace.spikes import Spikes
from gocost.analyses.trace.threads import Threads
from gocost.api._trace_report import ROWS, UNMARKED, notes_of, title_of
from gocost.api._traces import OnDisk, Trace, trace_at
from gocost.api.trace import Between
from gocost.measures.trace import Part, follow_trace, read_trace, slice_trace, trace_time
from gocost.model.errors import UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Layout, Note, Report, Table
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from typing import Unpack

    from gocost.api._traces import Recording

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "creators": ("creator", "entry", "created", "living", "life_p50", "life_p99"),
    "threads": ("thread", "running", "runs", "syscall", "busy", "most_of"),
    "spikes": (
        *("start", "length", "what", "latency_p99", "latency_usual", "busy"),
        *("busy_low", "busy_high"),
    ),
}
_ORDINARY: Final = 0.2
"""Windows out of the ordinary, as a share, that are so many that they are ordinary."""


def trace_intervals(
    file: Trace,
    view: str = "threads",
    *,
    between: Between = None,
    **recording: Unpack[Recording],
) -> Report:
    """A view of a trace: threads, spikes, lifetimes, mmu or users.

    `between` are nanoseconds since the trace began, outside of which nothing counts; `file` and
    what is about a recording are as in `gocost.trace`. Raises SourceError where the file cannot be
    read and FormatError where it is no trace that can be.
    """
    views: dict[str, Callable[..., Report]] = {
        "threads": trace_threads,
        "spikes": trace_spikes,
        "lifetimes": trace_lifetimes,
        "mmu": trace_mmu,
        "users": trace_users,
    }
    if view not in views:
        raise UsageError(f"there is no view {view!r}", hint=f"choose of {', '.join(views)}")
    return views[view](file, between=between, **recording)


def trace_threads(
    file: Trace, *, between: Between = None, **recording: Unpack[Recording]
) -> Report:
    """What each thread did. The table is `threads`."""
    path = trace_at(file, **recording)
    threads = Threads()
    found = follow_trace(path, threads, between=between, max_bytes=recording.get("max_bytes"))
    return _report(path, found, {"threads": threads.table(found.end - found.start)})


def trace_spikes(file: Trace, *, between: Between = None, **recording: Unpack[Recording]) -> Report:
    """When scheduler latency or utilisation left its usual band, worst first: `spikes`."""
    path = trace_at(file, **recording)
    spikes = Spikes(*_reach(path, between))
    found = follow_trace(path, spikes, between=between, max_bytes=recording.get("max_bytes"))
    made = spikes.table(found)
    told = "nothing is out of the ordinary"
    if made.rows:
        out = sum(int(str(windows)) for windows in made.column("windows"))
        width = format_quantity(spikes.width, Unit.NANOSECONDS)
        told = f"{out:,} of {spikes.count:,} windows of {width} are out of the ordinary"
        if out > _ORDINARY * spikes.count:
            told += ": with so many, this trace has more than one usual state"
    notes = [Note("info", told)]
    return _report(path, found, {"spikes": made}, notes)


def trace_lifetimes(
    file: Trace, *, between: Between = None, **recording: Unpack[Recording]
) -> Report:
    """Where goroutines are created and how long they live: `creators`, `goroutine_counts`."""
    path = trace_at(file, **recording)
    lifetimes = Lifetimes(*_reach(path, between))
    found = follow_trace(path, lifetimes, between=between, max_bytes=recording.get("max_bytes"))
    living = int((found.goroutines[:, 8] == 0).sum())
    made = {"creators": lifetimes.table(), "goroutine_counts": lifetimes.counts(living)}
    return _report(path, found, made, shown=("creators",))


def trace_mmu(
    file: Trace,
    *,
    parts: Sequence[str] = PARTS[:3],
    by_proc: bool = False,
    between: Between = None,
    **recording: Unpack[Recording],
) -> Report:
    """The minimum mutator utilisation for windows of 1 us to 10 s, or to all of a shorter trace, as
    table `mmu`.

    `parts` are those of PARTS that count as the collector's. Raises UsageError for others.
    """
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise UsageError(f"{unknown[0]} is no part of the collector",
                         hint=f"name some of {', '.join(PARTS)}")  # fmt: skip
    path = trace_at(file, **recording)
    collecting = Collecting()
    found = follow_trace(path, collecting, between=between, max_bytes=recording.get("max_bytes"))
    windows = windows_within(found.end - found.start)
    curve = collecting.curve(found, parts, windows, by_proc=by_proc)
    made = {"mmu": curve_table(curve, by_proc=by_proc)}
    return _report(path, found, made, rows=0, curves={"mmu": ("window", "mmu")})


def trace_users(file: Trace, *, between: Between = None, **recording: Unpack[Recording]) -> Report:
    """Tasks, regions and logs: `users`, `latencies`, `latency_buckets`."""
    path = trace_at(file, **recording)
    found = read_trace(path, between=between, max_bytes=recording.get("max_bytes"))
    made = {name: table for name, table in users.tables(found).items() if table.rows}
    notes = [] if made else [Note("info", UNMARKED)]
    return _report(path, found, made, notes)


def trace_export(
    file: Trace,
    write: Callable[[bytes], object],
    *,
    between: Between = None,
    warn: Callable[[str], object] = lambda _: None,
    **recording: Unpack[Recording],
) -> int:
    """Writes the trace as Chrome's JSON, which Perfetto opens too; returns how many slices.

    `warn` is told what of the trace could not be read.
    """
    path = trace_at(file, **recording)
    writer = ChromeWriter(write, _reach(path, between)[0])
    found = follow_trace(path, writer, between=between, max_bytes=recording.get("max_bytes"))
    writer.close(found)
    if found.lost:
        warn(found.lost)
    return writer.slices


def trace_slice(
    file: Trace,
    write: Callable[[bytes], object],
    between: tuple[int, int],
    **recording: Unpack[Recording],
) -> Part:
    """Writes the generations that reach into a time since the trace began, as a trace of its own.

    Raises as `trace_intervals`, and UsageError where nothing of the trace is then.
    """
    return slice_trace(trace_at(file, **recording), *between, write)


def _reach(path: OnDisk, between: Between) -> tuple[int, int]:
    """The first and last time that is looked at."""
    time = trace_time(path)
    if between is None:
        return time.start, time.end
    return time.start + between[0], max(time.start, min(time.end, time.start + between[1]))


def _report(
    path: OnDisk,
    found: Joined,
    made: dict[str, Table],
    notes: Sequence[Note] = (),
    *,
    shown: tuple[str, ...] | None = None,
    rows: int = ROWS,
    curves: dict[str, tuple[str, str]] | None = None,
) -> Report:
    return Report(
        command="trace",
        gocost=VERSION,
        subject=Subject(service=path.name),
        tables=made,
        notes=[*notes_of(found), *notes],
        layout=Layout(
            title=title_of(path, found),
            tables=shown if shown is not None else tuple(made),
            rows=rows,
            columns={name: some for name, some in _COLUMNS.items() if name in made},
            curves=curves or {},
        ),
    )
