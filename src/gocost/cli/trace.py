"""`gocost trace`: what an execution trace shows."""

from __future__ import annotations

import click

from gocost.cli.options import reporting
from gocost.cli.output import Output
from gocost.cli.serving import Server, serving

GROUP = "Attribute"


@click.group("trace", short_help="What an execution trace shows.")
def command() -> None:
    """Execution traces of Go 1.22 and later: scheduler, collector, waiting, tasks."""


def _report(file: str, output: Output, *show: str, timeline: bool = False) -> int:
    import gc

    from gocost.api.trace import SHOWN, trace

    gc.disable()  # arrays and a few thousand rows: there are no cycles to look for
    output.emit(trace(file, top=output.top, show=show or SHOWN, timeline=timeline))
    return 0


@command.command("summary", short_help="Goroutines, Ps, waits, collections, stops, tasks.")
@click.argument("file", metavar="FILE")
@reporting
def summary_command(file: str, output: Output) -> int:
    """Goroutines, Ps, waits, collections, stops of the world, tasks and regions.

    As a page (--format html) it has a timeline of the Ps and the largest groups of goroutines.
    """
    return _report(file, output, timeline=output.format == "html")


@command.command("view", short_help="Look at it in a browser.")
@click.argument("file", metavar="FILE")
@serving
def view_command(file: str, server: Server) -> int:
    """Serves the page of `trace summary` to this machine until you press Ctrl-C: a timeline of the
    Ps and the largest groups of goroutines to zoom into, as close as you like.
    """
    from pathlib import Path

    from gocost.viewer.trace_site import TraceSite

    server.run(TraceSite(Path(file)))
    return 0


@command.command("goroutines", short_help="Goroutines by where they start, and one by one.")
@click.argument("file", metavar="FILE")
@reporting
def goroutines_command(file: str, output: Output) -> int:
    """Goroutines by the function that they start in, and those that ran longest."""
    return _report(file, output, "goroutine_groups", "goroutines")


@command.command("scheduler", short_help="What waited for a P, and what the Ps did.")
@click.argument("file", metavar="FILE")
@reporting
def scheduler_command(file: str, output: Output) -> int:
    """What each P did, and who waited for one."""
    return _report(file, output, "procs", "goroutine_groups")


@command.command("gc", short_help="Collections, and how long they stopped the world.")
@click.argument("file", metavar="FILE")
@reporting
def gc_command(file: str, output: Output) -> int:
    """Garbage collections, and how long the world was stopped."""
    return _report(file, output, "gc", "stw")


@command.command("waits", short_help="What goroutines waited for, and where.")
@click.argument("file", metavar="FILE")
@reporting
def waits_command(file: str, output: Output) -> int:
    """What goroutines waited for, by reason and by place in the code."""
    return _report(file, output, "waits", "wait_places")


@command.command("tasks", short_help="The program's own tasks and regions.")
@click.argument("file", metavar="FILE")
@reporting
def tasks_command(file: str, output: Output) -> int:
    """The tasks and regions that the program marks with runtime/trace."""
    return _report(file, output, "tasks", "regions")


@command.command("slice", short_help="A part of a trace as a trace of its own.")
@click.argument("file", metavar="FILE")
@click.option("--from", "start", default="0s", show_default=True, help="Since the trace began.")
@click.option("--to", "end", default="", metavar="TIME", help="By default to its end.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), metavar="FILE")
def slice_command(file: str, start: str, end: str, output: str) -> int:
    """The generations that reach into a time, as a trace that every tool can open.

    The runtime begins a generation about every second: a slice is a little longer than was asked.
    """
    from pathlib import Path

    from gocost.cli.output import written
    from gocost.measures.trace import slice_trace
    from gocost.model.quantity import Unit, format_quantity, parse

    first = int(parse(start, Unit.NANOSECONDS))
    last = int(parse(end, Unit.NANOSECONDS)) if end else 1 << 62
    with written(output) as stream:
        part = slice_trace(Path(file), first, last, stream.write)
    times = [format_quantity(each / 1e9, Unit.SECONDS) for each in (part.start_ns, part.end_ns)]
    size = format_quantity(part.bytes, Unit.BYTES)
    click.echo(f"{output}: {times[0]} to {times[1]}, {size}", err=True)
    return 0
