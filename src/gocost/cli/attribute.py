"""`gocost attribute`: one bill of what a service uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from gocost.cli.options import at_most, authorised, priced, reporting
from gocost.cli.output import Output, progress, said

GROUP = "Attribute"
_ASKED = ("by", "policy", "service", "binary", "codeowners", "base")
"""Options that are about the bill and not the recording: what is wrong in them is said before."""


@click.command("attribute", short_help="Who spends CPU, memory and GC, and how much money.")
@click.argument("folder", required=False, metavar="[RECORDED-FOLDER]")
@click.option("--live", metavar="URL", help="Record this service (its /debug/pprof) now.")
@click.option(
    "--for",
    "length",
    default="30s",
    show_default=True,
    metavar="TIME",
    help="How long to record, in whole seconds.",
)
@click.option("--keep", metavar="FOLDER", help="Where to keep what is recorded.")
@click.option("--pid", type=int, help="The service's process here: its CPU time and memory.")
@click.option(
    "--patience",
    default="8s",
    show_default=True,
    metavar="TIME",
    help="What the service's answers may take beyond --for.",
)
@click.option("--no-trace", is_flag=True, help="Record no execution trace.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="FILE|URL",
    help="CPU, heap, block or mutex profile; repeatable.",
)  # fmt: skip
@click.option("--trace", metavar="FILE|URL", help="An execution trace; of a URL it is kept.")
@click.option("--goroutines", metavar="FILE|URL", help="A goroutine dump.")
@click.option("--metrics", multiple=True, metavar="FILE|URL", help="A metrics page; repeatable.")
@click.option(
    "--by",
    default="function",
    show_default=True,
    metavar="WHAT",
    help="function, package, module, owner, label:KEY, or task of a trace.",
)
@priced
@click.option("--binary", metavar="FILE", help="The program, for its modules and their versions.")
@click.option("--codeowners", metavar="FILE", help="Who owns what, for --by owner.")
@click.option("--base", metavar="REPORT", help="Compare with a report of this command (JSON).")
@at_most("The most that is decompressed.")
@authorised
@reporting
def command(
    folder: str | None,
    live: str | None,
    length: str,
    keep: str | None,
    pid: int | None,
    patience: str,
    no_trace: bool,
    headers: dict[str, str],
    max_bytes: int | None,
    output: Output,
    **options: object,
) -> int:
    """Who spends CPU, memory, waiting and garbage collection, and how much money that is.

    Name what was recorded: single files (one may be -, standard input), or the folder that --live
    made. The collector's CPU is charged to those who cause it, and every column adds up to what was
    measured.
    """
    from gocost.api.attribute import ask, attribute
    from gocost.api.record import new_folder, record
    from gocost.formats.pprof.deflate import MAX_BYTES
    from gocost.model.errors import UsageError
    from gocost.model.quantity import parse_option
    from gocost.sources.recordings import MAX_BYTES as RECORDED

    profiles, metrics = options["profiles"], options["metrics"]
    assert isinstance(profiles, tuple)
    assert isinstance(metrics, tuple)
    named = [*profiles, options["trace"], options["goroutines"], *metrics]
    if live is None and (idle := [name for name, given in (("--keep", keep), ("--pid", pid),
                                  ("--no-trace", no_trace)) if given]):  # fmt: skip
        raise UsageError(f"{idle[0]} is about recording", hint="add --live URL, or leave it out")
    if live is not None:
        if folder is not None:
            raise UsageError("--live records a folder of its own", hint="name it with --keep")
        if options["profiles"] or options["trace"] or options["goroutines"] or len(metrics) > 1:
            raise UsageError(
                "--live records everything itself",
                hint="leave out --profile, --trace and --goroutines; --metrics URL may say once "
                "where /metrics is",
            )
        ask(**{name: options[name] for name in _ASKED})  # type: ignore[arg-type]
        if no_trace and options["by"] == "task":
            raise UsageError(
                "tasks are of a trace, and --no-trace records none", hint="leave it out"
            )
        kept = keep if keep is not None else new_folder(live)
        with progress() as shown, _kept(kept):
            record(
                live,
                parse_option("--for", length, like="30s"),
                kept,
                metrics_url=metrics[0] if metrics else None,
                pid=pid,
                trace=not no_trace,
                patience=parse_option("--patience", patience, like="30s"),
                headers=headers,
                max_bytes=max(RECORDED, max_bytes or 0),
                progress=shown,
                announce=shown.said,
            )
        options["metrics"] = ()
        folder, named = kept, []
        said(f"recorded in {folder}")
    options["flame"] = output.format == "html"
    with progress() as shown:
        shown.recording(named)
        options["announce"] = shown.said
        report = attribute(folder, headers=headers, max_bytes=max_bytes or MAX_BYTES, **options)  # type: ignore[arg-type]
    output.emit(report)
    return 0


@contextmanager
def _kept(folder: str) -> Iterator[None]:
    """Says where what was recorded is, when the user has had enough."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            f"\nwhat was recorded so far is in {folder}: gocost attribute {folder}", err=True
        )
        raise
