"""What the collector did in a window, and what set its pace: of a real program, and by figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gocost.analyses.collector.window import (
    CollectorWindow,
    Memory,
    Pace,
    Scan,
    allocation_weight,
    limited_goal,
    pace,
    window_of_cycles,
    window_of_pages,
)
from gocost.formats import gctrace
from gocost.model.errors import UsageError
from tests.fixtures.collected import LIVE, WORK, pages

MIB = 1 << 20
STEADY = CollectorWindow(
    source="figures",
    allocated=2000.0 * MIB,
    cycles=20,
    forced=0,
    live=100.0 * MIB,
    goal=200.0 * MIB,
    gogc=100.0,
    limit=None,
    scan=Scan(60.0 * MIB, 30.0 * MIB, 10.0 * MIB),
    memory=Memory(260.0 * MIB, 10.0 * MIB, 20.0 * MIB, 190.0 * MIB, 10.0 * MIB),
    gc_cpu=2.0,
    cpu=20.0,
    seconds=30.0,
    procs=2.0,
)


def test_a_real_program_is_told_by_two_pages() -> None:
    window = window_of_pages(pages().read("txt"), seconds=3.0)
    assert WORK <= window.allocated < WORK * 1.3
    assert window.live is not None
    assert LIVE * 0.8 < window.live < LIVE * 2
    assert window.gogc == 100
    assert window.limit is None
    assert pace(window) is Pace.GOGC
    assert allocation_weight(window) == 1
    # A collection ends near its goal, and with that begins the room of the next.
    assert window.headroom is not None
    assert 0.5 < window.allocated / window.cycles / window.headroom < 1.5
    assert not window.assumed


def test_the_usual_page_tells_the_live_heap_by_the_goal() -> None:
    window = window_of_pages(pages().read("usual"))
    told = window_of_pages(pages().read("txt"))
    assert window.live == pytest.approx(told.live, rel=0.6)
    assert window.live == window.goal / 2
    assert any("/gc/heap/live:bytes" in text for text in window.assumed)


def test_a_log_and_pages_tell_the_same_of_one_run() -> None:
    first = pages().read("txt")[0].values["/gc/cycles/total:gc-cycles"]
    cycles = [c for c in gctrace.decode(pages().log) if c.number >= first]
    logged, told = window_of_cycles(cycles), window_of_pages(pages().read("txt"))
    assert logged.cycles == pytest.approx(told.cycles, abs=2)
    # The log has whole MiB, rounded down, and begins and ends with a cycle: one may be missing.
    each = told.allocated / told.cycles
    assert logged.allocated == pytest.approx(told.allocated, abs=2 * each + 0.15 * told.allocated)
    # What was allocated while a cycle marked counts as live: on a busy machine cycles differ.
    found = [cycle.heap_live for cycle in cycles]
    for live in (logged.live, told.live):
        assert live is not None
        assert min(found) - MIB <= live <= max(found) + MIB
    assert logged.gc_cpu is not None
    assert logged.gc_cpu > 0


def test_lines_that_were_cut_are_made_up_for() -> None:
    cycles = gctrace.decode(pages().log)[2:]
    whole = window_of_cycles(cycles)
    part = window_of_cycles([cycles[0], *cycles[2:]])
    assert part.cycles == whole.cycles
    assert part.allocated == pytest.approx(whole.allocated, rel=0.2)


def test_gomemlimit_sets_the_pace_where_gogc_is_off() -> None:
    window = window_of_pages(pages("off", "48MiB").read("txt"))
    assert window.gogc is None
    assert window.limit == 48 * MIB
    assert pace(window) is Pace.LIMIT
    assert window.memory is not None
    # Within what the readings of one moment leave open.
    assert window.goal == pytest.approx(limited_goal(48.0 * MIB, window.memory.nonheap), rel=0.1)


def test_a_small_heap_runs_at_the_floor() -> None:
    floor = replace(STEADY, live=1.0 * MIB, goal=4.0 * MIB, scan=None)
    assert pace(floor) is Pace.FLOOR
    # e = 1 + 1/3, so that allocating is owed 1/(1 + 4/3) of marking.
    assert allocation_weight(floor) == pytest.approx(3 / 7)


def test_who_pays_for_marking_where_a_limit_sets_the_goal() -> None:
    limited = replace(STEADY, gogc=None, limit=400.0 * MIB, goal=200.0 * MIB)
    assert pace(limited) is Pace.LIMIT
    assert allocation_weight(limited) == pytest.approx(1 / 3)
    assert allocation_weight(replace(limited, live=None)) is None


def test_a_limit_far_away_does_not_set_the_pace() -> None:
    roots = replace(STEADY, goal=240.0 * MIB)
    assert pace(replace(roots, limit=4096.0 * MIB)) is Pace.GOGC
    near = replace(roots, limit=220.0 * MIB, goal=limited_goal(220.0 * MIB, 40.0 * MIB))
    assert pace(near) is Pace.LIMIT
    assert pace(replace(STEADY, gogc=None)) is Pace.NOTHING


def test_pages_of_two_processes_are_refused() -> None:
    first, last = pages().read("txt")
    with pytest.raises(UsageError, match="two processes, or not in the order"):
        window_of_pages([last, first])
    with pytest.raises(UsageError, match="of different kinds: metrics, vars"):
        window_of_pages([first, pages().read("vars")[1]])


def test_one_page_is_all_since_the_process_began() -> None:
    last = pages().read("txt")[1]
    window = window_of_pages([last])
    assert window.allocated == last.values["/gc/heap/allocs:bytes"]
    assert window.cycles == last.values["/gc/cycles/total:gc-cycles"]


def test_a_log_of_one_collection_is_too_short() -> None:
    with pytest.raises(UsageError, match="the log has 1 collections"):
        window_of_cycles(gctrace.decode(pages().log)[:1])
