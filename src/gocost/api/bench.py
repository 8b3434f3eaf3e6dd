"""Did these benchmarks change: measured in turn on this machine, or compared as recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gocost._version import VERSION
from gocost.analyses import benchmark_tables
from gocost.analyses.benchmark_notes import assumptions, comparison_notes
from gocost.analyses.benchmarks import Settings, compare
from gocost.analyses.noise_floor import noise_floor
from gocost.formats.benchmark_text import BenchmarkText, decode
from gocost.gate.benchmarks import declared_for
from gocost.measures import benchmark_runs
from gocost.measures import benchmarks as measures
from gocost.measures.benchmark_runs import Binary, Plan, Results
from gocost.measures.interface import Measured
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.model.report import Change, Layout, Note, Report, Verdict
from gocost.model.service import MOST_RUNS
from gocost.model.subject import Subject
from gocost.sources import git
from gocost.sources.files import is_file, is_folder, mapped
from gocost.sources.go_command import go_in, module_root
from gocost.sources.scratch import scratch

Progress = Callable[[str], None]


def bench(
    target: str | Path = ".",
    *,
    base: str | Path | None = None,
    plan: Plan | None = None,
    settings: Settings | None = None,
    calibrate: bool = False,
    progress: Progress = lambda _: None,
    announce: Progress = lambda _: None,
) -> Report:
    """Compares the benchmarks of `target` with those of `base`.

    `target` is a module's folder, whose benchmarks are run, or a file with recorded results.
    `base` is a git ref (its merge base with HEAD is measured in turn with the target) or a file
    with recorded results; without one the target's figures are reported alone. `calibrate` runs
    the target against itself and reports the noise floor of this machine. Where a folder is run and
    neither `plan` nor `settings` is given, both are as the policy's `bench:` says, if there is one.
    `announce` is told of what takes long.

    The report's table `benchmarks` has every row with all of its figures, in base units; programs
    read that one. `benchmarks.time`, `benchmarks.bytes`, `benchmarks.allocations` and so on repeat
    its rows for people, one table a unit, with fewer columns. A comparison has `geomeans` too, and
    `calibrate` has the table `noise` alone.

    Raises UsageError for what cannot be carried out as asked, BuildError where tests do not
    compile, SourceError where something cannot be run or read.
    """
    target = Path(target)
    if plan is None and settings is None and is_folder(target):
        found = declared_for(target)
        if found is not None:
            return found.noted(
                bench(
                    found.directory,
                    base=base,
                    plan=found.plan,
                    settings=found.settings,
                    calibrate=calibrate,
                    progress=progress,
                    announce=announce,
                )
            )
    plan, settings = plan or Plan(), settings or Settings()
    _check(plan, settings)
    recorded = Path(base) if base is not None and is_file(Path(base)) else None
    if is_file(target):
        if calibrate:
            raise UsageError("--calibrate runs benchmarks", hint="name a module's folder, no file")
        if base is not None and recorded is None:
            raise UsageError(
                f"{target} is recorded, but {base} is no file to compare it with",
                hint="record the base too: go test -run='^$' -bench=. -count=10 > old.txt",
            )
        return _recorded(recorded, target, settings)
    if not is_folder(target):
        raise UsageError(
            f"{target} does not exist", hint="name a module's folder or recorded results"
        )
    module_root(target)
    if calibrate:
        if base is not None:
            raise UsageError("--calibrate compares with nothing", hint="leave out --base")
        return _calibrated(target, plan, settings, progress, announce)
    if recorded is not None:
        return _against_recording(target, recorded, plan, settings, progress, announce)
    if base is not None:
        return _against_ref(target, str(base), plan, settings, progress, announce)
    with _built([target], plan, progress) as sides:
        (results,) = benchmark_runs.run(sides, plan, plan.env, progress=progress, announce=announce)
    measured = measures.one_sided(results, plan, settings, Subject())
    return _report(measured, f"Benchmarks: {plan.count} runs of {plan.benchtime}")


def unmeasured(report: Report) -> bool:
    """Whether something that was asked for could not be measured: exit code 3."""
    return any(change.verdict is Verdict.UNKNOWN for change in report.changes) or any(
        note.level == "error" for note in report.notes
    )


def _check(plan: Plan, settings: Settings) -> None:
    for name, value in (("alpha", settings.alpha), ("fdr", settings.fdr)):
        if not 0 < value < 1:
            raise UsageError(f"--{name} is {value:g}", hint="write a number between 0 and 1: 0.05")
    if not 0 <= settings.min_effect < float("inf"):
        share = format_quantity(settings.min_effect, Unit.RATIO)
        raise UsageError(f"--min-effect is {share}", hint="write for example 5%")
    if not 1 <= plan.count <= MOST_RUNS:
        raise UsageError(
            f"--count is {plan.count}", hint=f"write 10; at least 1, at most {MOST_RUNS}"
        )


def _recorded(base: Path | None, head: Path, settings: Settings) -> Report:
    """Recorded results, as benchstat takes them."""
    after = _read(head)
    if base is None:
        alone = measures.of_text(after, settings, Subject(), str(head), str(head))
        return _report(alone, f"Benchmarks in {head}")
    names = (str(base), str(head))
    measured = measures.of_texts(_read(base), after, settings, Subject(), names)
    if not measured.changes:
        raise UsageError(
            f"{base} and {head} have no benchmark in common",
            hint="compare results of the same packages, and of the same GOMAXPROCS",
        )
    return _report(measured, f"{head} against {base}")


def _against_recording(
    target: Path,
    base: Path,
    plan: Plan,
    settings: Settings,
    progress: Progress,
    announce: Progress,
) -> Report:
    _read(base)  # before anything is run: it may hold nothing
    before = Results(text=[_text(base)])
    with _built([target], plan, progress) as sides:
        (after,) = benchmark_runs.run(sides, plan, plan.env, progress=progress, announce=announce)
    measured = measures.compared(before, after, plan, settings, Subject())
    if not any(change.base is not None for change in measured.changes):
        raise UsageError(
            f"{base} and {target} have no benchmark in common",
            hint="compare results of the same packages",
        )
    measured.notes.insert(
        0,
        Note(
            "warning",
            f"{base} was recorded at another time: differences of time may be the machine's; "
            "--base REF runs both sides in turn",
        ),
    )
    return _report(measured, f"Benchmarks against {base}")


def _against_ref(
    target: Path,
    ref: str,
    plan: Plan,
    settings: Settings,
    progress: Progress,
    announce: Progress,
) -> Report:
    repository = git.repository_of(target)
    if repository is None:
        raise UsageError(
            f"{target} is not in a git repository, so there is no {ref!r} to compare with",
            hint="compare recorded results: gocost bench --base old.txt new.txt",
        )
    commit = repository.merge_base(ref)
    progress(f"checking out {commit[:12]}")
    with ExitStack() as stack:
        clone = stack.enter_context(git.checked_out(repository, commit))
        inside = target.resolve().relative_to(repository.root.resolve())
        base = clone / inside
        if not base.is_dir():
            raise UsageError(
                f"{inside} did not exist at {commit[:12]}", hint="name a later base with --base"
            )
        try:
            built = stack.enter_context(_built([base, target], plan, progress))
        except BuildError as error:
            if str(clone) not in error.hint:
                raise
            raise BuildError(
                f"at the base ({commit[:12]}) {error.message}",
                output=error.output,
                hint="name a base that builds with --base",
            ) from error
        before, after = benchmark_runs.run(
            built, plan, plan.env, progress=progress, announce=announce
        )
    measured = measures.compared(before, after, plan, settings, Subject())
    return _report(measured, f"Benchmarks against {ref} ({commit[:12]})")


def _calibrated(
    target: Path, plan: Plan, settings: Settings, progress: Progress, announce: Progress
) -> Report:
    with _built([target], plan, progress) as (binaries,):
        before, after = benchmark_runs.run(
            [binaries, binaries], plan, plan.env, progress=progress, announce=announce
        )
    comparison = compare(before.decoded(), after.decoded(), settings)
    called = sum(row.verdict not in (Verdict.SAME, Verdict.UNKNOWN) for row in comparison.rows)
    table = benchmark_tables.noise_table(noise_floor(comparison, settings))
    return Report(
        command="bench",
        gocost=VERSION,
        tables={"noise": table},
        notes=[
            Note(
                "info",
                f"of {len(comparison.rows)} figures that did not change, {called} would have been "
                f"called changed",
            ),
            *comparison_notes(comparison, settings),
            *measures.failure_notes((before, after)),
        ],
        assumptions=[*assumptions(settings), "noise is taken as normally distributed"],
        layout=Layout(title=f"Noise floor of this machine: {plan.count} runs a side"),
    )


@contextmanager
def _built(
    directories: Sequence[Path], plan: Plan, progress: Progress
) -> Iterator[list[list[Binary]]]:
    """The test binaries of each side, as long as the context lasts."""
    with ExitStack() as stack:
        sides = []
        for directory in directories:
            folder = stack.enter_context(scratch("bench"))
            go = go_in(directory, plan.env)
            sides.append(benchmark_runs.build(go, plan, folder, progress))
        if not any(sides):
            raise SourceError(
                f"no benchmark matches {plan.pattern!r} in {' '.join(plan.packages)}",
                hint="see `go test -list Benchmark ./...`",
            )
        yield sides


def _report(measured: Measured, title: str) -> Report:
    return Report(
        command="bench",
        gocost=VERSION,
        facts=measured.facts,
        tables=measured.tables,
        changes=measured.changes,
        notes=measured.notes,
        assumptions=measured.assumptions,
        layout=Layout(
            title=f"{title}{_counted(measured.changes)}",
            tables=benchmark_tables.shown(measured.tables),
            facts=(),
        ),
    )


def _counted(changes: Sequence[Change]) -> str:
    """`: 1 worse, 2 better, 20 same`."""
    counts = Counter(change.verdict for change in changes)
    order = (Verdict.WORSE, Verdict.BETTER, Verdict.CHANGED, Verdict.SAME, Verdict.UNKNOWN)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in order if counts[verdict])
    return f": {told}" if told else ""


def _read(path: Path) -> BenchmarkText:
    text = decode(_bytes(path))
    if not text.samples:
        raise UsageError(
            f"{path} holds no benchmark results",
            hint="record them: go test -run='^$' -bench=. -count=10 > results.txt",
        )
    return text


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    with mapped(path) as buffer:
        return bytes(buffer)
