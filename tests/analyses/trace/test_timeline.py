"""A timeline says in bins what the account says in sums, to the nanosecond."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gocost.analyses.trace import timeline
from gocost.analyses.trace.account import UNKNOWN_ENTRY, Joined
from gocost.analyses.trace.timeline import BINS, Timeline
from gocost.analyses.trace.timeline_series import LANES, timeline_series
from gocost.measures.trace import read_timeline, read_trace
from tests.fixtures.traces import LOADS, TOOLCHAINS, recorded


def agrees(found: Joined, spread: Timeline) -> None:
    for proc, (running, _, syscall, _) in found.procs.items():
        rows = spread.procs.get(proc, np.zeros((2, 1), np.int64))
        assert rows.sum(axis=1).tolist() == [running, syscall], proc
    ran = {name: group.sums[1] for name, group in found.groups.items() if group.sums[1]}
    told = {name: int(sums.sum()) for name, sums in spread.groups.items() if sums.any()}
    assert told == ran
    assert int(spread.runnable.sum()) == sum(group.sums[0] for group in found.groups.values())
    for rows in (*spread.procs.values(), spread.runnable[None]):
        assert rows.min(initial=0) >= 0
    for rows in spread.procs.values():
        assert rows.sum(axis=0).max() <= spread.bin_ns


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_bins_add_up_to_the_account(toolchain: str, load: str) -> None:
    found, spread = read_timeline(recorded(toolchain, load, 1.5 if load == "all" else 0.5))

    assert BINS / 2 < spread.bins <= BINS
    agrees(found, spread)


def test_the_account_is_the_same_with_and_without() -> None:
    path = recorded("go", "mixed")

    assert read_timeline(path)[0].procs == read_trace(path).procs


def test_a_part_of_the_time_is_told_apart_as_finely() -> None:
    path = recorded("go", "all", 1.5)
    whole, _ = read_timeline(path)
    edges = (0, 200_000_000, 1_100_000_000, whole.end - whole.start)

    parts = [read_timeline(path, between=pair) for pair in pairwise(edges)]

    for found, spread in parts:
        assert spread.bins > BINS / 2
        for proc, (running, _, syscall, _) in found.procs.items():
            rows = spread.procs.get(proc, np.zeros((2, 1), np.int64))
            assert rows.sum(axis=1).tolist() == [running, syscall], proc


def test_series_are_of_the_metrics_that_the_page_draws() -> None:
    found, spread = read_timeline(recorded("go", "mixed"))

    series = timeline_series(spread, found.start)

    assert {each.metric for each in series} == set(LANES)
    assert all(len(each.values) == spread.bins for each in series)
    busy = [each for each in series if each.metric == LANES[0]]
    assert all(0 <= value <= 1 for each in busy for value in each.values if value is not None)


def test_a_trace_cannot_make_it_use_more_lanes_than_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline, "MOST_PROCS", 1)
    monkeypatch.setattr(timeline, "MOST_GROUPS", 2)
    found, spread = read_timeline(recorded("go", "all", 1.5))

    assert list(spread.procs) == [0]
    assert set(spread.groups) >= {"(others)"}
    assert len(spread.groups) <= 4
    ran = sum(group.sums[1] for group in found.groups.values())
    assert sum(int(sums.sum()) for sums in spread.groups.values()) == ran


def test_however_often_a_goroutine_ran_before_it_was_named_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Collectors' goroutines run without a stack: hundreds of thousands of times on busy cores."""
    path = recorded("go1.23.12", "all", 1.5)
    found, spread = read_timeline(path)
    worker = "runtime.gcBgMarkWorker"
    assert spread.groups[worker].sum() == found.groups[worker].sums[1] > 0
    before = int(spread.groups.get(UNKNOWN_ENTRY, np.zeros(1, np.int64)).sum())

    monkeypatch.setattr(timeline, "MOST_NAMELESS", 0)
    _, without = read_timeline(path)

    # What had a lane of its own is then with those of unknown start, and nothing is lost.
    after = int(without.groups.get(UNKNOWN_ENTRY, np.zeros(1, np.int64)).sum())
    assert after >= before
    assert sum(int(sums.sum()) for sums in without.groups.values()) == sum(
        int(sums.sum()) for sums in spread.groups.values()
    )
