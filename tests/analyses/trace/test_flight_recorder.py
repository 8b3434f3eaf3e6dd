"""What a flight recorder keeps is a trace that begins in the middle."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gocost.analyses.trace.account import UNKNOWN_ENTRY
from gocost.analyses.trace.spans import collections
from gocost.analyses.trace.threads import Threads
from gocost.measures.trace import follow_trace, read_trace, trace_time
from tests.fixtures.binaries import Recipe, built
from tests.fixtures.traces import fold


@pytest.mark.parametrize("toolchain", ["go1.25.14", "go"])
def test_a_flight_recorders_file(toolchain: str, tmp_path: Path) -> None:
    program, path = built(Recipe(program="flight", toolchain=toolchain)), tmp_path / "a.trace"
    subprocess.run([program, path, "3.5"], check=True, timeout=60)
    trace = read_trace(path, keep=None)
    assert trace.lost == ""
    assert {row[0]: tuple(row[2:6]) for row in trace.goroutines.tolist()} == fold(path)
    # It began before the recording did, and so its beginning is not known.
    assert trace.end - trace.start < 3.4e9
    assert "main.main.func1" in trace.groups or UNKNOWN_ENTRY in trace.groups
    assert collections(trace)
    time = trace_time(path)
    assert time.wall_end_ns is not None
    assert abs(path.stat().st_mtime_ns - time.wall_end_ns) < 3e9
    threads = Threads()
    assert follow_trace(path, threads).events == trace.events
    assert threads.table(trace.end - trace.start).rows
