"""`gocost report`: one measurement, as many forms as CI wants."""

from __future__ import annotations

import click

from gocost.cli.options import reporting
from gocost.cli.output import Output

GROUP = "Govern"


@click.command("report", short_help="A saved report in another form.")
@click.argument("saved", metavar="REPORT.json")
@click.option(
    "--prefix",
    default="",
    metavar="FOLDER",
    help="The folder of the repository that the paths in the report are relative to.",
)
@reporting
def command(saved: str, prefix: str, output: Output) -> None:
    """Print what --save or --format json wrote, in any format."""
    from gocost.api.report import report

    output.emit(report(saved, prefix=prefix))
