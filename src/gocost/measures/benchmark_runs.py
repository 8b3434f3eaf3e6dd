"""Go benchmarks, run so that two sides can be compared: in turn, in random order, on one machine.

The test binaries of base and head are built once. A round runs every top-level benchmark once on
each side, one side right after the other, the benchmarks in a new random order each round; which
side comes first is drawn for every pair of rounds and turned round in the second (ABBA or BAAB).
So what drifts (heat, neighbours, caches) falls on both sides alike. The order follows from a seed.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gocost.analyses.benchmark_pattern import alternatives
from gocost.formats.benchmark_text import BenchmarkText, decode, without_gomaxprocs
from gocost.measures.interface import LONG
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.model.quantity import Unit, format_quantity
from gocost.sources import process
from gocost.sources.files import read_text
from gocost.sources.go_command import Go, first_complaint

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
    wanted = alternatives(plan.pattern)
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
        if path.exists() and (names := _list(package, path, directory, wanted, plan, go)):
            binaries.append(Binary(package, path, directory, names))
    return binaries


def run(
    sides: Sequence[Sequence[Binary]],
    plan: Plan,
    env: Mapping[str, str],
    *,
    deadline: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
) -> list[Results]:
    """Runs the plan's rounds over one side, or over two in turn; one Results a side.

    `deadline` is on time.monotonic()'s clock; `announce` is told how long the rounds after the
    first will take, where that is long. Raises SourceError when the deadline passes.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - an order to run in, not a secret
    results = [Results() for _ in sides]
    tasks = _tasks(sides)
    orders: dict[tuple[str, str], list[int]] = {}
    began = time.monotonic()
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
        # Only a round that was run tells how long one is: `-benchtime` may be a number of runs.
        left = (plan.count - 1) * (time.monotonic() - began)
        if turn == 0 and left >= LONG:
            announce(_rest(len(tasks), plan.count - 1, len(sides), left))
    return results


def _rest(benchmarks: int, rounds: int, sides: int, seconds: float) -> str:
    what = "1 benchmark" if benchmarks == 1 else f"{benchmarks:,} benchmarks"
    more = "1 more time" if rounds == 1 else f"{rounds:,} more times"
    how = ", base and head in turn" if sides > 1 else ""
    return f"running {what} {more}{how}, about {format_quantity(seconds, Unit.SECONDS)}"


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


def _list(
    package: str,
    path: Path,
    directory: Path,
    wanted: Sequence[tuple[str, str]],
    plan: Plan,
    go: Go,
) -> dict[str, str]:
    """The top-level benchmarks of a test binary that are `wanted`, and the pattern to run each."""
    found: dict[str, str] = {}
    for top, rest in wanted:
        # An empty pattern would not list but run the tests.
        arguments: list[str | Path] = [path, f"-test.list={top or '.'}"]
        done = process.run(arguments, cwd=directory, env=go.env, timeout=300)
        if not done.ok:
            raise _not_listed(package, plan, first_complaint(done.stderr or done.stdout))
        for name in done.stdout.splitlines():
            if _NAME.fullmatch(name):
                one = f"^{re.escape(name)}${rest}"
                found[name] = f"{found[name]}|{one}" if name in found else one
    return found


def _not_listed(package: str, plan: Plan, complaint: str) -> SourceError | UsageError:
    if "invalid" in complaint or "regexp" in complaint:
        return UsageError(
            f"{plan.pattern!r} is not a pattern of benchmarks: {complaint}",
            hint="write a regular expression as for `go test -bench`",
        )
    return SourceError(
        f"the test binary of {package} does not list its benchmarks: {complaint}",
        hint=f"run `go test -list . {package}`",
    )


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
    said = (line.strip() for line in f"{done.stderr}\n{done.stdout}".splitlines())
    for line in said:
        if line.startswith(("panic:", "fatal error:")):
            return line
        if line.startswith("--- FAIL"):
            return f"{line} {next(filter(None, said), '')}".strip()
    return f"it ended with status {done.returncode}"
