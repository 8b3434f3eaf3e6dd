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
@click.option("--bench", "pattern", default=".", metavar="REGEX", help="Which benchmarks.")
@click.option("--count", default=10, show_default=True, help="Runs of each on each side.")
@click.option("--benchtime", default="1s", show_default=True, help="Time of a run, or 100x.")
@click.option("--alpha", default=0.05, show_default=True, help="Intervals cover 1 - alpha.")
@click.option("--fdr", type=float, help="False calls among all calls.  [default: alpha]")
@click.option(
    "--min-effect", default="5%", show_default=True, help="The smallest change worth a call."
)
@click.option("--calibrate", is_flag=True, help="Run A against A: the noise floor of this machine.")
@click.option("--build-flag", "flags", multiple=True, help="For `go test -c`, repeatable.")
@click.option("--seed", default=1, show_default=True, help="Of the random order of runs.")
@reporting
def command(
    target: str,
    base: str | None,
    packages: tuple[str, ...],
    pattern: str,
    count: int,
    benchtime: str,
    alpha: float,
    fdr: float | None,
    min_effect: str,
    calibrate: bool,
    flags: tuple[str, ...],
    seed: int,
    output: Output,
) -> int:
    """Did these benchmarks really change.

    Runs the benchmarks of head and base in turn and compares them. With recorded results instead:
    gocost bench --base old.txt new.txt
    """
    from gocost.analyses.benchmarks import Settings
    from gocost.api.bench import bench, unmeasured
    from gocost.measures.benchmarks import Plan
    from gocost.model.errors import ExitCode
    from gocost.model.quantity import Unit, parse

    with progress() as tell:
        report = bench(
            target,
            base=base,
            plan=Plan(
                packages=packages or ("./...",),
                pattern=pattern,
                count=count,
                benchtime=benchtime,
                flags=flags,
                seed=seed,
            ),
            settings=Settings(
                alpha=alpha,
                fdr=alpha if fdr is None else fdr,
                min_effect=float(parse(min_effect, Unit.RATIO)),
            ),
            calibrate=calibrate,
            progress=tell,
        )
    output.emit(report)
    return int(ExitCode.NOT_MEASURABLE if unmeasured(report) else ExitCode.CLEAN)
