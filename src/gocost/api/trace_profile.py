"""`gocost.trace_profile`: waits of one kind in a trace, or its CPU samples, by stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gocost._version import VERSION
from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.profiles import KINDS, profile, profile_flame, profile_table
from gocost.api._trace_report import ROWS, notes_of, title_of
from gocost.api._traces import OnDisk, Trace, trace_at
from gocost.api.trace import Between
from gocost.formats.pprof.encoding import encode
from gocost.measures.trace import read_trace
from gocost.model.errors import UsageError
from gocost.model.report import Layout, Report
from gocost.model.subject import Subject

if TYPE_CHECKING:
    from typing import Unpack

    from gocost.api._traces import Recording


def trace_profile(
    file: Trace,
    kind: str,
    *,
    between: Between = None,
    flame: bool = False,
    **recording: Unpack[Recording],
) -> Report:
    """Waits of a kind (net, sync, syscall, sched), or CPU samples (cpu), by stack.

    `file`, `between` and what is about a recording are as in `gocost.trace`. The table
    `stacks` has the count, total, mean and longest of waits, or the number of samples. `flame` adds
    the tree of all stacks, which HTML draws, as table `flame`.
    """
    path, found = _read(file, kind, between, recording)
    narrow: tuple[str, ...] = ("place", "reason", "count", "total", "mean", "longest")
    if kind == "cpu":
        narrow = ("function", "goroutine", "samples", "share", "entry")
    return Report(
        command="trace",
        gocost=VERSION,
        subject=Subject(service=path.name),
        tables={"stacks": profile_table(found, kind)}
        | ({"flame": profile_flame(found, kind)} if flame else {}),
        notes=notes_of(found),
        layout=Layout(
            title=title_of(path, found),
            tables=("stacks",),
            rows=ROWS,
            columns={"stacks": narrow},
            flames=("flame",) if flame else (),
        ),
    )


def trace_profile_file(
    file: Trace,
    kind: str,
    *,
    between: Between = None,
    warn: Callable[[str], object] = lambda _: None,
    **recording: Unpack[Recording],
) -> bytes:
    """The same as a profile that pprof reads: contentions and delay by stack, or samples.

    `warn` is told what of the trace could not be read.
    """
    _, found = _read(file, kind, between, recording)
    if found.lost:
        warn(found.lost)
    return encode(profile(found, kind))


def _read(file: Trace, kind: str, between: Between, recording: Recording) -> tuple[OnDisk, Joined]:
    if kind not in KINDS:
        raise UsageError(f"a trace has no profile {kind!r}", hint=f"choose of {', '.join(KINDS)}")
    path = trace_at(file, **recording)
    found = read_trace(path, between=between, max_bytes=recording.get("max_bytes"))
    if kind == "cpu" and not len(found.samples):
        raise UsageError(
            f"{path} has no CPU samples",
            hint="they are recorded where a CPU profile runs at the same time:"
            " /debug/pprof/profile?seconds=5 beside /debug/pprof/trace?seconds=5",
        )
    return path, found
