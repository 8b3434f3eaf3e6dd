"""Building and running Go benchmarks: the real go command, real test binaries."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gocost.analyses.benchmark_pattern import alternatives
from gocost.analyses.benchmarks import Settings
from gocost.measures import benchmark_runs, benchmarks
from gocost.measures.benchmark_runs import Plan
from gocost.measures.interface import Context, Target
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.model.report import Verdict
from gocost.model.service import Bench, Build, Service
from gocost.model.subject import Subject
from gocost.sources.go_command import go_in
from tests.fixtures.go_module import benchmark_module

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go (go.dev/dl)")

QUICK = Plan(benchtime="20x", count=2)


def tell(_: str) -> None:
    """Nobody is told."""


def running(word: str) -> list[str]:
    """The processes that have this word among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if word.encode() in arguments:
            found.append(path.parent.name)
    return found


def built(folder: Path, into: Path, plan: Plan) -> list[benchmark_runs.Binary]:
    into.mkdir()
    return benchmark_runs.build(go_in(folder), plan, into, tell)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (".", [(".", "")]),
        ("Sum/small", [("Sum", "/small")]),
        ("A|B", [("A", ""), ("B", "")]),
        ("A/x|B/y/z", [("A", "/x"), ("B", "/y/z")]),
        ("(A|B)/x", [("(A|B)", "/x")]),
        ("[/|]x/y", [("[/|]x", "/y")]),
        (r"A\/b/c", [(r"A\/b", "/c")]),
        ("/small", [("", "/small")]),
        ("A\\", [("A\\", "")]),
    ],
)
def test_a_pattern_is_parted_as_gos_matcher_does(
    pattern: str, parts: list[tuple[str, str]]
) -> None:
    assert alternatives(pattern) == parts


def test_only_packages_with_benchmarks_are_built_and_listed(tmp_path: Path) -> None:
    # given a module of three packages, one without tests and one with tests but no benchmark
    folder = benchmark_module(tmp_path / "shop")
    # when its benchmarks are built
    (binary,) = built(folder, tmp_path / "bin", QUICK)
    # then the one package is there, with its top-level benchmarks, run where go test runs them
    assert binary.package == "example.com/shop/cart"
    assert binary.directory == folder / "cart"
    assert dict(binary.benchmarks) == {
        "BenchmarkSum": "^BenchmarkSum$",
        "BenchmarkCopies": "^BenchmarkCopies$",
    }


