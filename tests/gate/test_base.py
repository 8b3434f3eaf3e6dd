"""What is built and run at the base of a check that measures its two sides in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gocost.gate import base
from gocost.gate.build import Artifact, build_service
from gocost.model.finding import Outcome
from tests.gate.modules import checked, finding, needs_go
from tests.sources.repositories import commit, git, module, policy

pytestmark = needs_go

BENCH = """\
package main

import "testing"

var sink []byte

func BenchmarkPay(b *testing.B) {
	for b.Loop() {
		sink = make([]byte, 64)
	}
}
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of a Go that knows b.Loop."""
    monkeypatch.setenv("GOCOST_CACHE", str(tmp_path / "cache"))
    root = module(tmp_path / "app")
    (root / "go.mod").write_text("module example.com/app\n\ngo 1.24\n")
    return root


def test_benchmarks_run_on_both_sides_and_their_growth_blocks(app: Path) -> None:
    (app / "cmd/app/main_test.go").write_text(BENCH)
    policy(
        app,
        "services:\n  app: {package: ./cmd/app, bench: {count: 5, benchtime: 2000x}}\n"
        "rules:\n  - {metric: bench.bytes, growth: 10%, max: 1 kB}\n",
    )
    commit(app)
    git(app, "checkout", "--quiet", "-b", "topic")
    (app / "cmd/app/main_test.go").write_text(BENCH.replace("64", "512"))
    report = checked(app, "main")
    growth = finding(report, "bench.bytes", "growth")
    assert growth.outcome is Outcome.VIOLATED
    assert "Pay" in growth.message
    assert finding(report, "bench.bytes", "max").outcome is Outcome.PASS
    (change,) = [c for c in report.changes if c.metric == "bench.bytes"]
    assert (change.base, change.head) == (64, 512)


@pytest.fixture
def generated(app: Path) -> Path:
    """Benchmarks that need what a generator writes, beside a main that does not build at the base.

    One operation allocates as many bytes as size.txt says: 512 at the base, 4096 at the head. The
    runtime adds a byte to it at times, so that there are runs enough to tell that from a change.
    """
    (app / "pay").mkdir()
    test = BENCH.replace("package main", "package pay").replace("64", "size")
    (app / "pay/pay_test.go").write_text(test)
    (app / ".gitignore").write_text("size.go\n")
    (app / "size.txt").write_text("512")
    prepare = "[sh, -c, 'echo \"package pay; const size = $(cat size.txt)\" > pay/size.go']"
    policy(
        app,
        f"services:\n  app:\n    package: ./cmd/app\n    build: {{prepare: [{prepare}]}}\n"
        "    bench: {packages: [./pay], count: 5, benchtime: 2000x}\n"
        "rules:\n  - {metric: bench.bytes, growth: 10%}\n",
    )
    main = (app / "cmd/app/main.go").read_text()
    (app / "cmd/app/main.go").write_text("package main\n\nfunc main() { nope() }\n")
    commit(app)
    git(app, "checkout", "--quiet", "-b", "topic")
    (app / "cmd/app/main.go").write_text(main)
    (app / "size.txt").write_text("4096")
    return app


def test_benchmarks_need_no_executable_only_what_generators_write(generated: Path) -> None:
    report = checked(generated, "main")
    assert finding(report, "bench.bytes").outcome is Outcome.VIOLATED
    (change,) = [c for c in report.changes if c.metric == "bench.bytes"]
    assert change.base == pytest.approx(512, rel=0.05)
    assert change.head == pytest.approx(4096, rel=0.05)


def test_a_base_that_does_not_build_is_built_once_and_costs_only_what_needs_it(
    generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (generated / "gocost.yaml").open("a") as file:
        file.write("  - {metric: binary.size, growth: 5%}\n")
        file.write("  - {metric: memory.rss.peak, growth: 5%}\n")
    text = (generated / "gocost.yaml").read_text()
    (generated / "gocost.yaml").write_text(text.replace("    bench:", "    run: {}\n    bench:"))
    builds = []
    original = build_service

    def spy(*arguments: Any, **options: Any) -> Artifact:
        builds.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(base, "build_service", spy)
    report = checked(generated, "main")
    for rule in ("binary.size", "memory.rss.peak"):
        assert "undefined: nope" in finding(report, rule).reason
    assert finding(report, "bench.bytes").outcome is Outcome.VIOLATED
    assert len(builds) == 1
