"""`gocost bench`."""

from __future__ import annotations

import click

from gocost.cli.options import comparing, reporting
from gocost.cli.output import Output, progress

GROUP = "Measure"


@click.command("bench")
@click.argument("target", default=".", metavar="[FOLDER|RECORDED]")
@comparing
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="PATTERN",
    help="Packages as for `go test`, repeatable.  [default: ./...]",
)
@click.option("--bench", "pattern", metavar="REGEX", help="Which benchmarks.  [default: all]")
@click.option("--count", type=int, help="Runs of each on each side.  [default: 10]")
@click.option("--benchtime", metavar="TIME", help="Time of a run, or 100x.  [default: 1s]")
@click.option("--alpha", default=0.05, show_default=True, help="Intervals cover 1 - alpha.")
@click.option("--fdr", type=float, help="False calls among all calls.  [default: alpha]")
@click.option("--min-effect", help="The smallest change worth a call.  [default: 5%]")
@click.option("--calibrate", is_flag=True, help="Run A against A: the noise floor of this machine.")
@click.option("--build-flag", "flags", multiple=True, help="For `go test -c`, repeatable.")
@click.option("--service", metavar="NAME", help="Whose `bench:` of the policy gives the defaults.")
@click.option("--seed", default=1, show_default=True, help="Of the random order of runs.")
@reporting
def command(
    target: str,
    base: str | None,
    packages: tuple[str, ...],
    pattern: str | None,
    count: int | None,
    benchtime: str | None,
    alpha: float,
    fdr: float | None,
    min_effect: str | None,
    calibrate: bool,
    flags: tuple[str, ...],
    service: str | None,
    seed: int,
    output: Output,
) -> int:
    """Did these benchmarks really change.

    Runs the benchmarks of head and base in turn and compares them. With recorded results instead:
    gocost bench --base old.txt new.txt

    Where a gocost.yaml has a `bench:` for this module, the defaults are those written there.
    """
    from dataclasses import replace
    from pathlib import Path

    from gocost.analyses.benchmarks import Settings
    from gocost.api.bench import bench, unmeasured
    from gocost.gate.benchmarks import declared_for
    from gocost.measures.benchmark_runs import Plan
    from gocost.model.errors import ExitCode
    from gocost.model.quantity import Unit, parse
    from gocost.sources.files import is_folder

    found = declared_for(Path(target), service) if is_folder(Path(target)) else None
    plan = found.plan if found else Plan()
    plan = replace(
        plan,
        packages=packages or plan.packages,
        pattern=plan.pattern if pattern is None else pattern,
        count=plan.count if count is None else count,
        benchtime=benchtime or plan.benchtime,
        flags=(*plan.flags, *flags),
        seed=seed,
    )
    settings = found.settings if found else Settings(fdr=alpha)
    settings = replace(
        settings,
        alpha=alpha,
        fdr=settings.fdr if fdr is None else fdr,
        min_effect=settings.min_effect
        if min_effect is None
        else float(parse(min_effect, Unit.RATIO)),
    )
    with progress() as tell:
        report = bench(
            found.directory if found and not packages else target,
            base=base,
            plan=plan,
            settings=settings,
            calibrate=calibrate,
            progress=tell,
            announce=tell.announce,
        )
    report = found.noted(report) if found else report
    output.emit(report)
    return int(ExitCode.NOT_MEASURABLE if unmeasured(report) else ExitCode.CLEAN)
