"""What goroutines do in a program's own tasks, from its execution trace."""

from __future__ import annotations

from pathlib import Path

from gocost.analyses.attribution.tasks import ByTask, TaskUse, changes
from gocost.analyses.trace.account import Joined
from gocost.measures.trace import follow_trace, read_trace
from gocost.sources.files import Spooled


def task_use(path: Path | Spooled, trace: Joined, max_bytes: int | None = None) -> TaskUse:
    """What goroutines did in the program's tasks, in the window of `trace`, which is of the same
    file. Raises as `read_trace`.
    """
    whole = read_trace(path, max_bytes=max_bytes) if trace.clipped else trace
    taker = ByTask(changes(whole), trace.start, trace.end)
    between = (trace.start - whole.start, trace.end - whole.start)
    follow_trace(path, taker, between=between, max_bytes=max_bytes)
    return taker.result(trace)
