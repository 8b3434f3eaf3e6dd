"""The bill's waiting of a trace in which a goroutine waits from before it until its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.small_traces import clock_text, tables_text

from gocost.analyses.attribution.waiting import KINDS, intervals
from gocost.measures.trace import read_trace
from gocost.measures.trace_tasks import task_use
from tests.fixtures.trace_text import trace_bytes

CHANNEL = KINDS.index("channel")
TOOK = 320
"""Nanoseconds from the first status to the last one."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two generations that say nothing but its status; the second shows its stack."""
    text = "Trace Go1.23\n"
    for generation, event, stack in ((1, "GoStatus", ""), (2, "GoStatusStack", " stack=2")):
        text += f"EventBatch gen={generation} m=7 time={5 * generation} size=?\n"
        text += f"{event} dt=1 g=3 m=18446744073709551615 gstatus=4{stack}\n"
        text += tables_text(generation, 5).replace("main.main", "runtime.chanrecv1")
        text += clock_text(23, generation)
    found = tmp_path / "leak.trace"
    found.write_bytes(trace_bytes(text))
    return found


def test_it_waits_for_what_its_stack_shows(path: Path) -> None:
    found = intervals(read_trace(path))
    assert found.kind.tolist() == [CHANNEL]
    assert found.total.tolist() == [TOOK]


def test_by_task_it_waits_for_the_same(path: Path) -> None:
    use = task_use(path, read_trace(path))
    waited = {kind: int(by_task.sum()) for kind, by_task in use.waited.items()}
    for kind, ns in use.system_waited.items():
        waited[kind] = waited.get(kind, 0) + ns
    assert {kind: ns for kind, ns in waited.items() if ns} == {"channel": TOOK}
