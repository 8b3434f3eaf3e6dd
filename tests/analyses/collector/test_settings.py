"""Other settings of GOGC and GOMEMLIMIT: the formulas, the refusals, and a real program."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocost.analyses.collector.recommending import choices, limit_for, recommend
from gocost.analyses.collector.settings import Prediction, Refusal, Setting, predict, unfit
from gocost.analyses.collector.window import Memory, Pace, window_of_pages
from tests.analyses.collector.test_window import MIB, STEADY
from tests.fixtures.collected import pages

PLAIN = replace(STEADY, scan=None, available=60.0)


def predicted(setting: Setting, window: object = PLAIN) -> Prediction:
    found = predict(window, setting)  # type: ignore[arg-type]
    assert isinstance(found, Prediction), found
    return found


def test_twice_the_gogc_is_half_the_collections() -> None:
    found = predicted(Setting(200.0))
    assert found.goal == 300 * MIB
    assert found.cycles == pytest.approx(10)
    assert found.gc_cpu == pytest.approx(1.0)
    assert found.gc_share == pytest.approx(1 / 19)
    # goal, what is not heap (260 - 10 - 20 - 190), and what does not fit into slots.
    assert found.peak == (300 + 40 + 10) * MIB
    assert found.pace is Pace.GOGC


def test_the_runtime_begins_as_many_bytes_before_the_goal_as_it_did() -> None:
    # Of 100 MiB of room 85 were allocated in each cycle: 15 are its runway.
    early = replace(PLAIN, allocated=20 * 85.0 * MIB)
    assert predicted(Setting(200.0), early).cycles == pytest.approx(20 * 85 / (200 - 15))
    assert predicted(Setting(400.0), early).cycles == pytest.approx(20 * 85 / (400 - 15))
    # No earlier than 45/64 of the room, and that is 28.1 of 40 MiB.
    assert predicted(Setting(40.0), early).cycles == pytest.approx(20 * 85 / (40 * 45 / 64))
    assert predicted(Setting(100.0), early).cycles == pytest.approx(20)


def test_what_came_later_than_the_latest_goes_with_the_room() -> None:
    late = replace(PLAIN, allocated=20 * 120.0 * MIB)
    assert predicted(Setting(200.0), late).cycles == pytest.approx(10)


@given(st.floats(0.55, 1.9), st.floats(26, 390), st.floats(26, 390), st.floats(32e6, 1e12))
def test_more_room_never_means_more_collections(
    seen: float, one: float, other: float, headroom: float
) -> None:
    window = replace(PLAIN, live=headroom, goal=2 * headroom, allocated=20 * seen * headroom)
    less, more = sorted((one, other))
    fewer, rarer = (predict(window, Setting(percent)) for percent in (less, more))
    if isinstance(fewer, Prediction) and isinstance(rarer, Prediction):
        assert fewer.cycles >= rarer.cycles * (1 - 1e-9)
    same = predicted(Setting(100.0), window)
    assert same.cycles == pytest.approx(20), "the present setting is what was seen"


def test_stacks_and_globals_make_room_as_well() -> None:
    window = replace(STEADY, goal=240.0 * MIB, allocated=2800.0 * MIB)
    found = predicted(Setting(200.0), window)
    assert found.goal == (100 + (100 + 40) * 2) * MIB
    assert found.cycles == pytest.approx(10)


def test_a_limit_sets_the_goal_where_it_is_less() -> None:
    found = predicted(Setting(None, 200.0 * MIB))
    assert found.goal == pytest.approx(0.97 * (200 - 40) * MIB)
    assert found.pace is Pace.LIMIT
    assert predicted(Setting(100.0, 1000.0 * MIB)).pace is Pace.GOGC


def test_the_floor_holds_under_small_heaps() -> None:
    small = replace(PLAIN, live=3.0 * MIB, goal=6.0 * MIB, allocated=60.0 * MIB)
    found = predicted(Setting(50.0), small)
    assert found.goal == 4.5 * MIB
    tiny = replace(small, live=1.0 * MIB, goal=4.0 * MIB)
    assert predicted(Setting(200.0), tiny).pace is Pace.FLOOR


@pytest.mark.parametrize(
    ("window", "setting", "reason"),
    [
        (replace(PLAIN, cycles=9, allocated=900.0 * MIB), Setting(200.0), "9 collections, and 10"),
        (PLAIN, Setting(600.0), "6.0 times the headroom"),
        (PLAIN, Setting(20.0), "less than a quarter of the live heap"),
        (PLAIN, Setting(None, 150.0 * MIB), "less than a quarter of the live heap"),
        (replace(PLAIN, available=12.0), Setting(50.0), "33% of what GOMAXPROCS allows"),
        (replace(PLAIN, forced=5), Setting(200.0), "5 of 20 collections were forced"),
        (replace(PLAIN, live=None), Setting(200.0), "does not tell the live heap"),
        (replace(PLAIN, allocated=9000.0 * MIB), Setting(200.0), "not of one size"),
        (replace(PLAIN, memory=None), Setting(100.0, 300.0 * MIB), "classes of memory"),
        (PLAIN, Setting(None), "never collects"),
        (replace(PLAIN, assists=0.4), Setting(200.0), "40% of the marking"),
    ],
)
def test_where_the_model_does_not_hold_it_says_so(
    window: object, setting: Setting, reason: str
) -> None:
    found = predict(window, setting)  # type: ignore[arg-type]
    assert isinstance(found, Refusal)
    assert reason in found.reason
    assert found.experiment


def test_where_goroutines_help_marking_the_live_heap_goes_with_the_room() -> None:
    behind = replace(PLAIN, assists=0.5)
    found = predicted(Setting(150.0), behind)
    # Marking began when 45/64 of the room were full: f = 19/64.
    part = 19 / 64
    live = (100 - part * 100) / (1 - part * 1.5)
    assert found.goal == pytest.approx(2.5 * live * MIB)
    assert found.cycles == pytest.approx(20 * 100 / (1.5 * live))
    less = predicted(Setting(50.0), behind)
    kept = 100 - part * 100
    assert less.goal == pytest.approx(1.5 * kept / (1 - part / 2) * MIB), "and shrinks with it"
    limited = predicted(Setting(None, 300.0 * MIB), behind)
    goal = 0.97 * (300 - 40)
    assert limited.goal == pytest.approx(goal * MIB)
    room = goal - (kept + part * goal) / (1 + part)
    assert limited.cycles == pytest.approx(20 * 100 / room)
    early = replace(behind, allocated=20 * 80.0 * MIB)
    part = 0.8 - 45 / 64
    live = (100 - part * 100) / (1 - part / 2)
    assert predicted(Setting(50.0), early).goal == pytest.approx(1.5 * live * MIB), "at most that"
    measured = replace(behind, during=10.0 * MIB)
    assert predicted(Setting(200.0), measured).goal == pytest.approx(3 * 112.5 * MIB)
    assert predicted(Setting(100.0), behind).cycles == pytest.approx(20), "what was seen"


def test_the_present_setting_is_predicted_as_it_was() -> None:
    window = window_of_pages(pages().read("txt"))
    assert unfit(window) is None
    found = predicted(Setting(window.gogc, window.limit), window)
    assert found.cycles == pytest.approx(window.cycles, rel=0.05)


def test_a_real_program_at_another_setting() -> None:
    """Loose, for a loaded machine: benchmarks/bench_collector.py has the errors themselves."""
    window = window_of_pages(pages().read("txt"))
    found = predict(replace(window, assists=None), Setting(50.0))
    other = window_of_pages(pages("50").read("txt"))
    assert isinstance(found, Prediction) or "GOMAXPROCS" in found.reason
    if isinstance(found, Prediction):
        assert found.cycles == pytest.approx(other.cycles, rel=0.5)


def test_a_pair_for_a_container() -> None:
    found = recommend(PLAIN, 512.0 * MIB)
    assert found.chosen is not None
    # 90% of 512 MiB for GOMEMLIMIT, and the heap within 90% of that: 400% would hold 550 MiB.
    assert found.chosen.setting == Setting(200.0, 460.0 * MIB)
    assert found.chosen.peak is not None
    assert found.chosen.peak <= 0.9 * 460 * MIB
    assert "highest of the usual values" in found.reason


def test_a_container_that_is_too_small_is_said_to_be() -> None:
    found = recommend(PLAIN, 120.0 * MIB)
    assert found.chosen is None
    assert "needs a container of at least" in found.reason


def test_a_large_container_is_used_as_far_as_the_model_goes() -> None:
    found = recommend(PLAIN, 8192.0 * MIB)
    assert found.chosen is not None
    assert found.chosen.setting.gogc == 400
    assert "as far as 4 times" in found.reason


def test_what_the_runtime_does_not_see_comes_off_the_limit() -> None:
    assert limit_for(PLAIN, 500.0 * MIB) == 450 * MIB
    # 250 MiB held by the runtime, 350 MiB resident: 100 MiB of C.
    assert limit_for(PLAIN, 500.0 * MIB, resident=350.0 * MIB) == 400 * MIB


def test_rows_are_the_present_setting_and_the_usual_ones() -> None:
    rows = choices(PLAIN)
    assert Setting(100.0, None) in rows
    limited = choices(PLAIN, 512.0 * MIB)
    assert limited[0] == Setting(100.0, None)
    assert limited[-1] == Setting(None, 460.0 * MIB)
    assert Setting(800.0, 460.0 * MIB) not in limited, "the limit sets the pace before"


def test_memory_that_is_not_heap() -> None:
    memory = Memory(mapped=100.0, released=10.0, free=20.0, objects=50.0, unused=5.0)
    assert memory.held == 90
    assert memory.nonheap == 20
