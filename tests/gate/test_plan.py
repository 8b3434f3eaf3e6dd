"""Rules to measures: each once, cheapest first, and nothing that no rule asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.gate.plan import Plan, Surroundings, plan, unread, wanted_metrics
from gocost.measures.interface import Need, Spec
from gocost.measures.registry import SPECS
from gocost.model.service import Build, Run, Service
from gocost.policy.evaluation import NO_BASE
from gocost.policy.loading import load_text
from tests.policy.texts import with_rules

LINUX = Surroundings(system="linux", machine="amd64", go=True)
RUNS = Service("app", run=Run())


def planned(*metrics: str, service: Service = RUNS, around: Surroundings = LINUX) -> Plan:
    return plan(metrics, service, around)


def names(found: Plan) -> list[str]:
    return [step.spec.name for step in found.steps]


def test_a_policy_over_the_size_starts_no_service() -> None:
    assert names(planned("binary.size")) == ["binary"]


def test_each_measure_runs_once_cheapest_first() -> None:
    found = planned(
        "latency.p99", "gc.pause.max", "bench.time", "binary.size", "build.trimpath", "binary.cgo"
    )
    assert names(found) == ["linkage", "binary", "build", "benchmarks", "portrait"]
    assert found.steps[-1].metrics == {"latency.p99", "gc.pause.max"}
    assert [step.spec.rank for step in found.steps] == sorted(s.spec.rank for s in found.steps)


def test_leaks_are_counted_in_dumps_where_there_are_some() -> None:
    recorded = Surroundings(system="linux", machine="amd64", recorded=frozenset({Need.DUMPS}))
    assert names(planned("goroutines.leaked", around=recorded)) == ["recorded_goroutines"]
    assert names(planned("goroutines.leaked")) == ["portrait"]
    found = planned("goroutines.leaked", service=Service("app"))
    assert "no `run:`" in found.skipped["goroutines.leaked"]


def test_only_rules_that_act_in_a_check_are_measured() -> None:
    rules = (
        load_text(
            with_rules(
                "{metric: binary.size, max: 1 MiB}",
                "{metric: gc.pause.max, max: 1 s, where: [live]}",
            ),
            Path("gocost.yaml"),
        )
        .services[0]
        .rules
    )
    assert wanted_metrics(rules) == {"binary.size"}


@pytest.mark.parametrize(
    ("service", "around", "says"),
    [
        (Service("app"), LINUX, "no `run:`"),
        (RUNS, Surroundings("darwin", "arm64"), "this is macOS; run it on Linux"),
        (RUNS, Surroundings("win32", "amd64"), "this is Windows; run it on Linux"),
        (
            Service("app", run=Run(), build=Build(platform="linux/arm64")),
            LINUX,
            "built for linux/arm64 and cannot run on linux/amd64",
        ),
    ],
)
def test_a_portrait_that_cannot_be_had_is_skipped_with_the_reason(
    service: Service, around: Surroundings, says: str
) -> None:
    found = planned("gc.pause.max", "binary.size", service=service, around=around)
    assert names(found) == ["binary"]
    assert says in found.skipped["gc.pause.max"]
    assert found.unknown == {}


def test_without_go_what_has_to_be_built_is_unknown() -> None:
    around = Surroundings(system="linux", machine="amd64", go=False)
    found = planned("binary.size", "bench.time", around=around)
    assert found.steps == ()
    assert "install Go" in found.unknown["binary.size"]
    assert "install Go" in found.unknown["bench.time"]
    elsewhere = Service("app", build=Build(binary="app.exe"))
    assert names(planned("binary.size", service=elsewhere, around=around)) == ["binary"]


@pytest.mark.parametrize(
    ("need", "around", "says"),
    [
        (Need.BASE, LINUX, NO_BASE),
        (Need.ROOT, LINUX, "root"),
        (Need.NETWORK, Surroundings("linux", offline=True), "--offline"),
    ],
)
def test_other_needs(need: Need, around: Surroundings, says: str) -> None:
    spec = Spec("x", ("binary.size",), frozenset({need}), 1, 1.0, "m:f")
    found = plan(["binary.size"], RUNS, around, [spec])
    assert says in found.skipped["binary.size"]
    able = Surroundings("linux", root=True, base=True)
    assert names(plan(["binary.size"], RUNS, able, [spec])) == ["x"]


def test_planning_imports_no_measure() -> None:
    import subprocess
    import sys

    script = (
        "import sys, gocost.gate.plan as p; from gocost.model.service import Service\n"
        "p.plan(['binary.size'], Service('a'), p.here(offline=False, base=False))\n"
        "heavy = {'numpy', 'pyarrow', 'rich', 'httpx', 'gocost.measures.binary'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_every_measure_has_a_deadline_and_a_function() -> None:
    for spec in SPECS:
        assert spec.deadline > 0
        assert spec.function == f"gocost.measures.{spec.name}:measure"
    assert len({spec.name for spec in SPECS}) == len(SPECS)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ((), [Need.PROFILE, Need.TRACE]),
        (("scheduler.latency.p99",), [Need.PROFILE]),
        (("cpu.share",), [Need.TRACE]),
        (("cpu.share", "scheduler.latency.p99"), []),
    ],
)
def test_what_was_recorded_and_is_not_asked_for(
    metrics: tuple[str, ...], expected: list[Need]
) -> None:
    assert unread(metrics, (Need.TRACE, Need.PROFILE)) == expected
