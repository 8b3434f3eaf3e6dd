"""Go benchmarks, run so that two sides can be compared: in turn, in random order, on one machine.

The test binaries of base and head are built once. A round runs every top-level benchmark once on
each side, one side right after the other, the benchmarks in a new random order each round; which
side comes first is drawn for every pair of rounds and turned round in the second (ABBA or BAAB).
So what drifts (heat, neighbours, caches) falls on both sides alike. The order follows from a seed.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gocost.analyses import benchmark_tables
from gocost.analyses.benchmarks import Comparison, Settings, compare
from gocost.formats.benchmark_text import BenchmarkText, decode, without_gomaxprocs
from gocost.measures.interface import Context, Measured, Target
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.model.report import Change, Note, Verdict
from gocost.model.service import Bench, Service
from gocost.model.subject import Subject
from gocost.sources import process
from gocost.sources.files import read_text
from gocost.sources.go_command import Go, first_complaint, go_in, place_of

GRACE = 2.0
"""Seconds that a benchmark's process has to end when it is stopped."""

TWO_DELTAS = (
    "the delta of a change is the shift, the median of all differences between a run of head and "
    "one of base: it is judged, because it is the steadier; the delta in a table is the ratio of "
    "the medians, to be held against benchstat's"
)

_DECLARED = re.compile(r"^func\s+Benchmark", re.MULTILINE)
_NAME = re.compile(r"Benchmark\S*")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which benchmarks to run, and how."""

    packages: tuple[str, ...] = ("./...",)
    pattern: str = "."
    """As for `go test -bench`."""
    count: int = 10
    """Rounds: runs of each benchmark on each side."""
    benchtime: str = "1s"
    """As for `go test -benchtime`: a duration, or `100x`."""
    flags: tuple[str, ...] = ()
    """Build flags, the same for both sides."""
    env: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1


GATE_BENCHTIME = "200ms"
"""What the gate runs: short runs, many of them, so that a pull request does not wait for hours."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One package's test binary of one side, and the benchmarks in it that were asked for."""

    package: str
    path: Path
    directory: Path
    """Where `go test` would run it."""
    benchmarks: Mapping[str, str]
    """Top-level name, and the pattern that runs it and what was asked for of its sub-benchmarks."""


@dataclass(slots=True)
class Results:
    """What the runs of one side printed, and what failed."""

    text: list[str] = field(default_factory=list)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    """(package, benchmark) to the reason; a failed benchmark is not run again."""

    def decoded(self) -> BenchmarkText:
        """All runs as one text of benchmark results, names as in the source (without `-8`)."""
        return without_gomaxprocs(decode("\n".join(self.text).encode()))


def build(go: Go, plan: Plan, folder: Path, progress: Callable[[str], None]) -> list[Binary]:
    """Builds the test binaries of all packages that hold benchmarks of the plan, into `folder`.

    Raises BuildError with the compiler's own message, SourceError where a pattern matches nothing.
    """
    binaries = []
    for number, (package, directory) in enumerate(_packages(go, plan)):
        progress(f"building the benchmarks of {package}")
        path = folder / f"{number}.test"
        arguments = ("test", "-c", "-o", str(path), *plan.flags, package)
        done = go.run(*arguments, timeout=1800)
        if not done.ok:
            raise BuildError(
                f"the tests of {package} do not build: {first_complaint(done.stderr)}",
                output=done.stderr + done.stdout,
                hint=f"run `go test -c {package}` in {go.directory}",
            )
        if path.exists():
            binary = Binary(package, path, directory, {})
            names = _list(binary, plan, go)
            if names:
                binaries.append(Binary(package, path, directory, names))
    return binaries


