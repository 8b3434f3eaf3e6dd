"""`gocost runtime`: the health of a Go process's scheduler and memory, and what its GC costs."""

from __future__ import annotations

import click

from gocost.cli.options import at_most, authorised, reporting
from gocost.cli.output import Output, progress

GROUP = "Attribute"


@click.command("runtime", short_help="Health of scheduler and memory, and what GOGC should be.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL [FILE2 ...]")
@click.option("--every", metavar="TIME", help="The time between pages: to wait, or that was.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How often a URL is read.",
)
@click.option("--limit", metavar="SIZE", help="The container's memory limit, to recommend for.")
@click.option("--gogc", metavar="PERCENT", help="What GOGC was, which a gctrace log does not say.")
@click.option(
    "--preset",
    type=click.Choice(["standard", "low-latency"]),
    default="standard",
    show_default=True,
    help="The limits to judge by.",
)
@click.option(
    "--policy",
    type=click.Path(dir_okay=False),
    help="A gocost.yaml whose limits and deployment.memory hold instead.",
)
@click.option("--service", metavar="NAME", help="Which of the policy's services it is.")
@at_most("The most that is read.")
@authorised
@reporting
def command(
    files: tuple[str, ...],
    every: str | None,
    count: int,
    limit: str | None,
    gogc: str | None,
    preset: str,
    policy: str | None,
    service: str | None,
    max_bytes: int | None,
    headers: dict[str, str],
    output: Output,
) -> int:
    """Scheduler and memory health, what the heap is made of, and what other GOGCs would give.

    FILE is a saved page of a service (/metrics of client_golang, /debug/vars), two of them taken
    apart in time with the earlier first, or a log with GODEBUG=gctrace=1. The URL of a service is
    read twice, 10 s apart.
    """
    from gocost.api.runtime import runtime
    from gocost.measures.runtime_metrics import MAX_BYTES

    with progress() as shown:
        report = runtime(
            *files,
            every=_amount("--every", every, "seconds"),
            count=count,
            limit=_amount("--limit", limit, "bytes"),
            gogc=_amount("--gogc", gogc, "count"),
            preset=preset,
            policy=policy,
            service=service,
            headers=headers,
            max_bytes=max_bytes or MAX_BYTES,
            progress=shown,
        )
    output.emit(report)
    return 0


def _amount(option: str, text: str | None, unit: str) -> float | None:
    """What was written, above zero, in base units. Raises UsageError."""
    if text is None:
        return None
    from gocost.model.errors import UsageError
    from gocost.model.quantity import Unit, example, parse_option

    number = parse_option(option, text, Unit(unit))
    if number <= 0:
        raise UsageError(f"{option} {text} is not above 0", hint=f"write {example(Unit(unit))}")
    return number
