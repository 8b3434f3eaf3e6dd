"""Views that go through a trace's intervals: what they add up to, and Go's own figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gocost.analyses.trace.account import Stacks
from gocost.analyses.trace.following import (
    CREATED,
    ENDED,
    PROC_RUNNING,
    RUNNABLE,
    SWEEP,
    Chunk,
)
from gocost.analyses.trace.lifetimes import Lifetimes
from gocost.analyses.trace.mutator import PARTS, WINDOWS, Collecting, windows_within
from gocost.analyses.trace.spikes import Spikes
from gocost.api.trace_intervals import (
    trace_lifetimes,
    trace_mmu,
    trace_spikes,
    trace_threads,
    trace_users,
)
from gocost.cli.main import run
from gocost.measures.trace import follow_trace, read_trace
from gocost.model.report import Cell, Table
from tests.fixtures.traces import TOOLCHAINS, mutator, recorded


class Sums:
    """Nanoseconds by goroutine or P and kind."""

    def __init__(self) -> None:
        self.found: Counter[tuple[int, int]] = Counter()

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        assert (chunk.end >= chunk.start).all()
        keys, at = np.unique(np.stack([chunk.kind, chunk.who]), axis=1, return_inverse=True)
        sums = np.zeros(keys.shape[1], np.int64)
        np.add.at(sums, at.reshape(-1), chunk.end - chunk.start)
        for (kind, who), ns in zip(keys.T.tolist(), sums.tolist(), strict=True):
            self.found[kind, who] += ns


def total(table: Table, column: str) -> int:
    return sum(int(str(value)) for value in table.column(column))


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize(("load", "seconds"), [("all", 1.5), ("churn", 0.5)])
def test_every_interval_is_there(toolchain: str, load: str, seconds: float) -> None:
    path = recorded(toolchain, load, seconds)
    sums = Sums()
    follow_trace(path, sums)
    trace = read_trace(path, keep=None)
    expected = {
        (state + 1, row[0]): row[2 + state]
        for row in trace.goroutines.tolist()
        for state in range(4)
        if row[2 + state]
    }
    for proc, row in trace.procs.items():
        expected |= {
            (kind, proc): ns
            for kind, ns in zip((*range(PROC_RUNNING, PROC_RUNNING + 3), SWEEP), row, strict=True)
            if ns
        }
    goroutines_and_ps = (*range(1, 5), *range(PROC_RUNNING, SWEEP + 1))
    assert {k: ns for k, ns in sums.found.items() if ns and k[0] in goroutines_and_ps} == expected


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
@pytest.mark.parametrize("parts", ["stw", "stw,background,assist", "stw,background,assist,sweep"])
@pytest.mark.parametrize("per_p", [False, True], ids=["all", "per P"])
def test_mutator_utilisation_is_that_of_go(toolchain: str, parts: str, per_p: bool) -> None:
    path = recorded(toolchain, "all")
    collecting = Collecting()
    trace = follow_trace(path, collecting)
    curve = collecting.curve(trace, parts.split(","), by_proc=per_p)
    expected = mutator(path, parts, WINDOWS, per_p=per_p)
    assert [window for window, _, _ in curve] == list(WINDOWS)
    for (window, share, _), go in zip(curve, expected, strict=True):
        assert share == pytest.approx(go, abs=0.002), window
    assert 0 <= curve[0][1] < curve[-1][1] <= 1


def test_the_longest_window_is_the_trace() -> None:
    path = recorded("go", "all")
    trace = read_trace(path)
    windows = trace_mmu(path).tables["mmu"].column("window")
    assert windows[-1] == trace.end - trace.start
    assert list(windows[:-1]) == [each for each in WINDOWS if each < windows[-1]]


@pytest.mark.parametrize(
    ("length", "last"), [(0, (1,)), (1000, (1000,)), (1500, (1000, 1500)), (10**11, (10**10,))]
)
def test_windows_are_no_longer_than_the_trace(length: int, last: tuple[int, ...]) -> None:
    assert windows_within(length)[-len(last) :] == last


def test_threads_ran_what_goroutines_ran() -> None:
    path = recorded("go", "all", 1.5)
    table = trace_threads(path).tables["threads"]
    trace = read_trace(path, keep=None)
    running = sum(row[3] for row in trace.goroutines.tolist())
    # What runs at the trace's end is not yet known by its thread.
    assert 0.99 * running <= total(table, "running") <= running
    assert all(0 <= float(str(busy)) <= 1 for busy in table.column("busy"))


def test_lifetimes_count_every_goroutine() -> None:
    path = recorded("go", "churn")
    tables = trace_lifetimes(path).tables
    creators, counts = tables["creators"], tables["goroutine_counts"]
    trace = read_trace(path, keep=None)
    assert total(creators, "created") == trace.created == total(counts, "created")
    assert total(creators, "created") == total(creators, "ended") + total(creators, "living")
    first: Cell = creators.column("creator")[0]
    assert str(first).startswith("main.")
    assert str(creators.column("entry")[0]).startswith(str(first))
    living = int((trace.goroutines[:, 8] == 0).sum())
    assert counts.column("goroutines")[-1] == living


def test_what_the_program_marks() -> None:
    tables = trace_users(recorded("go", "all")).tables
    (task,) = tables["users"].rows
    assert (task[0], task[5]) == ("request", "key")
    assert task[1] == task[2] == task[3]
    latencies, buckets = tables["latencies"], tables["latency_buckets"]
    assert latencies.column("name") == ["request", "parse"]
    assert total(latencies, "count") == total(buckets, "count")
    for p50, p90, longest in zip(
        *(latencies.column(name) for name in ("p50", "p90", "longest")), strict=True
    ):
        assert 100_000 < int(str(p50)) <= int(str(p90)) <= int(str(longest))


def test_spikes_are_few_and_out_of_the_band() -> None:
    report = trace_spikes(recorded("go", "mixed", 2.5))
    table = report.tables["spikes"]
    assert 0 < len(table.rows) < 60
    column = {name: table.column(name) for name in table.names()}
    for what, p99, usual in zip(
        *(column[name] for name in ("what", "latency_p99", "latency_usual")), strict=True
    ):
        assert what == "utilisation" or int(str(p99)) > int(str(usual))
    out = sum(int(str(windows)) for windows in column["windows"])
    assert f"{out} of 999 windows" in report.notes[-1].text


def spikes_of(share: dict[int, float], count: int) -> list[Sequence[Cell]]:
    """Of windows of 1 ms of which a P is busy for these shares, of the others for half."""
    trace = read_trace(recorded("go", "ping"))
    start, width = trace.start, 1_000_000
    spikes = Spikes(start, start + count * width)
    for window in range(count):
        begin = start + window * width
        end = begin + int(width * share.get(window, 0.5 + 0.001 * (window % 7)))
        spikes.take(one_interval(PROC_RUNNING, begin, end), trace.stacks)
    return [*spikes.table(trace).rows]


def test_windows_that_follow_on_each_other_are_one_spike_and_the_worst_is_first() -> None:
    rows = spikes_of({10: 1.0, 11: 1.0, 12: 1.0, 20: 0.0}, 30)
    assert [(row[0], row[1], row[2], row[3]) for row in rows] == [
        (20_000_000, 1_000_000, 1, "utilisation"), (10_000_000, 3_000_000, 3, "utilisation"),
    ]  # fmt: skip
    procs = len(read_trace(recorded("go", "ping")).procs)
    assert [row[7] for row in rows] == [0, 1 / procs]


def test_a_burst_with_usual_windows_in_it_is_one_spike() -> None:
    """Of 300 windows: in one of 100 or less a spike goes on, behind four it has ended."""
    rows = spikes_of(dict.fromkeys((50, 54, 58, 63), 1.0), 300)
    assert [(row[0], row[1], row[2]) for row in rows] == [
        (50_000_000, 9_000_000, 3), (63_000_000, 1_000_000, 1),
    ]  # fmt: skip


def test_a_window_of_few_starts_between_two_of_high_latency_ends_no_spike() -> None:
    """Given windows in which goroutines get a P at once; from 40 to 44 they wait 0.4 ms, and 42
    has no starts at all.
    """
    trace = read_trace(recorded("go", "ping"))
    start, width = trace.start, 1_000_000
    spikes = Spikes(start, start + 60 * width)
    for window in range(60):
        took = 400_000 if 40 <= window <= 44 else 1_000
        for _ in range(0 if window == 42 else 30):
            end = start + window * width + 500_000
            spikes.take(one_interval(RUNNABLE, end - took, end), trace.stacks)

    (row,) = spikes.table(trace).rows

    assert row[:4] == (40_000_000, 5_000_000, 4, "latency")


def test_latencies_of_all_sizes_have_no_upper_end() -> None:
    trace = read_trace(recorded("go", "ping"))
    start, width = trace.start, 1_000_000
    spikes = Spikes(start, start + 60 * width)
    for window in range(60):
        end = start + (window + 1) * width - 1
        took = 300 if window % 2 else 900_000
        spikes.take(one_interval(PROC_RUNNING, end - (window != 9) * width // 2, end), trace.stacks)
        for _ in range(30):
            spikes.take(one_interval(RUNNABLE, end - took, end), trace.stacks)

    table = spikes.table(trace)

    assert table.column("what") == ["utilisation"]
    assert table.column("latency_usual") == [None]


def one_interval(kind: int, start: int, end: int) -> Chunk:
    values = dict.fromkeys(Chunk.__slots__, 0) | {"kind": kind, "start": start, "end": end}
    return Chunk(**{name: np.array([value], np.int64) for name, value in values.items()})


def test_an_export_holds_the_time_that_goroutines_ran(tmp_path: Path) -> None:
    path, target = recorded("go", "all"), tmp_path / "a.json"
    assert run(["trace", "export", str(path), "-o", str(target)]) == 0
    events = json.loads(target.read_text(encoding="utf-8"))["traceEvents"]
    slices = [event for event in events if event["ph"] == "X" and event["pid"] == 1]
    running = sum(row[3] for row in read_trace(path, keep=None).goroutines.tolist())
    assert round(sum(event["dur"] for event in slices) * 1000) == running
    assert {event["pid"] for event in events} == {1, 2, 3, 4}
    begun = [event["id"] for event in events if event["ph"] == "b"]
    assert sorted(begun) == sorted(event["id"] for event in events if event["ph"] == "e")
    assert begun


def test_a_part_of_the_collector_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["trace", "mmu", str(recorded("go", "all")), "--count", "stw,idle"]) == 2
    told = capsys.readouterr().err
    assert "idle is no part of the collector" in told
    assert ", ".join(PARTS) in told


@pytest.mark.parametrize("view", ["summary", "goroutines", "waits"])
def test_beside_another_trace(view: str, capsys: pytest.CaptureFixture[str]) -> None:
    path, base = recorded("go", "all"), recorded("go", "all", 1.5)
    assert run(["trace", view, str(path), "--base", str(base), "--format", "json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    rates = {row[0]: row[1:] for row in tables["goroutine_rates"]["rows"]}
    trace, other = read_trace(path), read_trace(base)
    for entry, row in rates.items():
        for place, one in ((2, other), (3, trace)):
            ran = one.groups[entry].sums[1] if entry in one.groups else 0
            assert row[place] == pytest.approx(ran * 1e9 / (one.end - one.start))
        assert row[4] == pytest.approx(row[3] - row[2])
    assert {row[1] for row in tables["wait_rates"]["rows"]} >= {"network", "sleep"}


def test_a_place_that_creates_is_one_row_whoever_called_it() -> None:
    stacks = Stacks()
    names = {name: stacks.text(name) for name in ("main.start", "main.a", "main.b", "main.work")}

    def stack(*functions: str) -> int:
        numbers = [[names[each] for each in functions], [0] * len(functions), [0] * len(functions)]
        return stacks.number(np.array(numbers, np.int64))

    callers = [stack("main.start", "main.a"), stack("main.start", "main.b"), stack("main.a")]
    lifetimes = Lifetimes(0, 1_000)
    # Of a, b, b and main.a itself; the first and the second end.
    for who, (caller, born, died) in enumerate([(0, 1, 11), (1, 2, 32), (1, 3, 0), (2, 4, 0)]):
        for kind, time in ((CREATED, born), (ENDED, died)):
            if time:
                values = dict.fromkeys(Chunk.__slots__, 0) | {
                    "kind": kind, "who": who, "end": time,
                    "stack": callers[caller], "entry": names["main.work"],
                }  # fmt: skip
                chunk = {name: np.array([value], np.int64) for name, value in values.items()}
                lifetimes.take(Chunk(**chunk), stacks)

    table = lifetimes.table()

    assert [tuple(row[:5]) for row in table.rows] == [
        ("main.start", "main.work", 3, 2, 1), ("main.a", "main.work", 1, 0, 1),
    ]  # fmt: skip
    assert table.column("life_longest") == [30, None]
    assert table.column("stack") == ["main.start;main.b", "main.a"]
