"""`gocost trace`: what an execution trace shows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gocost.cli.options import FileToWrite, Number, at_most, authorised, reporting
from gocost.cli.output import Output
from gocost.cli.serving import Server, for_a_browser, serving

if TYPE_CHECKING:
    from gocost.api._traces import OnDisk

GROUP = "Attribute"

F = TypeVar("F", bound=Callable[..., Any])


@click.group("trace", short_help="What an execution trace shows.")
def command() -> None:
    """Execution traces of Go 1.22 and later: scheduler, collector, waiting, tasks.

    FILE may be compressed by gzip, and - is standard input. A service by URL is recorded first.
    """


def traced(function: F) -> F:
    """The trace as `file`, on disk: of a service's URL it is recorded first, and kept.

    It stands closest to the command: what is wrong in other options is said before a recording.
    """

    @click.argument("file", metavar="FILE|URL|-")
    @click.option(
        "--seconds",
        type=Number(min=0, min_open=True),
        help="How long to record, where a URL is given.  [default: 5]",
    )
    @click.option("--keep", metavar="FILE", help="Where to keep what is recorded.")
    @at_most(
        "The most that is recorded, decompressed or read of - (by default 1 GiB), and that"
        " goroutines and marks take in memory (4 GiB)."
    )
    @authorised
    @functools.wraps(function)
    def wrapper(
        *args: Any,
        file: str,
        base: str | None = None,
        seconds: float | None,
        keep: str | None,
        max_bytes: int | None,
        headers: dict[str, str],
        **kwargs: Any,
    ) -> Any:
        from gocost.api._traces import traces_at
        from gocost.cli.output import progress

        with progress() as shown:
            shown.recording([file, base])
            trace, other = traces_at(
                file,
                base,
                seconds=seconds,
                keep=keep,
                max_bytes=max_bytes,
                headers=headers,
                announce=shown.said,
            )
        if other is not None:
            kwargs["base"] = other
        return function(*args, file=trace, max_bytes=max_bytes, **kwargs)

    return wrapper  # type: ignore[return-value]


def between(function: F) -> F:
    """`--from` and `--to`; the command gets them as `between`, in nanoseconds, or None."""

    @click.option("--from", "start", metavar="TIME", help="Only from then on: since it began.")
    @click.option("--to", "end", metavar="TIME", help="Only up to then.")
    @functools.wraps(function)
    def wrapper(*args: Any, start: str | None, end: str | None, **kwargs: Any) -> Any:
        if not start and not end:  # the usual case, which is not to load what parses times
            return function(*args, between=None, **kwargs)
        from gocost.model.quantity import parse_between

        return function(*args, between=parse_between(start, end), **kwargs)

    return wrapper  # type: ignore[return-value]


def _view(name: str, summary: str, help_: str, *, base: bool = False) -> None:
    """A command that shows tables of a trace: those of its name in the API."""

    @between
    @reporting
    @traced
    def view_command(
        file: OnDisk,
        max_bytes: int | None,
        output: Output,
        between: tuple[int, int] | None,
        base: OnDisk | None = None,
    ) -> int:
        import gc

        from gocost.api.trace import trace

        gc.disable()  # arrays and a few thousand rows: there are no cycles to look for
        timeline = name == "summary" and output.format == "html"
        made = trace(
            file, view=name, top=output.top, between=between, base=base, timeline=timeline,
            meanwhile=output.load, max_bytes=max_bytes,
        )  # fmt: skip
        output.emit(made)
        return 0

    made = click.option("--base", metavar="FILE|URL|-", help="Compare with this trace, in rates.")
    command.command(name, short_help=summary, help=help_)(
        made(view_command) if base else view_command
    )


_view(
    "summary",
    "Goroutines, Ps, waits, collections, stops, tasks.",
    "Goroutines, Ps, waits, collections, stops of the world, tasks and regions. As a page"
    " (--format html) it has a timeline of the Ps and the largest groups of goroutines.",
    base=True,
)
_view(
    "goroutines",
    "Goroutines by where they start, and one by one.",
    "Goroutines by the function that they start in, and those that ran longest.",
    base=True,
)
_view(
    "scheduler",
    "What waited for a P, and what the Ps did.",
    "What each P did, and who waited for one.",
)
_view(
    "gc",
    "Collections, and how long they stopped the world.",
    "Garbage collections, and how long the world was stopped, by what stopped it.",
)
_view(
    "waits",
    "What goroutines waited for, and where.",
    "What goroutines waited for, by reason and by place in the code.",
    base=True,
)
_view(
    "tasks",
    "The program's own tasks and regions.",
    "The tasks and regions that the program marks with runtime/trace, and how long they took.",
)


def _intervals(name: str, summary: str, help_: str) -> None:
    """A command over a trace's intervals: that view of the API."""

    @command.command(name, short_help=summary, help=help_)
    @between
    @reporting
    @traced
    def intervals_command(
        file: OnDisk, max_bytes: int | None, output: Output, between: tuple[int, int] | None
    ) -> int:
        from gocost.api.trace_intervals import trace_intervals

        output.emit(trace_intervals(file, name, between=between, max_bytes=max_bytes))
        return 0


