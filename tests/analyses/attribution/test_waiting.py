"""The bill's waiting of a trace in which a goroutine waits from before it until its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.analyses.attribution.waiting import KINDS, intervals
from gocost.measures.trace import read_trace
from gocost.measures.trace_tasks import task_use
from tests.fixtures.forged_traces import waiting_throughout

CHANNEL = KINDS.index("channel")
TOOK = 320
"""Nanoseconds from the first status to the last one."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "leak.trace"
    found.write_bytes(waiting_throughout("runtime.chanrecv1"))
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
