"""Benchmarks in the gate: the payments example with a regression in it, and the policy's `bench:`.

Runs are counted in operations, so that what is measured takes no time to speak of. No real time is
judged, which depends on what else the machine does: `Clock` reports times that are written down.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gocost.api.bench import bench
from gocost.cli.main import run
from gocost.gate.benchmarks import declared_for
from gocost.gate.verdict import exit_code
from gocost.model.errors import ExitCode, PolicyError, UsageError
from gocost.model.finding import Finding, Outcome
from gocost.model.report import Report
from tests.gate.modules import checked, needs_go
from tests.sources.repositories import commit, git, module, policy

pytestmark = needs_go

PAYMENTS = Path(__file__).parent.parent.parent / "examples" / "payments"
POLICY = """\
services:
  payments:
    package: ./cmd/payments
    bench:
      packages: [./internal/signature]
      bench: "Sign|Verify|Clock"
      count: 8
      benchtime: 300x
      min_effect: 15%
      fdr: 1%
    rules:
      - {metric: bench.allocations, growth: 0%, select: {benchmark: Verify}}
      - {id: sign, metric: bench.allocations, growth: 0%, select: {benchmark: Sign}}
      - {metric: bench.time, growth: 10%}
      - {id: new.time, metric: bench.time, growth: 10%, select: {benchmark: VerifyNew}}
      - {id: new.bytes, metric: bench.bytes, growth: 10%, select: {benchmark: VerifyNew}}
"""
WORSE = """
func (s *Signer) Verify(header string, message Message) error {
	waste = make([][]byte, 0)
	for i := 0; i < 4096; i++ {
		waste = append(waste, make([]byte, 64))
	}
	return s.verify(header, message)
}

var waste [][]byte
"""
CLOCK = """
package signature

import "testing"

func BenchmarkClock(b *testing.B) { b.ReportMetric(NS, "ns/op") }
"""

TEST = """\
package {package}

import "testing"

func Benchmark{name}(b *testing.B) {{
	for i := 0; i < b.N; i++ {{
	}}
}}
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    """The example on a branch where `Verify` allocates more and `Clock` tells twice the time."""
    root = tmp_path / "payments"
    shutil.copytree(PAYMENTS, root)
    policy(root, POLICY)
    clock = root / "internal/signature/clock_test.go"
    clock.write_text(CLOCK.replace("NS", "1000"))
    commit(root)
    git(root, "checkout", "--quiet", "-b", "topic")
    source = root / "internal/signature/signature.go"
    text = source.read_text()
    assert text.count(") Verify(") == 1
    source.write_text(text.replace(") Verify(", ") verify(") + WORSE)
    tests = root / "internal/signature/signature_test.go"
    text = tests.read_text()
    verify = text[text.index("func BenchmarkVerify(") :]
    tests.write_text(text + verify.replace("BenchmarkVerify", "BenchmarkVerifyNew", 1))
    clock.write_text(CLOCK.replace("NS", "2000"))
    commit(root)
    return root


def found(report: Report, rule: str) -> dict[str, Finding]:
    """The findings of a rule, by benchmark."""
    return {
        each.fact.labels["benchmark"] if each.fact else "": each
        for each in report.findings
        if each.rule == rule
    }


def test_a_regression_of_a_benchmark_blocks(payments: Path) -> None:
    report = checked(payments, "main")
    # the benchmark that allocates more breaks the rule that selects it, the other keeps its own
    verify = found(report, "bench.allocations")["Verify"]
    assert verify.outcome is Outcome.VIOLATED
    assert "over growth 0%" in verify.message
    assert found(report, "sign")["Sign"].outcome is Outcome.PASS
    # and so is a time that has doubled
    assert found(report, "bench.time")["Clock"].outcome is Outcome.VIOLATED
    assert exit_code(report) == ExitCode.VIOLATED
    # a benchmark that the base does not have yet is no failure of anything
    for rule in ("new.time", "new.bytes"):
        (new,) = found(report, rule).values()
        assert new.outcome is Outcome.SKIPPED
        assert "VerifyNew, example.com/payments/internal/signature is not in main" in new.reason
    # as the policy says: its packages, its runs, its smallest effect
    fact = report.fact("bench.allocations", benchmark="Verify")
    assert fact is not None
    assert fact.n == 8
    assert fact.origin == "8 runs of -test.benchtime=300x, seed 1"
    assert {each.labels["package"] for each in report.changes} == {
        "example.com/payments/internal/signature"
    }
    assert any("at most 0.01" in text and "at least 15%" in text for text in report.assumptions)


