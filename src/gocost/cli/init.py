"""`gocost init`: write a first policy."""

from __future__ import annotations

import click

from gocost.cli.options import reporting
from gocost.cli.output import Output, progress

GROUP = "Govern"


def share(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    from gocost.model.errors import UsageError
    from gocost.model.quantity import Unit, parse

    try:
        share = float(parse(text, Unit.RATIO))
    except UsageError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from error
    if not 0 <= share <= 10:
        raise click.BadParameter("it is a share, such as 10%")
    return share


@click.command("init", short_help="Write a first gocost.yaml from what is measured.")
@click.argument("directory", default=".", type=click.Path(file_okay=False))
@click.option("--force", is_flag=True, help="Write over an existing gocost.yaml.")
@click.option(
    "--headroom",
    default="10%",
    show_default=True,
    callback=share,
    help="How far above what is measured the limits are.",
)
@reporting
def command(directory: str, force: bool, headroom: float, output: Output) -> int:
    """Find the module's main packages, measure them once, and write a commented gocost.yaml."""
    from gocost.api.init import init
    from gocost.model.errors import ExitCode

    with progress() as told:
        report = init(directory, force=force, headroom=headroom, progress=told)
    output.emit(report)
    failed = any(note.level == "error" for note in report.notes)
    return int(ExitCode.NOT_MEASURABLE if failed else ExitCode.CLEAN)
