"""The Go benchmarks of a service's module as facts, and as changes against a base."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gocost.analyses import benchmark_tables
from gocost.analyses.benchmark_notes import TWO_DELTAS, assumptions, comparison_notes, fault_notes
from gocost.analyses.benchmarks import Settings, compare
from gocost.formats.benchmark_text import BenchmarkText
from gocost.measures.benchmark_runs import Binary, Plan, Results, build, run
from gocost.measures.interface import Context, Measured, Target
from gocost.model.fact import Fact
from gocost.model.quantity import Unit
from gocost.model.report import Change, Note, Verdict
from gocost.model.service import Bench, Service
from gocost.model.subject import Subject
from gocost.sources.go_command import go_in, place_of
from gocost.sources.scratch import scratch

GATE_BENCHTIME = "200ms"
"""What the gate runs: short runs, many of them, so that a pull request does not wait for hours."""


def declared(service: Service, benchtime: str) -> tuple[Plan, Settings]:
    """What the policy says of a service's benchmarks; `benchtime` is for where it says none.

    The service's build flags and environment hold for its benchmarks too.
    """
    bench = service.bench or Bench()
    plan = Plan(
        packages=bench.packages,
        pattern=bench.bench,
        count=bench.count,
        benchtime=bench.benchtime or benchtime,
        flags=(*bench.flags, *_test_flags(service.build.flags)),
        env=service.build.env,
    )
    return plan, Settings(fdr=bench.fdr, min_effect=bench.min_effect)


def measure(target: Target, context: Context, base: Target | None = None) -> Measured:
    """The benchmarks of a service's module, against those of the base where there is one."""
    service = target.service
    plan, settings = declared(service, GATE_BENCHTIME)
    with scratch("bench") as folder:
        sides: list[list[Binary]] = []
        for side in (base, target):
            if side is not None:
                (folder / str(len(sides))).mkdir()
                root, _ = place_of(side.directory, service.package)
                go = go_in(root, plan.env)
                sides.append(build(go, plan, folder / str(len(sides)), context.progress))
        results = run(
            sides,
            plan,
            plan.env,
            deadline=context.deadline,
            progress=context.progress,
            announce=context.announce,
        )
    measured = one_sided(results[-1], plan, settings, target.subject)
    if base is not None:
        measured = compared(results[0], results[1], plan, settings, target.subject)
    if not measured.facts and service.bench is None:
        measured.skipped["bench.*"] = "the module has no benchmarks"
    elif not measured.facts:
        where = " ".join(plan.packages)
        measured.unknown["bench.*"] = f"no benchmark matches {plan.pattern!r} in {where}"
    return measured


def one_sided(results: Results, plan: Plan, settings: Settings, subject: Subject) -> Measured:
    """Facts and tables of one side's runs."""
    measured = of_text(results.decoded(), settings, subject, _origin(plan), "the output")
    measured.notes[:0] = failure_notes((results,))
    return measured


def compared(
    base: Results, head: Results, plan: Plan, settings: Settings, subject: Subject
) -> Measured:
    """Facts of the head, changes and tables of the two sides' runs."""
    after = head.decoded()
    measured = of_texts(
        base.decoded(), after, settings, subject, ("the base's output", "the head's output")
    )
    measured.facts.extend(_facts(after, settings, subject, _origin(plan)))
    measured.changes.extend(_unmeasured({**base.failed, **head.failed}, subject))
    measured.notes.extend(failure_notes((base, head)))
    return measured


def of_text(
    text: BenchmarkText, settings: Settings, subject: Subject, origin: str, name: str
) -> Measured:
    """Facts and tables of one text of results, which notes call by `name`."""
    found = _facts(text, settings, subject, origin)
    return Measured(
        facts=found,
        tables=benchmark_tables.measured_tables(found),
        notes=fault_notes(text, name),
    )


def of_texts(
    before: BenchmarkText,
    after: BenchmarkText,
    settings: Settings,
    subject: Subject,
    names: tuple[str, str],
) -> Measured:
    """Changes and tables of two texts of results, which notes call by `names`."""
    comparison = compare(before, after, settings)
    return Measured(
        tables=benchmark_tables.comparison_tables(comparison),
        changes=benchmark_tables.changes(comparison, subject),
        notes=[
            *comparison_notes(comparison, settings),
            *fault_notes(before, names[0]),
            *fault_notes(after, names[1]),
        ],
        assumptions=[*assumptions(settings), TWO_DELTAS],
    )


def failure_notes(sides: Iterable[Results]) -> list[Note]:
    """The benchmarks that failed, and why."""
    return [
        Note("error", f"{package}.{name} failed: {reason}")
        for results in sides
        for (package, name), reason in results.failed.items()
    ]


def _facts(text: BenchmarkText, settings: Settings, subject: Subject, origin: str) -> list[Fact]:
    return benchmark_tables.facts(
        text.samples, alpha=settings.alpha, subject=subject, origin=origin
    )


def _unmeasured(failed: Iterable[tuple[str, str]], subject: Subject) -> list[Change]:
    """A benchmark that failed on a side has no figures there, which is unknown and not the same."""
    return [
        Change(
            metric="bench.time",
            unit=Unit.SECONDS_PER_OPERATION,
            base=None,
            head=None,
            delta=None,
            verdict=Verdict.UNKNOWN,
            subject=subject,
            labels={"benchmark": name.removeprefix("Benchmark"), "package": package},
        )
        for package, name in failed
    ]


def _origin(plan: Plan) -> str:
    return f"{plan.count} runs of -test.benchtime={plan.benchtime}, seed {plan.seed}"


def _test_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """The build flags that a test binary can share: what is stamped or stripped is not timed."""
    kept, skip = [], False
    for flag in flags:
        if skip:
            skip = False
            continue
        name = flag.lstrip("-").partition("=")[0]
        if name in ("ldflags", "o", "buildmode", "trimpath", "buildvcs"):
            skip = name in ("ldflags", "o", "buildmode") and "=" not in flag
            continue
        kept.append(flag)
    return tuple(kept)