def test_a_pattern_chooses_sub_benchmarks(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    plan = Plan(benchtime="20x", count=1, pattern="Sum/small|Copies")
    sides = [built(folder, tmp_path / "bin", plan)]
    (results,) = benchmark_runs.run(sides, plan, {})
    names = {sample.name for sample in results.decoded().samples}
    assert names == {"Sum/small", "Copies"}


def test_both_sides_run_in_turn_and_the_order_follows_from_the_seed(tmp_path: Path) -> None:
    # given benchmarks that write down each run, in a file outside
    folder = benchmark_module(tmp_path / "shop")
    log = tmp_path / "log"

    def order(seed: int) -> list[str]:
        log.write_text("")
        plan = Plan(benchtime="1x", count=4, seed=seed)
        sides = []
        for name in "AB":
            script = tmp_path / f"{name}.sh"
            # The wrapper notes which side runs, and then is the test binary.
            script.write_text(f'#!/bin/sh\necho "{name} $2" >> {log}\nexec {binary.path} "$@"\n')
            script.chmod(0o755)
            sides.append([replace(binary, path=script)])
        benchmark_runs.run(sides, plan, {})
        return log.read_text().splitlines()

    (binary,) = built(folder, tmp_path / "bin", QUICK)
    first, again, other = order(1), order(1), order(2)
    # then each seed has an order of its own
    assert first == again
    assert first != other
    assert len(first) == 2 * 2 * 4
    for run in (first, other):
        pairs = [(run[i], run[i + 1]) for i in range(0, len(run), 2)]
        # and the two sides of a benchmark run one right after the other,
        assert all(one.split()[1] == two.split()[1] for one, two in pairs)
        assert all({one[0], two[0]} == {"A", "B"} for one, two in pairs)
        # each side first in half of the rounds.
        for name in ("BenchmarkSum", "BenchmarkCopies"):
            leads = [one[0] for one, _ in pairs if name in one]
            assert sorted(leads) == ["A", "A", "B", "B"]


@pytest.mark.parametrize(
    ("long", "said"),
    [
        (0.0, [r"running 2 benchmarks 2 more times, base and head in turn, about [\d.]+ m?s"]),
        (1e9, []),
    ],
)
def test_what_the_rounds_after_the_first_will_take_is_said_once_where_it_is_long(
    long: float, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_runs, "LONG", long)
    folder = benchmark_module(tmp_path / "shop")
    plan = Plan(benchtime="1x", count=3)
    sides = [built(folder, tmp_path / "bin", plan)] * 2
    told: list[str] = []
    benchmark_runs.run(sides, plan, {}, announce=told.append)
    assert len(told) == len(said)
    assert all(re.fullmatch(pattern, text) for pattern, text in zip(said, told, strict=True))


def test_a_benchmark_that_fails_is_told_and_not_run_again(tmp_path: Path) -> None:
    folder = benchmark_module(
        tmp_path / "shop",
        'func BenchmarkBad(b *testing.B) { b.Fatal("no database") }\n'
        'func BenchmarkWorse(b *testing.B) { panic("gone") }\n',
    )
    plan = Plan(benchtime="1x", count=3)
    sides = [built(folder, tmp_path / "bin", plan)] * 2
    base, head = benchmark_runs.run(sides, plan, {})
    failed = {**base.failed, **head.failed}
    assert "no database" in failed["example.com/shop/cart", "BenchmarkBad"]
    assert "panic: gone" in failed["example.com/shop/cart", "BenchmarkWorse"]
    # each failed once, on one of the sides
    assert len(base.failed) + len(head.failed) == 2
    measured = benchmarks.compared(base, head, plan, Settings(), Subject())
    unknown = [c for c in measured.changes if c.base is None]
    assert {c.labels["benchmark"] for c in unknown} == {"Bad", "Worse"}
    assert {c.verdict for c in unknown} == {Verdict.UNKNOWN}
    assert [n.level for n in measured.notes].count("error") == 2


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
def test_what_takes_too_long_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    # given a benchmark that starts a program and never ends
    mark = f"1{time.time_ns() % 10**8:08d}"
    folder = benchmark_module(
        tmp_path / "shop",
        "func BenchmarkStuck(b *testing.B) {\n"
        f'exec.Command("sleep", "{mark}").Start()\ntime.Sleep(time.Hour)\n}}\n',
        imports=('"os/exec"', '"time"'),
    )
    plan = Plan(benchtime="1x", count=1, pattern="Stuck")
    sides = [built(folder, tmp_path / "bin", plan)]
    # when the time is over, then that is said, and nothing is left running
    with pytest.raises(SourceError, match=r"did not end|is over"):
        benchmark_runs.run(sides, plan, {}, deadline=time.monotonic() + 2)
    limit = time.monotonic() + 10
    while running(mark) and time.monotonic() < limit:
        time.sleep(0.02)
    assert running(mark) == []


def test_a_deadline_that_has_passed_runs_nothing(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    sides = [built(folder, tmp_path / "bin", QUICK)]
    with pytest.raises(SourceError, match="the time for benchmarks is over"):
        benchmark_runs.run(sides, QUICK, {}, deadline=time.monotonic() - 1)


def test_faults_of_the_user_are_told_as_such(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    with pytest.raises(UsageError, match="not a pattern"):
        built(folder, tmp_path / "a", Plan(pattern="("))
    with pytest.raises(SourceError, match="nope"):
        built(folder, tmp_path / "b", Plan(packages=("./nope",)))
    plan = Plan(benchtime="soon")
    sides = [built(folder, tmp_path / "c", plan)]
    with pytest.raises(UsageError, match="not a benchtime"):
        benchmark_runs.run(sides, plan, {})
    (folder / "cart" / "cart.go").write_text("package cart\n\nfunc Sum() int { return wrong }\n")
    with pytest.raises(BuildError) as caught:
        built(folder, tmp_path / "d", QUICK)
    assert "undefined: wrong" in caught.value.output


def test_the_measure_gives_facts_and_changes_against_a_base(tmp_path: Path) -> None:
    # given a module, and a base of it that allocates less
    base = benchmark_module(tmp_path / "base")
    head = benchmark_module(tmp_path / "head")
    source = head / "cart" / "cart.go"
    source.write_text(source.read_text().replace("range n", "range n + 7"))
    build = Build(flags=("-trimpath", "-ldflags=-s -w"))
    # when the gate measures it, with two runs of few iterations
    service = Service(name="shop", build=build, bench=Bench(benchtime="20x", count=2))
    measured = benchmarks.measure(
        Target(service, head), Context(cache=tmp_path), Target(service, base)
    )
    # then the head's figures are facts, and five percent more allocations a certain change
    fact = next(f for f in measured.facts if f.metric == "bench.allocations" and f.n == 2)
    assert fact.labels.keys() == {"benchmark", "package"}
    change = next(
        c
        for c in measured.changes
        if c.metric == "bench.allocations" and c.labels["benchmark"] == "Copies"
    )
    assert (change.base, change.verdict) == (101, Verdict.WORSE)
    assert change.delta is not None
    assert change.delta >= 7
    # and without a base there are facts alone
    alone = benchmarks.measure(Target(service, head), Context(cache=tmp_path))
    assert {f.metric for f in alone.facts} == {f.metric for f in measured.facts}
    assert alone.changes == []


def test_a_module_without_benchmarks_is_skipped_with_the_reason(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    (folder / "cart" / "cart_test.go").unlink()
    target = Target(Service(name="shop"), folder)
    measured = benchmarks.measure(target, Context(cache=tmp_path))
    assert measured.skipped == {"bench.*": "the module has no benchmarks"}
    # but those that the policy names should be there
    declared = Target(Service(name="shop", bench=Bench(bench="Copies")), folder)
    measured = benchmarks.measure(declared, Context(cache=tmp_path))
    assert measured.unknown == {"bench.*": "no benchmark matches 'Copies' in ./..."}