def run(
    sides: Sequence[Sequence[Binary]],
    plan: Plan,
    env: Mapping[str, str],
    *,
    deadline: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> list[Results]:
    """Runs the plan's rounds over one side, or over two in turn; one Results a side.

    `deadline` is on time.monotonic()'s clock. Raises SourceError when it passes.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - an order to run in, not a secret
    results = [Results() for _ in sides]
    tasks = _tasks(sides)
    orders: dict[tuple[str, str], list[int]] = {}
    for turn in range(plan.count):
        order = list(tasks)
        chance.shuffle(order)
        for number, (key, binaries) in enumerate(order, 1):
            progress(f"round {turn + 1}/{plan.count}, {number}/{len(order)}: {'.'.join(key)}")
            if turn % 2 == 0:
                orders[key] = chance.sample(sorted(binaries), len(binaries))
            else:
                orders[key].reverse()
            for side in orders[key]:
                if any(key in result.failed for result in results):
                    break
                output, reason = _run_once(binaries[side], key[1], plan, env, deadline)
                results[side].text.append(output)
                if reason:
                    results[side].failed[key] = reason
    return results


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
    with tempfile.TemporaryDirectory(prefix="gocost-bench-") as name:
        folder = Path(name)
        sides: list[list[Binary]] = []
        for side in (base, target):
            if side is not None:
                (folder / str(len(sides))).mkdir()
                root, _ = place_of(side.directory, service.package)
                go = go_in(root, plan.env)
                sides.append(build(go, plan, folder / str(len(sides)), context.progress))
        results = run(sides, plan, plan.env, deadline=context.deadline, progress=context.progress)
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
    text = results.decoded()
    found = benchmark_tables.facts(
        text.samples, alpha=settings.alpha, subject=subject, origin=_origin(plan)
    )
    return Measured(
        facts=found,
        tables=benchmark_tables.measured_tables(found),
        changes=[],
        notes=[*_failure_notes((results,)), *fault_notes(text, "the output")],
    )


def compared(
    base: Results, head: Results, plan: Plan, settings: Settings, subject: Subject
) -> Measured:
    """Facts of the head, changes and tables of the two sides' runs."""
    before, after = base.decoded(), head.decoded()
    comparison = compare(before, after, settings)
    failed = {**base.failed, **head.failed}
    return Measured(
        facts=benchmark_tables.facts(
            after.samples, alpha=settings.alpha, subject=subject, origin=_origin(plan)
        ),
        tables=benchmark_tables.comparison_tables(comparison),
        changes=[*benchmark_tables.changes(comparison, subject), *_unmeasured(failed, subject)],
        notes=[
            *comparison_notes(comparison, settings),
            *_failure_notes((base, head)),
            *fault_notes(before, "the base's output"),
            *fault_notes(after, "the head's output"),
        ],
        assumptions=[*assumptions(settings), TWO_DELTAS],
    )


def comparison_notes(comparison: Comparison, settings: Settings) -> list[Note]:
    """What a reader of a comparison should know beside its rows."""
    notes = [
        Note("warning", f"{key} is not the same: {before or 'unset'} at base, {after or 'unset'}")
        for key, before, after in comparison.differing
    ]
    few = [row for row in comparison.rows if row.verdict is Verdict.UNKNOWN]
    if few:
        runs = few[0].runs_needed
        would_do = f"{runs} runs a side would do" if runs else "no number of runs would do"
        notes.append(
            Note(
                "warning",
                f"too few runs to say anything of {len(few)} of {len(comparison.rows)} figures; "
                f"for a family of {comparison.family} tests {would_do}",
            )
        )
    open_ended = sum(
        row.verdict is Verdict.SAME
        and not row.exact
        and bool(row.base.value)
        and max(abs(row.low or 0), abs(row.high or 0)) > settings.min_effect * abs(row.base.value)
        for row in comparison.rows
    )
    if open_ended:
        notes.append(
            Note(
                "info",
                f"{open_ended} figures show no change but are too noisy to rule out one of "
                f"{100 * settings.min_effect:.3g}%: their intervals say how much",
            )
        )
    for side, keys in (("base", comparison.only_base), ("head", comparison.only_head)):
        if keys:
            names = list(dict.fromkeys(name for _, name, _ in keys))
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")
            notes.append(Note("info", f"only in the {side}, not compared: {shown}"))
    for mean in comparison.geomeans[:8]:
        if mean.ratio is not None and mean.benchmarks > 1:
            where = f" of {mean.package}" if mean.package else ""
            notes.append(
                Note(
                    "info",
                    f"geometric mean of {mean.unit} over {mean.benchmarks} benchmarks{where}: "
                    f"{mean.ratio - 1:+.2%}",
                )
            )
    return notes


def fault_notes(text: BenchmarkText, where: str) -> list[Note]:
    """The lines that could not be read."""
    if not text.fault_count:
        return []
    first = text.faults[0]
    more = f", and {text.fault_count - 1} more" if text.fault_count > 1 else ""
    return [Note("warning", f"{where}, line {first.line}, left out: {first.message}{more}")]


def assumptions(settings: Settings) -> list[str]:
    """How changes are called, in words a person can check."""
    return [
        f"a change is called where its q, adjusted over all tests, is at most {settings.fdr:g} and "
        f"its shift at least {100 * settings.min_effect:.3g}% of the base's median",
        f"intervals cover {100 * (1 - settings.alpha):.3g}%; bytes and allocations that do not "
        "vary are compared without a test",
    ]


def _packages(go: Go, plan: Plan) -> list[tuple[str, Path]]:
    """Import path and folder of the packages whose test files declare a benchmark."""
    fields = "ImportPath,Dir,TestGoFiles,XTestGoFiles,Error"
    found = []
    for package in go.packages(*plan.flags, *plan.packages, fields=fields):
        files = [*(package.get("TestGoFiles") or ()), *(package.get("XTestGoFiles") or ())]
        if package.get("Error") and not files:
            raise SourceError(
                f"{package['ImportPath']}: {package['Error'].get('Err', 'it cannot be loaded')}",
                hint=f"see `go list {' '.join(plan.packages)}` in {go.directory}",
            )
        directory = Path(package.get("Dir", ""))
        # Building a test binary takes seconds; a package without benchmarks needs none.
        if any(_DECLARED.search(read_text(directory / name)) for name in files):
            found.append((package["ImportPath"], directory))
    return found


def _list(binary: Binary, plan: Plan, go: Go) -> dict[str, str]:
    """The top-level benchmarks that the plan's pattern matches, and the pattern to run each by."""
    found: dict[str, str] = {}
    for top, rest in alternatives(plan.pattern):
        # An empty pattern would not list but run the tests.
        arguments: list[str | Path] = [binary.path, f"-test.list={top or '.'}"]
        done = process.run(arguments, cwd=binary.directory, env=go.env, timeout=300)
        if not done.ok:
            raise _not_listed(binary, plan, first_complaint(done.stderr or done.stdout))
        for name in done.stdout.splitlines():
            if _NAME.fullmatch(name):
                one = f"^{re.escape(name)}${rest}"
                found[name] = f"{found[name]}|{one}" if name in found else one
    return found


def _not_listed(binary: Binary, plan: Plan, complaint: str) -> SourceError | UsageError:
    if "invalid" in complaint or "regexp" in complaint:
        return UsageError(
            f"{plan.pattern!r} is not a pattern of benchmarks: {complaint}",
            hint="write a regular expression as for `go test -bench`",
        )
    return SourceError(
        f"the test binary of {binary.package} does not list its benchmarks: {complaint}",
        hint=f"run `go test -list . {binary.package}`",
    )


def alternatives(pattern: str) -> list[tuple[str, str]]:
    """What a `-bench` pattern says: (for the top-level name, the rest from its slash on) each.

    As in Go's own matcher, bars part alternatives and slashes part levels, except inside brackets
    and parentheses.
    """
    found: list[tuple[str, str]] = []
    square = round_ = start = 0
    slash = -1
    skip = False
    for at, letter in enumerate(pattern + "|"):
        if skip:
            skip = False
        elif letter == "\\" and at < len(pattern) - 1:
            skip = True
        elif letter == "[":
            square += 1
        elif letter == "]":
            square = max(0, square - 1)
        elif letter in "()" and not square:
            round_ += 1 if letter == "(" else -1
        elif letter == "/" and not square and not round_ and slash < 0:
            slash = at
        elif at == len(pattern) or (letter == "|" and not square and not round_):
            end = at if slash < 0 else slash
            found.append((pattern[start:end], pattern[end:at]))
            start, slash = at + 1, -1
    return found


def _tasks(
    sides: Sequence[Sequence[Binary]],
) -> list[tuple[tuple[str, str], dict[int, Binary]]]:
    """(package, benchmark) and the binaries that have it, by side."""
    tasks: dict[tuple[str, str], dict[int, Binary]] = {}
    for side, binaries in enumerate(sides):
        for binary in binaries:
            for name in binary.benchmarks:
                tasks.setdefault((binary.package, name), {})[side] = binary
    return list(tasks.items())


def _run_once(
    binary: Binary, benchmark: str, plan: Plan, env: Mapping[str, str], deadline: float
) -> tuple[str, str]:
    """One run of one benchmark: what it printed, and why it failed (or an empty string)."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceError(
            "the time for benchmarks is over",
            hint="run fewer with --bench or --count, or shorter ones with --benchtime",
        )
    done = process.run(
        [
            binary.path,
            "-test.run=^$",
            f"-test.bench={binary.benchmarks[benchmark]}",
            f"-test.benchtime={plan.benchtime}",
            "-test.count=1",
            "-test.benchmem",
        ],
        cwd=binary.directory,
        env=env,
        timeout=left if left < float("inf") else None,
    )
    if done.ok:
        return done.stdout, ""
    if "invalid value" in done.stderr and "benchtime" in done.stderr:
        raise UsageError(
            f"{plan.benchtime!r} is not a benchtime", hint="write a duration (500ms) or 100x"
        )
    return done.stdout, _reason(done)


def _reason(done: process.Completed) -> str:
    """What a failed benchmark said, in one line."""
    lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines()]
    for line in lines:
        if line.startswith(("panic:", "fatal error:", "--- FAIL")):
            at = lines.index(line)
            told = next((text for text in lines[at + 1 :] if text), "")
            return f"{line} {told}".strip() if line.startswith("--- FAIL") else line
    return f"it ended with status {done.returncode}"


def _failure_notes(sides: Iterable[Results]) -> list[Note]:
    notes = []
    for result in sides:
        for (package, name), reason in result.failed.items():
            notes.append(Note("error", f"{package}.{name} failed: {reason}"))
    return notes


def _unmeasured(failed: Iterable[tuple[str, str]], subject: Subject) -> list[Change]:
    """A benchmark that failed on a side has no figures there, which is unknown and not the same."""
    from gocost.model.quantity import Unit

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
