"""From observations to facts: each metric's figure, and each reason why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gocost.analyses.portrait.drawing import draw, series, tables
from gocost.analyses.portrait.observations import Histogram, LoadFigures, Observations, Phase
from gocost.analyses.portrait.outcome import Outcome
from gocost.analyses.portrait.track import Track
from gocost.formats.gctrace import Cycle
from gocost.formats.inittrace import PackageInit
from gocost.measures.registry import SPECS
from gocost.model.catalogue import all_metrics
from gocost.model.subject import Subject

MIB = 1 << 20


def cycle(number: int, *, pause: float = 0.001, forced: bool = False) -> Cycle:
    return Cycle(
        number, number / 10, 0.01, pause, 0.002, pause / 2, 0.001, 0.002, 0.001,
        4 * MIB, 5 * MIB, 2 * MIB, 4 * MIB, None, None, 2, forced,
    )  # fmt: skip


def driven() -> Observations:
    """20 s: start to 2, warm-up to 5, load to 14, settle to 18; /proc each second, pages each 3."""
    seen = Observations(pages="/metrics", settle=4.0, from_the_start=True, ready=0.03)
    seen.phases = [
        Phase("start", 0.0, 2.0),
        Phase("warm-up", 2.0, 5.0),
        Phase("load", 5.0, 14.0),
        Phase("settle", 14.0, 18.0),
    ]
    seconds = [float(s) for s in range(19)]
    busy = [min(max(s - 2.0, 0.0), 12.0) for s in seconds]
    seen.resident = Track(seconds, [10 * MIB + s * MIB for s in busy])
    seen.resident_peak = Track(seconds, [30.0 * MIB] * 19)
    seen.anonymous = Track(seconds, [6.0 * MIB] * 19)
    seen.file = Track(seconds, [4.0 * MIB] * 19)
    seen.threads = Track(seconds, [8.0] * 18 + [12.0])
    seen.cpu = Track(seconds, [0.5 * s for s in busy])
    seen.descriptors = Track(seconds, [7.0] * 19)
    pages = [0.0, 2.0, 5.0, 8.0, 11.0, 14.0, 18.0]
    seen.goroutines = Track(pages, [9.0, 10.0, 50.0, 60.0, 55.0, 40.0, 16.0])
    seen.heap_goal = Track(pages, [8.0 * MIB] * 3 + [9.0 * MIB, 10.0 * MIB, 11.0 * MIB, 11.0 * MIB])
    seen.heap_alloc = Track(pages, [3.0 * MIB] * 3 + [9.0 * MIB] * 4)
    seen.total_alloc = Track(pages, [0.0, *(MIB * t for t in (2.0, 5.0, 8.0, 11.0, 14.0, 14.0))])
    seen.load = LoadFigures(600, 6, 50.0, 0.01, 0.02, 0.03, "vegeta: a")
    return seen


def value(outcome: Outcome, metric: str) -> float:
    found = outcome.value(metric)
    assert found is not None, outcome.unknown | outcome.skipped
    return found


def test_memory_and_cpu_over_their_windows() -> None:
    outcome = draw(driven(), Subject())
    assert value(outcome, "memory.rss.peak") == 30 * MIB
    # The last half of 2 s to 14 s, sampled at 8 .. 14 s, is at 16 .. 22 MiB.
    assert value(outcome, "memory.rss.steady") == 19 * MIB
    assert value(outcome, "memory.rss.anonymous") == 6 * MIB
    assert value(outcome, "memory.rss.file") == 4 * MIB
    assert value(outcome, "process.threads.peak") == 12
    assert value(outcome, "process.descriptors.peak") == 7
    assert value(outcome, "process.cpu.seconds") == 6.0
    assert value(outcome, "process.cpu.cores") == 0.5
    assert value(outcome, "process.cpu.per_request") == 0.01
    assert value(outcome, "process.ready.time") == 0.03


def test_a_peak_that_was_not_watched_from_the_start_is_of_the_samples() -> None:
    seen = driven()
    seen.from_the_start = False
    assert value(draw(seen, Subject()), "memory.rss.peak") == 22 * MIB


def test_heap_and_allocation() -> None:
    outcome = draw(driven(), Subject())
    # Half of the goal at GOGC 100, which is less than HeapAlloc: at 8, 11, 14 s.
    assert value(outcome, "memory.heap.live") == 5 * MIB
    # From 4 MiB at 5 s to 5.5 MiB at 14 s.
    assert value(outcome, "memory.heap.growth") == pytest.approx(0.375)
    assert value(outcome, "memory.allocation.rate") == MIB
    assert value(outcome, "memory.allocation.per_request") == 12 * MIB / 600
    growth = next(fact for fact in outcome.facts if fact.metric == "memory.heap.growth")
    assert "over 9 s" in growth.origin
    assert growth.n == 4


def test_gogc_is_taken_into_account() -> None:
    seen = driven()
    seen.gogc = 300.0
    assert value(draw(seen, Subject()), "memory.heap.live") == 2.5 * MIB


def test_a_live_heap_that_is_told_is_taken_as_it_is() -> None:
    seen = driven()
    seen.heap_live = Track(seen.heap_goal.times, [7.0 * MIB] * 7)
    outcome = draw(seen, Subject())
    assert value(outcome, "memory.heap.live") == 7 * MIB
    assert value(outcome, "memory.heap.growth") == 0


def test_a_memory_limit_hides_the_live_heap() -> None:
    seen = driven()
    seen.memory_limited = True
    outcome = draw(seen, Subject())
    assert "GOGC=off" in outcome.unknown["memory.heap.live"]
    assert "GOGC=off" in outcome.unknown["memory.heap.growth"]
    assert outcome.value("memory.allocation.rate") is not None


def test_two_readings_are_no_growth() -> None:
    seen = driven()
    seen.heap_goal = Track([5.0, 14.0], [1.0, 2.0])
    reason = draw(seen, Subject()).unknown["memory.heap.growth"]
    assert reason.endswith("a trend needs 3: make the load 10 s or longer")
    # and where nothing is put on the service, there is no load to make longer
    seen.phases, seen.driven = [Phase("watch", 0.0, 20.0)], None
    reason = draw(seen, Subject()).unknown["memory.heap.growth"]
    assert reason == "the pages were read 2 times, and a trend needs 3: watch for 10 s or longer"


def test_what_few_readings_show_has_to_be_borne_out_by_the_collections() -> None:
    # given three readings that double by chance
    seen = driven()
    seen.heap_goal = Track([5.0, 9.0, 14.0], [4.0 * MIB, 6.0 * MIB, 8.0 * MIB])
    assert value(draw(seen, Subject()), "memory.heap.growth") == pytest.approx(1, abs=0.2)
    seen.tracing = True
    times = [5.5 + i for i in range(8)]

    # then collections that stay as they are say that it was chance
    steady = [replace(cycle(i), heap_live=2 * MIB) for i in range(8)]
    seen.traced = list(zip(times, steady, strict=True))
    outcome = draw(seen, Subject())
    growth = next(fact for fact in outcome.facts if fact.metric == "memory.heap.growth")
    assert growth.value == 0
    assert "borne out by 8 collections" in growth.origin

    # and those that grow as well that it was none
    growing = [replace(cycle(i), heap_live=(2 + i // 2) * MIB) for i in range(8)]
    seen.traced = list(zip(times, growing, strict=True))
    assert value(draw(seen, Subject()), "memory.heap.growth") == pytest.approx(1, abs=0.2)


def test_many_traced_cycles_of_a_large_heap_make_the_better_trend() -> None:
    seen = driven()
    seen.tracing = True
    live = [(20 + i // 4) * MIB for i in range(40)]
    seen.traced = [(5.0 + i * 0.2, replace(cycle(i), heap_live=live[i])) for i in range(40)]
    outcome = draw(seen, Subject())
    growth = next(fact for fact in outcome.facts if fact.metric == "memory.heap.growth")
    # From 20 to 30 MiB in 7.8 s.
    assert growth.value == pytest.approx(0.5, abs=0.05)
    assert (growth.n, "gctrace" in growth.origin) == (40, True)
    seen.traced = seen.traced[:9]
    assert value(draw(seen, Subject()), "memory.heap.growth") == pytest.approx(0.375)


def test_goroutines_that_did_not_go_away() -> None:
    outcome = draw(driven(), Subject())
    figures = [
        value(outcome, f"goroutines.{name}") for name in ("start", "load", "after", "leaked")
    ]
    assert figures == [10, 60, 16, 6]
    leaked = next(fact for fact in outcome.facts if fact.metric == "goroutines.leaked")
    assert "after 4 s to settle" in leaked.origin


def test_fewer_goroutines_than_before_leak_nothing() -> None:
    seen = driven()
    seen.goroutines.values[-1] = 3.0
    assert value(draw(seen, Subject()), "goroutines.leaked") == 0


def test_pauses_by_gctrace_are_those_under_load() -> None:
    seen = driven()
    seen.tracing = True
    inside = [(2.0 + i / 10, cycle(i, pause=0.001 * (i + 1))) for i in range(60)]
    seen.traced = [(1.0, cycle(1, pause=9.0)), *inside, (15.0, cycle(70, pause=9.0, forced=True))]
    outcome = draw(seen, Subject())
    assert value(outcome, "gc.pause.count") == 120
    assert value(outcome, "gc.pause.max") == 0.06
    # Of 120 pauses the 119th.
    assert value(outcome, "gc.pause.p99") == pytest.approx(0.059)
    assert value(outcome, "gc.cycles") == 60
    assert value(outcome, "gc.forced") == 0
    assert 0 < value(outcome, "gc.cpu.share") <= 1


def test_a_p99_of_few_pauses_is_unknown_and_max_and_count_are_given() -> None:
    seen = driven()
    seen.tracing = True
    seen.traced = [(3.0 + i / 10, cycle(i)) for i in range(49)]
    outcome = draw(seen, Subject())
    assert "p99 of 98 pauses" in outcome.unknown["gc.pause.p99"]
    assert value(outcome, "gc.pause.count") == 98
    assert value(outcome, "gc.pause.max") == 0.001


def test_lost_cycles_are_counted_and_said() -> None:
    seen = driven()
    seen.tracing = True
    seen.traced = [(3.0, cycle(1)), (4.0, cycle(2)), (5.0, cycle(5))]
    outcome = draw(seen, Subject())
    assert value(outcome, "gc.cycles") == 5
    count = next(fact for fact in outcome.facts if fact.metric == "gc.pause.count")
    assert (count.value, "2 cycles were cut" in count.origin) == (6, True)


def never_collected(source: str) -> Observations:
    seen = driven()
    if source == "gctrace":
        seen.tracing = True
        seen.inits = [PackageInit("runtime", 0.0, 0.001, 0, 0)]
    elif source == "ring":
        seen.cycles = Track(seen.goroutines.times, [3.0] * len(seen.goroutines.times))
    else:
        bounds = (0.001, float("inf"))
        seen.pauses_before = seen.pauses_after = Histogram(bounds, (10.0, 10.0))
    return seen


@pytest.mark.parametrize("source", ["gctrace", "ring", "histogram"])
def test_where_nothing_collected_no_pause_was_of_0_s(source: str) -> None:
    outcome = draw(never_collected(source), Subject())
    # that none paused is known, how long the longest was is not, and nothing failed either
    assert value(outcome, "gc.pause.count") == 0
    for metric in ("gc.pause.p50", "gc.pause.p99", "gc.pause.max"):
        assert outcome.value(metric) is None
        assert metric not in outcome.unknown
        reason = outcome.skipped[metric]
        assert reason.startswith("no garbage collection ran in 12 s under load, so nothing paused")
        assert "`{metric: gc.cycles, min: 1}`" in reason


def test_a_program_that_turns_its_stderr_elsewhere_is_read_by_its_pages() -> None:
    seen = driven()
    seen.tracing = True
    seen.cycles = Track(seen.goroutines.times, [0.0, 0.0, 40.0, 70.0, 90.0, 120.0, 120.0])
    seen.forced = Track(seen.goroutines.times, [0.0] * 6 + [1.0])
    seen.ring_pauses = [(1.0, 5.0), *((3.0, 0.002) for _ in range(119)), (14.0, 0.004), (18.0, 5.0)]
    outcome = draw(seen, Subject())
    assert value(outcome, "gc.pause.count") == 120
    assert value(outcome, "gc.pause.max") == 0.004
    assert value(outcome, "gc.pause.p99") == 0.002
    assert (value(outcome, "gc.cycles"), value(outcome, "gc.forced")) == (120, 0)
    assert "gctrace=1 came" in outcome.skipped["gc.cpu.share"]


def test_a_summary_bounds_the_longest_pause() -> None:
    seen = driven()
    seen.cycles = Track(seen.goroutines.times, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0])
    seen.page_quantiles = {0.5: 0.001, 1.0: 0.003}
    outcome = draw(seen, Subject())
    assert (value(outcome, "gc.pause.max"), value(outcome, "gc.pause.count")) == (0.003, 4)
    assert "256 cycles, and 4 ran" in outcome.skipped["gc.pause.p50"]
    assert "has no p99" in outcome.skipped["gc.pause.p99"]


def test_a_histogram_gives_upper_bounds() -> None:
    seen = driven()
    bounds = (0.001, 0.01, 0.1, float("inf"))
    seen.pauses_before = Histogram(bounds, (10.0, 10.0, 10.0, 10.0))
    seen.pauses_after = Histogram(bounds, (210.0, 309.0, 310.0, 310.0))
    outcome = draw(seen, Subject())
    assert value(outcome, "gc.pause.count") == 300
    assert value(outcome, "gc.pause.p50") == 0.001
    assert value(outcome, "gc.pause.p99") == 0.01
    assert value(outcome, "gc.pause.max") == 0.1


def test_the_load_generators_figures() -> None:
    outcome = draw(driven(), Subject())
    assert value(outcome, "process.requests.rate") == 50
    assert value(outcome, "process.requests.failed") == 0.01
    assert value(outcome, "latency.p99") == 0.02


def test_a_p99_of_few_requests_is_unknown() -> None:
    seen = driven()
    seen.load = LoadFigures(99, 0, 5.0, 0.01, 0.02, 0.03, "vegeta: a")
    outcome = draw(seen, Subject())
    assert "p99 of 99 requests" in outcome.unknown["latency.p99"]
    assert value(outcome, "latency.max") == 0.03


def test_a_load_that_tells_nothing_skips_what_needs_it() -> None:
    seen = driven()
    seen.load = LoadFigures(None, None, what="`k6`")
    outcome = draw(seen, Subject())
    assert "does not report latencies" in outcome.skipped["latency.p99"]
    assert "how many requests" in outcome.skipped["process.cpu.per_request"]
    assert "how many requests" in outcome.skipped["memory.allocation.per_request"]
    assert value(outcome, "process.cpu.seconds") == 6.0


def test_every_metric_of_the_portrait_has_a_figure_or_a_reason() -> None:
    spec = next(spec for spec in SPECS if spec.name == "portrait")
    wanted = {metric for metric in all_metrics() if spec.takes(metric)}
    for seen in (driven(), Observations(), Observations(phases=[Phase("watch", 0.0, 5.0)])):
        outcome = draw(seen, Subject())
        given = {fact.metric for fact in outcome.facts}
        assert given | set(outcome.unknown) | set(outcome.skipped) == wanted
        assert not given & (set(outcome.unknown) | set(outcome.skipped))


def test_init_sums_to_its_fact_and_phases_are_told_apart() -> None:
    seen = driven()
    seen.tracing = True
    seen.inits = [
        PackageInit("a", 0.001, 0.002, 10, 1),
        PackageInit("b", 0.003, 0.004, 20, 2),
    ]
    found = tables(seen)
    assert found["init"].column("package") == ["b", "a"]
    assert found["init"].sums_to is not None
    total = sum(float(str(cell)) for cell in found["init"].column("clock"))
    assert total == value(draw(seen, Subject()), "process.init.time")
    assert found["phases"].column("phase") == ["start", "warm-up", "load", "settle"]
    assert found["phases"].column("goroutines") == [10, 50, 40, 16]
    assert found["phases"].column("cores") == [0.0, 0.5, 0.5, 0.0]


def test_series_are_evenly_spaced_and_bounded() -> None:
    found = {one.metric: one for one in series(driven())}
    assert found["goroutines.load"].values == [10.0, 60.0, 40.0, 16.0]
    assert found["memory.rss.steady"].step == 0.2
    long = driven()
    long.resident = Track([s * 0.2 for s in range(90_000)], [1.0] * 90_000)
    assert len(next(s for s in series(long) if s.metric == "memory.rss.steady").values) <= 600
