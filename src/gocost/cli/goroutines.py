"""`gocost goroutines`: where goroutines were created, where they wait, and which leak."""

from __future__ import annotations

import click

from gocost.cli.options import at_most, authorised, reporting
from gocost.cli.output import Output, progress

GROUP = "Attribute"


@click.command("goroutines", short_help="Where goroutines wait, and which of them leak.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL [FILE2 [FILE3]]")
@click.option(
    "--older-than", metavar="TIME", help="Only what waited so long, or seems to have: 5s, 10m."
)
@click.option("--min-count", type=click.IntRange(min=1), default=1, help="Only groups of so many.")
@click.option(
    "--by",
    type=click.Choice(["group", "creator", "stack", "state", "label"]),
    default="group",
    show_default=True,
    help="Put groups together that have this in common.",
)
@click.option("--dumps", type=click.IntRange(1, 3), help="How many to take of a URL.")
@click.option("--every", metavar="TIME", help="The time between dumps: to wait, or that was.")
@click.option(
    "--allow", multiple=True, metavar="REGEX", help="Functions that may grow; repeatable."
)
@click.option("--policy", type=click.Path(dir_okay=False), help="Whose allow-list holds as well.")
@click.option("--service", metavar="NAME", help="Which of the policy's services it is.")
@click.option(
    "--no-leak-profile", is_flag=True, help="Do not ask the runtime for leaks (a collection)."
)
@at_most("The most that is read.")
@authorised
@reporting
def command(
    files: tuple[str, ...],
    older_than: str | None,
    min_count: int,
    by: str,
    dumps: int | None,
    every: str | None,
    allow: tuple[str, ...],
    policy: str | None,
    service: str | None,
    no_leak_profile: bool,
    max_bytes: int | None,
    headers: dict[str, str],
    output: Output,
) -> int:
    """Goroutines by where they were created and where they wait, and which of them leak.

    FILE is a dump in any form (/debug/pprof/goroutine, a panic, the log of a SIGQUIT) or an
    execution trace, - is standard input; two or three dumps that were taken in turn are compared.
    Of a service's URL they are taken, three with --older-than.
    """
    import gc

    from gocost.api.goroutines import goroutines
    from gocost.formats.goroutine_dump.decoding import MAX_BYTES

    gc.disable()  # arrays and a few rows: there are no cycles to look for
    with progress() as shown:
        shown.recording(files)
        report = goroutines(
            *files,
            by=by,
            older_than=_seconds("--older-than", older_than),
            min_count=min_count,
            dumps=dumps,
            every=_seconds("--every", every),
            allow=allow,
            policy=policy,
            service=service,
            leak_profile=not no_leak_profile,
            headers=headers,
            max_bytes=max_bytes or MAX_BYTES,
            progress=shown,
            announce=shown.said,
        )
    output.emit(report)
    return 0


def _seconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    from gocost.model.errors import UsageError
    from gocost.model.quantity import parse_option

    number = parse_option(option, text)
    if number < 0 or (option == "--every" and not number):
        raise UsageError(f"{option} {text} is no time to wait", hint="write 5s, or 10m")
    return number
