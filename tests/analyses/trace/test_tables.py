"""What the tables of a trace say, on real traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fuzz.small_traces import clock_text, tables_text

import gocost
from gocost.analyses.trace.account import STATES, Stacks
from gocost.analyses.trace.profiles import chosen
from gocost.analyses.trace.tables import facts, waits_by_place, waits_by_reason
from gocost.analyses.trace.waiting import place_of, reason_of
from gocost.measures.trace import read_trace
from gocost.model.report import Report
from gocost.model.subject import Subject
from tests.fixtures.forged_traces import waiting_throughout
from tests.fixtures.trace_text import trace_bytes
from tests.fixtures.traces import recorded


@pytest.fixture(scope="module")
def path() -> Path:
    return recorded("go", "all")


@pytest.fixture(scope="module")
def report(path: Path) -> Report:
    return gocost.trace(path, top=0)


def test_groups_add_up_to_the_goroutines(report: Report) -> None:
    groups, single = report.tables["goroutine_groups"], report.tables["goroutines"]
    assert sum(groups.column("count")) == len(single.rows)  # type: ignore[arg-type]
    for state in ("running", "runnable", "waiting", "syscall"):
        assert sum(groups.column(state)) == sum(single.column(state))  # type: ignore[arg-type]


def test_names_what_the_program_did(report: Report) -> None:
    entries = report.tables["goroutine_groups"].column("entry")
    assert any("traced" in str(name) or str(name).startswith("main.") for name in entries)
    reasons = report.tables["waits"].column("reason")
    assert {"network", "sleep", "chan receive"} <= set(reasons)
    assert report.tables["tasks"].column("task") == ["request"]
    assert report.tables["regions"].column("region") == ["parse"]
    assert report.tables["gc"].rows
    kinds = report.tables["stw"].column("kind")
    assert "GC mark termination" in kinds


def test_every_p_is_accounted_for(path: Path) -> None:
    trace = read_trace(path)
    length = trace.end - trace.start
    for running, idle, syscall, swept in trace.procs.values():
        assert 0.9 * length < running + idle + syscall <= length
        assert 0 <= swept <= running


@pytest.mark.parametrize("between", [None, (0, 1 << 60), (1_000_000, 40_000_000)])
def test_waits_add_up_to_what_goroutines_waited(
    path: Path, between: tuple[int, int] | None
) -> None:
    trace = read_trace(path, between=between)
    for place, state in enumerate(STATES):
        if state != "running":
            total = sum(group.sums[place] for group in trace.groups.values())
            reasons = waits_by_reason(trace).items()
            assert sum(row[1] for (name, _), row in reasons if name == state) == total
            places = waits_by_place(trace).items()
            assert sum(row[1] for (number, _), row in places if number == place) == total


COROUTINES = """Trace Go1.23
EventBatch gen=1 m=7 time=5 size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoStatus dt=0 g=2 m=18446744073709551615 gstatus=4
GoStatusStack dt=0 g=3 m=18446744073709551615 gstatus=4 stack=2
GoCreateBlocked dt=1 new_g=9 new_stack=1 stack=2
GoSwitch dt=2 g=9 g_seq=1
GoBlock dt=1 reason_string=1 stack=2
"""


def test_a_wait_that_no_event_gives_a_reason_is_of_a_coroutine_or_unknown(tmp_path: Path) -> None:
    path = tmp_path / "coroutines.trace"
    path.write_bytes(trace_bytes(COROUTINES + tables_text(1, 5) + clock_text(23, 1)))
    waits = waits_by_reason(read_trace(path))
    # 9 waits until it is switched to, and 1 from then on; 2 and 3 waited before.
    ticks = {name: total // 64 for (_, name), (_, total, _) in waits.items()}
    assert ticks == {"coroutine": 2 + 1, "unknown": 4 + 4, "chan send": 0}


def test_what_waited_before_the_trace_began_waits_for_what_its_stack_shows(tmp_path: Path) -> None:
    path = tmp_path / "two.trace"
    path.write_bytes(waiting_throughout("runtime.chanrecv1"))
    assert waits_by_reason(read_trace(path)) == {("waiting", "chan receive"): [1, 320, 320]}
    # go tool trace has only what ended, of the whole.
    assert not chosen(read_trace(path), "sync")
    (wait,) = chosen(read_trace(path, between=(128, 1 << 20)), "sync")
    assert wait.total_ns == 256


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("internal/poll.runtime_pollWait", ""),
        ("runtime.netpollblock", "network"),
        ("sync.(*WaitGroup).Wait", "sync"),
        ("sync.runtime_notifyListWait", "sync.(*Cond).Wait"),
        ("time.Sleep", "sleep"),
        ("runtime.coroswitch_m", "coroutine"),
        ("runtime.block", "forever"),
    ],
)
def test_a_stack_tells_in_the_traces_own_words(function: str, reason: str) -> None:
    stacks = Stacks()
    shown = stacks.number(np.array([[stacks.text(function)], [0], [1]], np.int64))
    assert reason_of(stacks, STATES.index("waiting"), shown, 0) == reason
    assert reason_of(stacks, STATES.index("syscall"), shown, 0) == ""


@pytest.mark.parametrize("between", [None, (1_000_000, 1_400_000), (3_000_000, 3_100_000)])
def test_no_percentile_of_latency_is_beyond_the_longest(
    path: Path, between: tuple[int, int] | None
) -> None:
    found = facts(read_trace(path, between=between), Subject(), "")
    ends: dict[str, list[float]] = {
        fact.metric.removeprefix("scheduler.latency."): [
            float(each) for each in (fact.low, fact.value, fact.high) if each is not None
        ]
        for fact in found
    }
    (longest,) = ends["max"]
    for percent in ("p50", "p99"):
        assert ends.get(percent, []) == sorted(ends.get(percent, []))
        assert max(ends.get(percent, []), default=longest) <= longest


def test_the_longest_goroutines_are_the_same_however_many_are_kept(path: Path) -> None:
    everything = gocost.trace(path, top=0).tables["goroutines"].rows
    few = gocost.trace(path, top=7).tables["goroutines"].rows
    assert [row[2] for row in few] == [row[2] for row in everything[:7]]


def test_a_cut_trace_gives_what_is_whole(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    whole = read_trace(recorded("go", "mixed", 2.5))
    cut = tmp_path / "cut.trace"
    cut.write_bytes(recorded("go", "mixed", 2.5).read_bytes()[:-1000])
    found = read_trace(cut)
    assert 0 < found.events < whole.events
    assert "is lost" in found.lost
    assert found.generations < whole.generations
    cut.write_bytes(data + b"garbage")
    assert "damaged" in read_trace(cut).lost


@pytest.mark.parametrize(
    ("functions", "place"),
    [
        (["runtime.chanrecv1", "main.wait", "main.main"], "main.wait"),
        (["sync.runtime_SemacquireMutex", "sync.(*Mutex).Lock", "main.(*cache).get"],
         "main.(*cache).get"),
        (["internal/poll.(*FD).Read", "net.(*conn).Read", "net/http.(*persistConn).Read"],
         "net/http.(*persistConn).Read"),
        (["time.Sleep", "main.poll"], "main.poll"),
        (["runtime.gopark", "runtime.bgsweep"], "runtime.bgsweep"),
        (["runtime.goexit"], "runtime.goexit"),
        ([], "(no stack)"),
    ],
)  # fmt: skip
def test_a_place_is_where_somebody_wrote_to_wait(functions: list[str], place: str) -> None:
    assert place_of(functions) == place
