"""`gocost check`: the gate."""

from __future__ import annotations

import click

from gocost.cli.options import FileToWrite, at_most, authorised, comparing, judging, reporting
from gocost.cli.output import Output, progress

GROUP = "Govern"


@click.command("check", short_help="Hold services to the limits in gocost.yaml.")
@click.option(
    "--policy",
    type=click.Path(dir_okay=False),
    help="The policy; by default the gocost.yaml of this folder or above it.",
)
@click.option(
    "--service", "services", multiple=True, metavar="NAME", help="Only this service; repeatable."
)
@click.option(
    "--rule", "rules", multiple=True, metavar="ID", help="Only this rule; repeatable; * for any."
)
@click.option(
    "--save",
    type=FileToWrite(),
    metavar="REPORT.json",
    help="Keep the report, to be compared with by a later --base REPORT.json.",
)
@click.option("--offline", is_flag=True, help="Do without the network.")
@click.option("--rebuild", is_flag=True, help="Build twice, to see whether it is reproducible.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="FILE|URL", help="A recorded CPU profile."
)
@click.option("--trace", metavar="FILE|URL", help="An execution trace; of a URL it is kept.")
@click.option(
    "--goroutines", multiple=True, metavar="FILE|URL", help="A goroutine dump; repeatable."
)
@click.option(
    "--metrics",
    multiple=True,
    metavar="FILE|URL",
    help="A page of the Go runtime (/metrics, /debug/vars) or a gctrace log; repeatable.",
)
@at_most("The most that is read of a recording.")
@authorised
@comparing
@judging
@reporting
def command(
    policy: str | None,
    services: tuple[str, ...],
    rules: tuple[str, ...],
    save: str | None,
    offline: bool,
    rebuild: bool,
    profiles: tuple[str, ...],
    trace: str | None,
    goroutines: tuple[str, ...],
    metrics: tuple[str, ...],
    max_bytes: int | None,
    headers: dict[str, str],
    base: str | None,
    fail_on: str,
    exit_zero: bool,
    output: Output,
) -> int:
    """Build and measure services, and hold them to the limits in gocost.yaml.

    Exit code: 0 clean, 1 a limit is broken, 2 the command line or the policy is wrong, 3 something
    declared could not be measured, 4 a bug in gocost.
    """
    from gocost.api.check import check
    from gocost.gate.verdict import exit_code

    with progress() as told:
        report = check(
            policy,
            base=base,
            services=services,
            rules=rules,
            offline=offline,
            rebuild=rebuild,
            profiles=profiles,
            trace=trace,
            goroutines=goroutines,
            metrics=metrics,
            headers=headers,
            max_bytes=max_bytes,
            progress=told,
            announce=told.announce,
        )
    # First what was found, so that a file that cannot be written does not cost the result.
    output.emit(report)
    if save is not None:
        Output("json", save, None).emit(report)
    return 0 if exit_zero else int(exit_code(report, fail_on))  # type: ignore[arg-type]