_intervals(
    "threads",
    "What each thread (M) did.",
    "What each thread did: goroutines that it ran, and system calls that it was in.",
)
_intervals(
    "spikes",
    "When latency or utilisation left its usual band.",
    "Windows in which scheduler latency or utilisation left its usual band: beyond the median by"
    " more than 5 robust deviations (1.4826 times the median absolute deviation). A trace is cut"
    " into up to 1,000 windows of at least 1 ms.",
)
_intervals(
    "lifetimes",
    "Where goroutines are created, and how long they live.",
    "Where goroutines are created, how many, and how long those lived that ended.",
)
_intervals(
    "users",
    "Tasks, regions and logs, and how long they took.",
    "What the program marks with runtime/trace: tasks with their regions and logs, and histograms"
    " of how long they took.",
)


@command.command("mmu", short_help="What the collector leaves to the program, at worst.")
@click.option(
    "--count",
    "parts",
    default="stw,background,assist",
    show_default=True,
    metavar="PARTS",
    help="What counts as the collector: stw, background, assist, sweep.",
)
@click.option("--per-p", "by_proc", is_flag=True, help="Of the worst P instead of all together.")
@between
@reporting
@traced
def mmu_command(
    file: OnDisk,
    max_bytes: int | None,
    parts: str,
    by_proc: bool,
    output: Output,
    between: tuple[int, int] | None,
) -> int:
    """The minimum mutator utilisation: the share of the Ps' time that the program had in the worst
    window of each length, from 1 us to 10 s, or to all of a shorter trace.
    """
    from gocost.api.trace_intervals import trace_mmu

    some = [part.strip() for part in parts.split(",") if part.strip()]
    output.emit(trace_mmu(file, parts=some, by_proc=by_proc, between=between, max_bytes=max_bytes))
    return 0


@command.command("export", short_help="For chrome://tracing and Perfetto.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["perfetto", "chrome"]),
    default="perfetto",
    show_default=True,
    help="Both are Chrome's JSON, which Perfetto opens.",
)
@click.option("-o", "--output", required=True, type=FileToWrite(), metavar="FILE")
@between
@traced
def export_command(
    file: OnDisk,
    max_bytes: int | None,
    form: str,
    output: str,
    between: tuple[int, int] | None,
) -> int:
    """Goroutines on their Ps, system calls on their threads, collections, stops and tasks, as a
    file that ui.perfetto.dev and chrome://tracing open. --from and --to keep it small enough.
    """
    from gocost.api.trace_intervals import trace_export
    from gocost.cli.output import warned, written

    with written(output) as stream:
        slices = trace_export(file, stream.write, between=between, warn=warned, max_bytes=max_bytes)
    click.echo(f"{output}: {slices:,} slices in Chrome's JSON", err=True)
    return 0


@command.command("view", short_help="Look at it in a browser.")
@for_a_browser()
@serving
@traced
def view_command(file: OnDisk, max_bytes: int | None, server: Server) -> int:
    """Serves pages about the trace to this machine until you press Ctrl-C: a timeline of the Ps and
    the largest groups of goroutines to zoom into, as close as you like, and what every command
    about a trace shows, waits as flame graphs.
    """
    from gocost.viewer.trace_site import TraceSite

    server.run(TraceSite(file, max_bytes=max_bytes))
    return 0


@command.command("profile", short_help="Waits or CPU samples by stack, for pprof too.")
@click.argument("kind", type=click.Choice(["net", "sync", "syscall", "sched", "cpu"]))
@between
@reporting
@traced
def profile_command(
    kind: str,
    file: OnDisk,
    max_bytes: int | None,
    output: Output,
    between: tuple[int, int] | None,
) -> int:
    """Waits of one kind, or the CPU samples of a trace, by stack; as a page (--format html) with a
    flame graph of them.

    With -o NAME.pb.gz as a profile for `gocost profile` and `go tool pprof`, else as a report. CPU
    samples are there where a CPU profile ran while the trace was recorded.
    """
    from gocost.api.trace_profile import trace_profile, trace_profile_file
    from gocost.cli.output import warned, write_bytes

    if output.path is not None and output.path.endswith((".pb.gz", ".pb", ".pprof")):
        made = trace_profile_file(file, kind, between=between, warn=warned, max_bytes=max_bytes)
        write_bytes(made, output.path)
        return 0
    flame = output.format == "html"
    output.emit(trace_profile(file, kind, between=between, flame=flame, max_bytes=max_bytes))
    return 0


@command.command("slice", short_help="A part of a trace as a trace of its own.")
@between
@click.option("-o", "--output", required=True, type=FileToWrite(), metavar="FILE")
@traced
def slice_command(
    file: OnDisk, max_bytes: int | None, between: tuple[int, int] | None, output: str
) -> int:
    """The generations that reach into a time, as a trace that every tool can open.

    The runtime begins a generation about every second: a slice is a little longer than was asked.
    """
    from gocost.api.trace_intervals import trace_slice
    from gocost.cli.output import warned, written
    from gocost.model.quantity import ENDLESS, Unit, format_quantity

    with written(output) as stream:
        part = trace_slice(file, stream.write, between or (0, ENDLESS), max_bytes=max_bytes)
    times = [format_quantity(each / 1e9, Unit.SECONDS) for each in (part.start_ns, part.end_ns)]
    size = format_quantity(part.bytes, Unit.BYTES)
    numbers = f"{part.first}" if part.first == part.last else f"{part.first} to {part.last}"
    told = f"{times[0]} to {times[1]}, {size}; generations are kept whole: {numbers}"
    click.echo(f"{output}: {told}", err=True)
    if part.lost:
        warned(part.lost)
    return 0
