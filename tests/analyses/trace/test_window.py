"""A part of a trace's time: parts add up to the whole, whatever is cut where."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from fuzz.small_traces import clock_text, tables_text

from gocost.analyses.trace.account import Joined
from gocost.analyses.trace.clock import time_of
from gocost.analyses.trace.spans import Spans, collections, regions, stops, tasks
from gocost.analyses.trace.users import tables
from gocost.analyses.trace.waiting import waits
from gocost.measures.trace import read_trace, trace_time
from gocost.model.errors import UsageError
from gocost.model.report import Cell
from tests.fixtures.trace_text import trace_bytes
from tests.fixtures.traces import TOOLCHAINS, recorded

EDGES = (0, 1_000_000, 123_456_789, 900_000_000, 1_300_000_000, 1 << 60)
"""Of windows in nanoseconds, the last one longer than any trace."""


EVENTS = """EventBatch gen=1 m=7 time=5 size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoStatus dt=0 g=2 m=18446744073709551615 gstatus=4
ProcStatus dt=0 p=2 pstatus=2
GoCreate dt=4 new_g=9 new_stack=1 stack=2
"""


def sums(trace: Joined) -> Counter[tuple[int, str, int]]:
    """By goroutine, entry and state. Those that came and went without a stack have no entry."""
    texts = trace.stacks.texts
    return Counter(
        {
            (row[0], texts[row[1]], state): row[2 + state]
            for row in trace.goroutines.tolist()
            for state in range(4)
            if row[2 + state]
        }
    )


def waited(trace: Joined) -> Counter[tuple[object, ...]]:
    return Counter({(wait.state, wait.reason, wait.stack): wait.total_ns for wait in waits(trace)})


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_windows_add_up(toolchain: str) -> None:
    path = recorded(toolchain, "all", 1.5)
    whole = read_trace(path, keep=None, between=(0, 1 << 60))
    parts = [read_trace(path, keep=None, between=pair) for pair in itertools.pairwise(EDGES)]
    total: Counter[tuple[int, int]] = Counter()
    for part in parts:
        for (id_, _, state), ns in sums(part).items():
            total[id_, state] += ns
    expected = Counter({(id_, state): ns for (id_, _, state), ns in sums(whole).items()})
    assert total == expected
    assert sum(map(waited, parts), Counter()) == waited(whole)
    for proc, (running, idle, syscall, swept) in whole.procs.items():
        found = [part.procs.get(proc, [0, 0, 0, 0]) for part in parts]
        assert [sum(column) for column in zip(*found, strict=True)] == [
            running, idle, syscall, swept,
        ]  # fmt: skip
    assert sum(part.created for part in parts) == whole.created
    assert all(part.start <= part.end for part in parts)
    assert parts[0].end <= parts[1].start


def test_the_whole_is_the_trace_and_what_is_open_at_its_end() -> None:
    path = recorded("go", "all", 1.5)
    plain, whole = read_trace(path, keep=None), read_trace(path, keep=None, between=(0, 1 << 60))
    assert sums(plain) == sums(whole)
    assert {name: group.sums[1] for name, group in plain.groups.items()} == {
        name: group.sums[1] for name, group in whole.groups.items()
    }
    more = waited(whole)
    more.subtract(waited(plain))
    assert min(more.values()) >= 0
    assert {state for (state, _, _), ns in more.items() if ns} <= {"waiting", "syscall", "runnable"}


def test_a_wait_beyond_the_window_is_cut_at_it() -> None:
    path = recorded("go", "all", 1.5)
    part = read_trace(path, between=(200_000_000, 200_100_000))
    assert part.end - part.start == 100_000
    assert all(wait.longest_ns <= 100_000 for wait in waits(part))
    assert any(wait.longest_ns == 100_000 for wait in waits(part))


@pytest.mark.parametrize("spans", [stops, collections, tasks, regions])
def test_a_window_has_what_lies_in_it_and_says_what_it_cuts(
    spans: Callable[[Joined], Spans],
) -> None:
    path = recorded(TOOLCHAINS[-1], "all", 1.5)
    whole = read_trace(path)
    expected = spans(whole)
    assert len(expected)
    for between in itertools.pairwise((0, 400_000_000, 900_000_000, 1 << 60)):
        part = read_trace(path, between=between)
        inside = [each for each in expected if each.start < part.end and each.end > part.start]
        found = spans(part)
        assert Counter((each.name, each.took) for each in found) == Counter(
            (each.name, min(each.end, part.end) - max(each.start, part.start)) for each in inside
        )
        assert sum(not each.whole for each in found) == sum(
            not (each.whole and part.start < each.start and each.end < part.end) for each in inside
        )


def counted(rows: Iterable[Sequence[Cell]], column: int) -> int:
    return sum(value for row in rows if isinstance(value := row[column], int))


def test_a_window_between_the_last_event_and_the_last_batch_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "late.trace"
    tables = tables_text(1, 5) + clock_text(23, 1)
    late = "EventBatch gen=1 m=8 time=500 size=?\n"
    path.write_bytes(trace_bytes(f"Trace Go1.23\n{EVENTS}{tables}{late}"))
    whole, after = read_trace(path), read_trace(path, between=(10_000, 20_000))
    assert any(sum(proc) for proc in whole.procs.values())
    assert any(any(group.sums) for group in whole.groups.values())
    assert after.start == after.end == whole.end
    assert not any(sum(proc) for proc in after.procs.values())
    assert not any(any(group.sums) for group in after.groups.values())
    assert not list(after.every_wait())


def test_a_task_is_counted_in_the_window_that_it_begins_in() -> None:
    path = recorded(TOOLCHAINS[-1], "all", 1.5)
    edges = (0, 400_000_000, 900_000_000, 1 << 60)
    whole = tables(read_trace(path))["users"].rows
    parts = [
        row
        for between in itertools.pairwise(edges)
        for row in tables(read_trace(path, between=between))["users"].rows
    ]
    for column in (1, 2, 3):  # tasks, regions, logs
        assert counted(parts, column) == counted(whole, column)
    assert counted(whole, 1)


def test_wall_clock_where_the_trace_has_one() -> None:
    new, old = recorded("go", "all", 1.5), recorded("go1.23.12", "all", 1.5)
    time = trace_time(new)
    assert time.wall_start_ns is not None
    assert time.wall_end_ns is not None
    assert 1.4e9 < time.wall_end_ns - time.wall_start_ns < 3e9
    recorded_at = new.stat().st_mtime_ns
    assert abs(recorded_at - time.wall_end_ns) < 2e9
    part = time_of(read_trace(new, between=(500_000_000, 600_000_000)))
    assert part.wall_start_ns == time.wall_start_ns + 500_000_000
    assert trace_time(old).wall_start_ns is None


def test_a_time_beyond_the_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing of the trace is then"):
        read_trace(recorded("go", "all", 1.5), between=(10**12, 10**13))


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_times_count_from_the_first_event(toolchain: str) -> None:
    """Not from the batches of tables before it: what a table says is where --from finds it."""
    path = recorded(toolchain, "mixed")

    whole = read_trace(path)

    assert trace_time(path).start == whole.start
    edge = (whole.end - whole.start) // 3
    first, second = (read_trace(path, between=pair) for pair in ((0, edge), (edge, 1 << 60)))
    assert whole.start <= first.start <= first.end <= whole.start + edge <= second.start
