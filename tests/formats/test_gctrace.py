"""gctrace and inittrace lines: every layout, among other output, cut, and from a real program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gocost.formats import gctrace, inittrace
from tests.fixtures.watched import running, watched

DATA = Path(__file__).parents[3] / "shared" / "data" / "gctrace"
NEWEST = (
    "gc 8 @0.882s 3%: 0.26+0.47+0.003 ms clock, 0.52+0.1/0.55/0.28+0.007 ms cpu, "
    "4->5->1 MB, 6 MB goal, 2 MB stacks, 3 MB globals, 2 P"
)


def test_a_line_gives_times_in_seconds_and_sizes_in_bytes() -> None:
    cycle = gctrace.parse_line(NEWEST)
    assert cycle == gctrace.Cycle(
        number=8,
        at=0.882,
        collector_share=0.03,
        sweep_termination=0.00026,
        mark=0.00047,
        mark_termination=3e-06,
        assist_cpu=0.0001,
        dedicated_cpu=0.00055,
        idle_cpu=0.00028,
        heap_start=4 << 20,
        heap_end=5 << 20,
        heap_live=1 << 20,
        goal=6 << 20,
        stacks=2 << 20,
        globals=3 << 20,
        procs=2,
        forced=False,
    )
    assert cycle.pauses == (0.00026, 3e-06)
    assert cycle.cpu == pytest.approx(0.00026 + 3e-06 + 0.0001 + 0.00055 + 0.00028)


def test_stacks_and_globals_came_later() -> None:
    line = NEWEST.replace(" 2 MB stacks, 3 MB globals,", "")
    cycle = gctrace.parse_line(line)
    assert cycle is not None
    assert (cycle.stacks, cycle.globals, cycle.procs) == (None, None, 2)


def test_go_1_5_has_five_phases_of_which_the_first_and_last_stop_the_world() -> None:
    cycle = gctrace.parse_line(
        "gc 80 @2.666s 13%: 0.071+34+0.001+0.11+0.48 ms clock, "
        "0.28+34+0+1.6/0.016/40+1.9 ms cpu, 30->31->16 MB, 31 MB goal, 4 P"
    )
    assert cycle is not None
    assert cycle.pauses == (0.000071, 0.00048)
    assert (cycle.assist_cpu, cycle.dedicated_cpu, cycle.idle_cpu) == (0.0016, 0.000016, 0.04)


@pytest.mark.parametrize(
    ("line", "forced"),
    [
        (f"{NEWEST} (forced)", True),
        (NEWEST.replace("3%:", "3% (checking for goroutine leaks):"), False),
        (f"2026/01/02 half a log line {NEWEST}", False),
        (f"{NEWEST}\r", False),
    ],
)
def test_it_is_found_whatever_stands_around_it(line: str, forced: bool) -> None:
    cycle = gctrace.parse_line(line)
    assert cycle is not None
    assert (cycle.number, cycle.forced) == (8, forced)


@pytest.mark.parametrize("length", range(0, len(NEWEST), 7))
def test_a_cut_line_is_no_cycle(length: int) -> None:
    assert gctrace.parse_line(NEWEST[:length]) is None


def test_a_line_cut_by_a_log_line_shows_as_a_lost_cycle() -> None:
    lines = [NEWEST.replace("gc 8", f"gc {number}") for number in (1, 2, 3, 4)]
    lines[2] = f"{lines[2][:40]}2026/01/02 worked\n{lines[2][40:]}"
    cycles = gctrace.decode("\n".join(lines).encode())
    assert [cycle.number for cycle in cycles] == [1, 2, 4]
    assert gctrace.lost(cycles) == 1
    assert gctrace.lost([]) == 0


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the test data beside the checkout")
@pytest.mark.parametrize(("name", "count"), [("go15_stderr.log", 130), ("map.gctrace", 95)])
def test_real_logs_decode_whole(name: str, count: int) -> None:
    cycles = gctrace.decode((DATA / name).read_bytes())
    assert len(cycles) == count
    assert gctrace.lost(cycles) == 0 or name == "map.gctrace"


def test_this_toolchain_writes_what_is_read() -> None:
    environment = {**os.environ, "GODEBUG": "gctrace=1,inittrace=1"}
    with subprocess.Popen(
        [watched(), "-listen=256.0.0.1:1"], env=environment, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        lines = child.stderr.read().splitlines()
    inits = [package for line in lines if (package := inittrace.parse_line(line))]
    assert sum("init " in line for line in lines) == len(inits) > 5
    assert "net/http" in {package.package for package in inits}
    assert sum(package.allocated_bytes for package in inits) > 0


def test_an_init_line() -> None:
    package = inittrace.parse_line("init net/http @1.1 ms, 0.24 ms clock, 15408 bytes, 82 allocs")
    assert package == inittrace.PackageInit("net/http", 0.0011, 0.00024, 15408, 82)
    assert inittrace.parse_line("init of the database @now") is None


def test_both_pages_of_memstats_tell_the_same() -> None:
    from gocost.formats import memstats, pprof_index
    from gocost.sources.endpoints import Endpoint

    with running("-pages=vars,pprof") as (_, url), Endpoint(url) as endpoint:
        for _ in range(300):
            endpoint.get("/work")
        heap = memstats.decode_heap_comments(endpoint.get("/debug/pprof/heap?debug=1").body)
        variables = memstats.decode_vars(endpoint.get("/debug/vars").body)
        counts = pprof_index.decode(endpoint.get("/debug/pprof/").body)
    assert heap.num_gc == variables.num_gc > 0
    assert heap.pause_ns == variables.pause_ns
    assert heap.next_gc == variables.next_gc
    assert heap.total_alloc <= variables.total_alloc
    assert len(heap.pauses_since(0)) == heap.num_gc
    assert all(pause > 0 for pause in heap.pauses_since(0))
    assert 2 <= counts["goroutine"] <= 20
