"""The portrait of a real Go service, started, driven and stopped, or watched while it runs."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gocost.measures import portrait, serving
from gocost.measures.interface import Measured
from gocost.measures.portrait import Watched, measure, measure_rounds, watch
from gocost.model.report import Verdict
from gocost.model.subject import Subject
from gocost.sources.proc import find_process
from tests.fixtures.watched import (
    LINUX,
    context_of,
    eventually,
    members,
    run_of,
    running,
    target_of,
)

pytestmark = LINUX


def value(measured: Measured, metric: str) -> float:
    for fact in measured.facts:
        if fact.metric == metric:
            assert isinstance(fact.value, int | float)
            return fact.value
    raise AssertionError(measured.unknown | measured.skipped)


def test_a_service_that_leaks_goroutines_and_publishes_its_variables(tmp_path: Path) -> None:
    run = run_of("-pages=vars,pprof", "-leak", "-allocate=1048576", requests=400, seconds=3.0)
    measured = measure(target_of(run, tmp_path), context_of(tmp_path))
    assert value(measured, "goroutines.leaked") >= 400
    assert value(measured, "goroutines.load") > value(measured, "goroutines.start")
    # A mebibyte for each of the 400 requests, three quarters of them after the warm-up; how long
    # they take is the machine's.
    phases = measured.tables["phases"]
    load = dict(zip(phases.column("phase"), phases.column("duration"), strict=True))["load"]
    allocated = value(measured, "memory.allocation.rate") * float(str(load))
    assert 200 << 20 < allocated < 440 << 20
    assert value(measured, "gc.pause.count") >= 100
    assert 0 < value(measured, "gc.pause.p50") <= value(measured, "gc.pause.p99")
    assert value(measured, "gc.pause.p99") <= value(measured, "gc.pause.max")
    assert value(measured, "memory.rss.peak") >= value(measured, "memory.rss.steady") > 1 << 20
    assert value(measured, "memory.heap.live") > 0
    assert value(measured, "process.descriptors.peak") >= 3
    assert value(measured, "process.cpu.seconds") > 0
    assert 0 < value(measured, "process.ready.time") < 30
    init = measured.tables["init"]
    assert init.sums_to is not None
    clocks = [float(str(cell)) for cell in init.column("clock")]
    assert sum(clocks) == value(measured, "process.init.time")
    assert measured.tables["phases"].column("phase") == ["start", "warm-up", "load", "settle"]
    assert "does not report" in measured.skipped["latency.p99"]
    assert {series.metric for series in measured.series} >= {
        "memory.rss.steady",
        "gc.pause.max",
        "goroutines.load",
    }


def test_without_pages_what_needs_them_is_skipped_with_the_reason(tmp_path: Path) -> None:
    run = run_of(requests=20, seconds=1.0)
    measured = measure(target_of(run, tmp_path), context_of(tmp_path))
    for metric in ("memory.heap.live", "memory.allocation.rate", "goroutines.leaked"):
        assert measured.skipped[metric].startswith("needs /metrics, /debug/vars or /debug/pprof/")
        assert "answered 404" in measured.skipped[metric]
    assert value(measured, "gc.pause.count") >= 0
    assert value(measured, "memory.rss.peak") > 1 << 20


def test_forced_collections_are_counted_among_log_lines(tmp_path: Path) -> None:
    # Many, of which few are asked for: a line is told by when it arrives, after the load where the
    # machine is busy, and one that a log line cuts does not say what began it.
    run = run_of("-force", "-chatty", requests=400, seconds=4.0)
    measured = measure(target_of(run, tmp_path), context_of(tmp_path))
    assert value(measured, "gc.cycles") >= value(measured, "gc.forced") >= 10


def test_base_and_head_run_in_turn(tmp_path: Path) -> None:
    light = target_of(run_of(requests=30, seconds=1.0, settle=0.1), tmp_path)
    heavy_run = run_of("-retain=4194304", requests=30, seconds=1.0, settle=0.1)
    heavy = target_of(heavy_run, tmp_path)
    # Both sides are started by the head's `run:`; the base is a script that drops its flag.
    script = tmp_path / "light.sh"
    script.write_text(f'#!/bin/sh\nexec {light.binary} "$1"\n')
    script.chmod(0o755)
    measured = measure_rounds(heavy, context_of(tmp_path), replace(heavy, binary=script), rounds=2)
    peak = next(change for change in measured.changes if change.metric == "memory.rss.peak")
    assert peak.verdict is Verdict.UNKNOWN  # two rounds are too few to call anything
    assert peak.delta is not None
    assert peak.delta > 100 << 20
    assert any("2 times each" in text for text in measured.assumptions)


def test_a_running_process_is_watched_and_left_running() -> None:
    with running("-pages=metrics") as (child, url):
        watched = Watched(find_process(child.pid), (url,), None, 1.0)
        measured = watch(watched, context_of(Path()), Subject())
        assert child.process.poll() is None
    assert value(measured, "memory.rss.peak") > 1 << 20
    assert value(measured, "goroutines.load") >= 2
    assert "nothing was put on" in measured.skipped["goroutines.leaked"]
    assert measured.tables["phases"].column("phase") == ["watch"]


def test_a_url_alone_has_no_proc() -> None:
    with running("-pages=pprof") as (_, url):
        measured = watch(Watched(None, (url,), None, 0.5), context_of(Path()), Subject())
    assert value(measured, "goroutines.load") >= 2
    assert "--pid" in measured.skipped["memory.rss.peak"]


def test_a_pid_that_ends_while_it_is_watched_keeps_what_was_seen() -> None:
    told: list[str] = []
    with running() as (child, _):
        process = find_process(child.pid)

        def kill_in_the_third_second(text: str) -> None:
            told.append(text)
            if sum(each.startswith("watching, ") for each in told) == 3:
                os.kill(child.pid, signal.SIGKILL)

        context = replace(context_of(Path()), progress=kill_in_the_third_second)
        measured = watch(Watched(process, (), None, 60.0), context, Subject())
    assert value(measured, "memory.rss.peak") > 1 << 20
    (note,) = [note for note in measured.notes if note.level == "error"]
    assert f"process {process.pid} ended while it was watched" in note.text


def test_a_service_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    planned = serving.plan(run_of("-child", "-stubborn"), target_of(run_of(), tmp_path).binary)
    with serving.serving(planned, directory=tmp_path, ready_within=20) as service:
        group = service.child.pid
        eventually(lambda: len(members(group)) == 2)
        # A clean stop would wait ten seconds for a service that ignores SIGTERM.
        os.kill(group, signal.SIGKILL)
    # A child that was killed and has lost its parent is there until init takes note of it.
    eventually(lambda: members(group) == [])


def test_no_platform_but_linux_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portrait, "unsupported", lambda: "macOS has no /proc")
    measured = measure(target_of(run_of(), tmp_path), context_of(tmp_path))
    assert not measured.facts
    assert set(measured.skipped.values()) == {"macOS has no /proc"}
    assert "memory.rss.peak" in measured.skipped