def test_the_command_takes_its_defaults_from_the_policy(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "packages: [./cmd/app], count: 3, benchtime: 10x, min_effect: 20%"
    policy(shop, f"services:\n  app: {{package: ./cmd/app, bench: {{{own}}}}}\n")
    monkeypatch.chdir(shop)
    # what the command line says goes before it
    assert run(["bench", "--count", "2", "--format", "json"]) == 0
    printed = capsys.readouterr().out
    assert "2 runs of -test.benchtime=10x" in printed
    assert "Sell" in printed
    assert "Other" not in printed
    # the function has the same defaults, and they hold in the folders inside
    monkeypatch.chdir(shop / "lib")
    report = bench()
    assert report.notes[0].text.startswith("run as `bench:` of app in ")
    assert runs(report) == {3}
    assert {fact.labels["benchmark"] for fact in report.facts} == {"Sell"}
    # a folder that is named is what is wanted
    named = bench(shop / "lib")
    assert {fact.labels["benchmark"] for fact in named.facts} == {"Other"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two modules below one folder; `shop` has two benchmarks."""
    root = module(tmp_path / "work" / "shop")
    module(tmp_path / "work" / "other", "example.com/other", ("cmd/other", "cmd/more"))
    (root / "cmd/app/main_test.go").write_text(TEST.format(package="main", name="Sell"))
    (root / "lib").mkdir()
    (root / "lib/lib_test.go").write_text(TEST.format(package="lib", name="Other"))
    return root


def runs(report: Report) -> set[int | None]:
    return {fact.n for fact in report.facts}


def test_a_policy_of_other_modules_is_none_of_the_command_s_business(shop: Path) -> None:
    quick = "bench: {count: 2, benchtime: 10x}"
    above = shop.parent
    assert declared_for(shop) is None
    policy(above, f"services:\n  other: {{package: ./other/cmd/other, {quick}}}\n")
    assert declared_for(shop) is None
    policy(above, f"services:\n  other: {{package: ./other/cmd/other, {quick}, wrong: 1}}\n")
    assert declared_for(shop) is None
    # but one that has a service of this module has to be right
    policy(above, f"services:\n  app: {{package: ./shop/cmd/app, {quick}}}\n")
    declared = declared_for(shop)
    assert declared is not None
    assert (declared.service, declared.plan.count) == ("app", 2)
    policy(above, f"services:\n  app: {{package: ./shop/cmd/app, {quick}, wrong: 1}}\n")
    with pytest.raises(PolicyError, match="no key 'wrong'"):
        bench(shop)
    (shop / "gocost.yaml").write_text("version: [")
    with pytest.raises(PolicyError, match="not YAML"):
        bench(shop)


def test_services_that_disagree_are_told_apart_by_name(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    services = "services:\n  app: {package: ./cmd/app, bench: {count: 2, benchtime: 10x}}\n"
    policy(shop, services + "  more: {package: ./cmd/app, bench: {count: 3, benchtime: 10x}}\n")
    with pytest.raises(UsageError, match="several services of this module: app, more"):
        bench(shop)
    monkeypatch.chdir(shop)
    assert run(["bench", "--service", "more", "--format", "json"]) == 0
    assert "3 runs of" in capsys.readouterr().out
    assert run(["bench", "--service", "nope"]) == ExitCode.USAGE
    assert "no service 'nope'" in capsys.readouterr().err
