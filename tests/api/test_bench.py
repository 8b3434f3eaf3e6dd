"""`gocost bench` as a function and as a command, on real modules and recorded files."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gocost.analyses.benchmarks import Settings
from gocost.api.bench import bench, unmeasured
from gocost.cli.main import run
from gocost.measures.benchmark_runs import Plan
from gocost.model.errors import BuildError, SourceError, UsageError
from gocost.model.report import Report, Verdict
from tests.fixtures.go_module import benchmark_module

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go (go.dev/dl)")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

QUICK = Plan(benchtime="20x", count=2)


def recorded(path: Path, factor: float, runs: int = 6) -> Path:
    lines = ["goos: linux", "pkg: example.com/shop"]
    for run_ in range(runs):
        lines.append(f"BenchmarkAdd-8 100 {(100 + run_) * factor:.1f} ns/op 16 B/op 1 allocs/op")
        lines.append(f"BenchmarkSub-8 100 {70 + run_:.1f} ns/op 16 B/op 1 allocs/op")
    path.write_text("\n".join(lines))
    return path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def repository(folder: Path) -> Path:
    """A module whose last commit, and what is not committed, allocate more than `main`."""
    benchmark_module(folder)
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "as it was")
    git(folder, "checkout", "-b", "work")
    source = folder / "cart" / "cart.go"
    source.write_text(source.read_text().replace("range n", "range n + 7"))
    git(folder, "commit", "-am", "more")
    source.write_text(source.read_text().replace("n + 7", "n + 9"))
    return folder


def verdict(report: Report, metric: str, benchmark: str) -> Verdict:
    return next(
        change.verdict
        for change in report.changes
        if change.metric == metric and change.labels["benchmark"] == benchmark
    )


def test_recorded_results_are_compared_as_benchstat_does(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.txt", 1.0), recorded(tmp_path / "new.txt", 1.5)
    report = bench(new, base=old)
    assert verdict(report, "bench.time", "Add-8") is Verdict.WORSE
    assert verdict(report, "bench.time", "Sub-8") is Verdict.SAME
    assert verdict(report, "bench.allocations", "Add-8") is Verdict.SAME
    table = report.tables["benchmarks"]
    row = dict(zip(table.names(), table.rows[0], strict=True))
    assert (row["benchmark"], row["unit"], row["base_n"]) == ("Add-8", "sec/op", 6)
    assert row["delta"] == pytest.approx(0.5)
    assert row["p"] == pytest.approx(2 / 924)
    assert row["q"] == pytest.approx(4 / 924)
    assert not unmeasured(report)


def test_a_report_with_two_deltas_says_which_is_which(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.txt", 1.0), recorded(tmp_path / "new.txt", 1.5)
    report = bench(new, base=old)
    for name in report.layout.tables or ():
        assert "delta: medians, bounds: shift" in report.tables[name].title
    assert any("delta of a change is the shift" in text for text in report.assumptions)
    # one side alone has neither
    alone = bench(old)
    assert not any("shift" in table.title for table in alone.tables.values())
    assert not any("delta" in text for text in alone.assumptions)


def test_one_recording_alone_is_summed_up(tmp_path: Path) -> None:
    report = bench(recorded(tmp_path / "old.txt", 1.0))
    fact = report.fact("bench.time", benchmark="Add-8")
    assert fact is not None
    assert fact.value == pytest.approx(102.5e-9)
    assert fact.n == 6
    assert fact.low is not None
    assert fact.low < float(fact.value)


def test_every_row_is_shown_to_people_in_units_of_its_own(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.txt", 1.0), recorded(tmp_path / "new.txt", 1.5)
    report = bench(new, base=old)
    shown = report.layout.tables
    assert shown == ("benchmarks.time", "benchmarks.bytes", "benchmarks.allocations")
    assert sum(len(report.tables[name].rows) for name in shown) == len(
        report.tables["benchmarks"].rows
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--base", "old.txt", "new.txt"], 0, ""),
        (["--base", "few.txt", "few.txt"], 3, ""),
        (["--base", "nope", "new.txt"], 2, "nope is no file"),
        (["--base", "old.txt", "other.txt"], 2, "no benchmark in common"),
        (["empty.txt"], 2, "holds no benchmark results"),
        (["gone.txt"], 2, "does not exist"),
        (["--calibrate", "new.txt"], 2, "--calibrate runs benchmarks"),
        (["--alpha", "0", "new.txt"], 2, "--alpha is 0"),
        (["--fdr", "1", "new.txt"], 2, "--fdr is 1"),
        (["--min-effect", "much", "new.txt"], 2, "'much' is not a quantity"),
        (["--min-effect", "-5%", "new.txt"], 2, "--min-effect is -5%"),
        (["--count", "0", "new.txt"], 2, "--count is 0; write 10"),
        (["--count", "1001", "."], 2, "--count is 1001; write 10; at least 1, at most 1000"),
        (["--base", "old.txt", "long.txt"], 2, "Add-8 has 1,001 runs in the head, more than 1,000"),
    ],
)
def test_the_command_exits_as_promised(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded(tmp_path / "old.txt", 1.0)
    recorded(tmp_path / "new.txt", 1.5)
    recorded(tmp_path / "few.txt", 1.0, runs=2)
    recorded(tmp_path / "long.txt", 1.0, runs=1001)
    (tmp_path / "other.txt").write_text("BenchmarkOther 1 1 ns/op\n")
    (tmp_path / "empty.txt").write_text("PASS\n")
    monkeypatch.chdir(tmp_path)
    assert run(["bench", *arguments]) == code
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == (1 if told else 0)


def test_too_few_runs_are_told_with_the_number_that_would_do(tmp_path: Path) -> None:
    few = recorded(tmp_path / "few.txt", 1.0, runs=2)
    report = bench(few, base=few)
    assert unmeasured(report)
    (note,) = [note for note in report.notes if note.level == "warning"]
    assert "for a family of 2 tests 5 runs a side would do" in note.text


def test_a_change_needs_the_smallest_effect_that_was_asked_for(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.txt", 1.0), recorded(tmp_path / "new.txt", 1.5)
    report = bench(new, base=old, settings=Settings(min_effect=0.6))
    assert {change.verdict for change in report.changes} == {Verdict.SAME}


@needs_go
@needs_git
def test_a_branch_is_compared_with_its_merge_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a repository whose work tree allocates more than `main`
    folder = repository(tmp_path / "shop")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    # when the command compares it, from a folder inside the module
    monkeypatch.chdir(folder)
    code = run(
        ["bench", "--base=main", "--benchtime=20x", "--count=2", "--bench=Copies", "--format=json"]
    )
    # then the work tree as it is was measured against the base: a certain change of allocations
    report = json.loads(capsys.readouterr().out)
    changes = {change["metric"]: change for change in report["changes"]}
    assert changes["bench.allocations"]["base"] == 101
    assert changes["bench.allocations"]["head"] >= 110
    assert changes["bench.allocations"]["verdict"] == "worse"
    # and two runs of time are too few to say anything
    assert changes["bench.time"]["verdict"] == "unknown"
    assert code == 3
    # nothing was changed in the tree, and nothing was left behind
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert list((tmp_path / "temporary").iterdir()) == []


@needs_go
@needs_git
def test_a_base_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    with pytest.raises(UsageError, match="not in a git repository"):
        bench(folder, base="main", plan=QUICK)
    git(folder, "init", "--initial-branch=main")
    git(folder, "commit", "--allow-empty", "-m", "nothing yet")
    with pytest.raises(UsageError, match="no commit 'nope'"):
        bench(folder, base="nope", plan=QUICK)
    with pytest.raises(SourceError):
        bench(folder, base="main", plan=QUICK)


@needs_go
@needs_git
def test_a_base_that_does_not_build_is_named_as_the_base(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    source = folder / "cart" / "cart.go"
    good = source.read_text()
    source.write_text(good + "func broken() int { return wrong }\n")
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "broken")
    source.write_text(good)
    with pytest.raises(BuildError, match="at the base") as caught:
        bench(folder, base="main", plan=QUICK)
    assert "undefined: wrong" in caught.value.output


@needs_go
def test_a_recorded_base_is_compared_with_what_runs_now_and_a_warning(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    base = tmp_path / "base.txt"
    base.write_text(
        "pkg: example.com/shop/cart\n" + "BenchmarkCopies-8 1 9 ns/op 9 B/op 90 allocs/op\n" * 2
    )
    report = bench(folder, base=base, plan=Plan(benchtime="20x", count=2, pattern="Copies"))
    assert "recorded at another time" in report.notes[0].text
    assert verdict(report, "bench.allocations", "Copies") is Verdict.WORSE


@needs_go
def test_a_recorded_base_that_holds_nothing_is_refused_before_anything_runs(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    base = tmp_path / "base.txt"
    base.write_text("PASS\n")
    told: list[str] = []
    with pytest.raises(UsageError, match=r"base\.txt holds no benchmark results"):
        bench(folder, base=base, plan=QUICK, progress=told.append)
    assert told == []


@needs_go
def test_calibration_runs_a_against_a(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    plan = Plan(benchtime="20x", count=4, pattern="Sum/small")
    report = bench(folder, plan=plan, calibrate=True)
    table = report.tables["noise"]
    rows = [dict(zip(table.names(), row, strict=True)) for row in table.rows]
    time_row = next(row for row in rows if row["metric"] == "bench.time")
    assert time_row["benchmark"] == "Sum/small"
    assert time_row["n"] == 4
    assert isinstance(time_row["noise"], float)
    assert next(r for r in rows if r["metric"] == "bench.allocations")["found"] == 0.05
    assert "would have been called changed" in report.notes[0].text


@needs_go
def test_without_a_match_there_is_nothing_to_measure(tmp_path: Path) -> None:
    folder = benchmark_module(tmp_path / "shop")
    with pytest.raises(SourceError, match="no benchmark matches 'Nothing'"):
        bench(folder, plan=Plan(pattern="Nothing"))


def test_a_folder_that_is_no_module_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a Go module"):
        bench(tmp_path, plan=QUICK)


def test_comparing_imports_no_scipy() -> None:
    import sys

    code = "import sys, gocost.api.bench; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
