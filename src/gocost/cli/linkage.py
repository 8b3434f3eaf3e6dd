"""`gocost linkage`."""

from __future__ import annotations

import click

from gocost.cli.options import comparing, reporting
from gocost.cli.output import Output, progress

GROUP = "Measure"


@click.command("linkage")
@click.argument("target", default=".", metavar="BINARY|[FOLDER]")
@click.option("--matrix", is_flag=True, help="Build FOLDER in three ways and compare them.")
@click.option("--arch", "machine", metavar="GOARCH", help="Which part of a fat Mach-O file.")
@click.option("--build-flag", "flags", multiple=True, help="For `go build`, repeatable.")
@comparing
@reporting
def command(
    target: str,
    matrix: bool,
    machine: str | None,
    flags: tuple[str, ...],
    base: str | None,
    output: Output,
) -> None:
    """How it is linked, what it needs, where it runs.

    Reads the file: its interpreter, needed libraries and symbol versions. The main package of a
    folder is built first; with --matrix as pure Go, with cgo, and with cgo and static C libraries,
    to compare the three. With --base it says what changed, and where it runs no more.
    """
    from gocost.api.linkage import linkage

    with progress() as tell:
        report = linkage(
            target, matrix=matrix, base=base, machine=machine, flags=flags, progress=tell
        )
    output.emit(report)
