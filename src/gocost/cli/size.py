"""`gocost size`."""

from __future__ import annotations

import click

from gocost.cli.options import comparing, reporting
from gocost.cli.output import Output, progress

GROUP = "Measure"


@click.command("size")
@click.argument("binary", metavar="BINARY|FOLDER")
@comparing
@click.option(
    "--by",
    metavar="WHAT",
    help="module, package, function, section or kind; several, joined by commas, nest.",
)
@click.option("--filter", "filter_", metavar="REGEX", help="Only rows with a name that matches.")
@click.option(
    "--why",
    metavar="MODULE",
    help="The shortest import path that pulls it in, asked of the module in this folder.",
)
@click.option("--build-flag", "flags", multiple=True, help="For `go build`, repeatable.")
@reporting
def command(
    binary: str,
    base: str | None,
    by: str | None,
    filter_: str | None,
    why: str | None,
    flags: tuple[str, ...],
    output: Output,
) -> None:
    """Every byte of a binary: what it is and whose.

    The main package of a folder is built first.
    """
    import gc

    from gocost.api.size import size

    # Half a million short-lived objects and no cycles: looking for garbage would cost a tenth.
    gc.disable()
    with progress() as tell:
        report = size(
            binary,
            by=[name.strip() for name in by.split(",")] if by is not None else (),
            filter=filter_,
            why=why,
            base=base,
            flags=flags,
            progress=tell,
        )
    output.emit(report)
