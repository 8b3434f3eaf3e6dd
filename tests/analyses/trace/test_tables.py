"""What the tables of a trace say, on real traces."""

from __future__ import annotations

from pathlib import Path

import pytest

import gocost
from gocost.analyses.trace.waiting import place_of
from gocost.measures.trace import read_trace
from gocost.model.report import Report
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


def test_waits_of_reasons_and_places_agree(path: Path) -> None:
    trace = read_trace(path)
    for state in (0, 2, 3):
        by_reason = sum(row[1] for (s, _), row in trace.waits_by(2).rows.items() if s == state)
        by_place = sum(row[1] for (s, _), row in trace.waits_by(1).rows.items() if s == state)
        assert by_reason == by_place


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
