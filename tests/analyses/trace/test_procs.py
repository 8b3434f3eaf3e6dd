"""What Ps do where one generation of a trace follows on another."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocost.analyses.trace.account import Stacks
from gocost.analyses.trace.following import PROC_IDLE, PROC_SYSCALL, Chunk
from gocost.analyses.trace.tables import facts
from gocost.measures.trace import follow_trace, read_timeline, read_trace
from gocost.model.errors import FormatError
from gocost.model.subject import Subject
from tests.fixtures.trace_text import trace_bytes

UTILISATION = "scheduler.utilisation"
END = """
EventBatch gen={gen} m=18446744073709551615 time={gen}000 size=?
Frequency freq=1000000000
EventBatch gen={gen} m=18446744073709551615 time=0 size=1
Stacks
EventBatch gen={gen} m=18446744073709551615 time=0 size=1
Strings
"""
IN_A_CALL = """Trace Go1.22
EventBatch gen=1 m=0 time=0 size=?
ProcStatus dt=100 p=0 pstatus=1
GoStatus dt=1 g=1 m=0 gstatus=2
GoSyscallBegin dt=99 p_seq=1 stack=0
""" + END.format(gen=1)


def written(folder: Path, text: str) -> Path:
    path = folder / "a.trace"
    path.write_bytes(trace_bytes(text))
    return path


class Spans:
    """From when to when a P was in a state, by state."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, int]] = []

    def take(self, chunk: Chunk, stacks: Stacks) -> None:
        some = chunk.of(PROC_IDLE, PROC_SYSCALL)
        self.found += zip(some.kind.tolist(), some.start.tolist(), some.end.tolist(), strict=True)


@pytest.mark.parametrize("silent", [False, True])
def test_a_system_call_lasts_until_its_p_is_taken(tmp_path: Path, silent: bool) -> None:
    """The second generation says of the P only that it was abandoned: its thread is not heard of.

    Where `silent` that is all that it says, and the P is taken in the third.
    """
    taken = """
EventBatch gen={gen} m=1 time={time} size=?
ProcStatus dt=1 p=0 pstatus=4
ProcSteal dt=99 p=0 p_seq=1 m=0
ProcStart dt=100 p=0 p_seq=2
ProcStop dt=100
"""
    second = "EventBatch gen=2 m=1 time=400 size=?\nProcStatus dt=1 p=0 pstatus=4\n"
    second = second + END.format(gen=2) if silent else ""
    gen, time = (3, 1000) if silent else (2, 400)
    text = IN_A_CALL + second + taken.format(gen=gen, time=time) + END.format(gen=gen)
    path = written(tmp_path, text)

    running, idle, syscall, _ = read_trace(path).procs[0]

    assert (running, idle, syscall) == (100 + 100, 100, time + 100 - 200)
    spans = Spans()
    follow_trace(path, spans)
    steal = time + 100
    assert spans.found[:2] == [(PROC_SYSCALL, 200, steal), (PROC_IDLE, steal, steal + 100)]
    _, timeline = read_timeline(path)
    assert timeline.procs[0].sum(axis=1).tolist() == [running, syscall]


def test_a_p_that_changes_between_generations_is_refused(tmp_path: Path) -> None:
    idle = "EventBatch gen=2 m=1 time=400 size=?\nProcStatus dt=1 p=0 pstatus=2\n"

    path = written(tmp_path, IN_A_CALL + idle + END.format(gen=2))

    told = r"a\.trace: P 0 has another state than it was left in; .* record it again"
    with pytest.raises(FormatError, match=told):
        read_trace(path)


def test_utilisation_is_of_the_ps_that_are_allowed(tmp_path: Path) -> None:
    """One P runs all the time; four are allowed for the first 400 of 1,000 ns, and then two."""
    text = """Trace Go1.23
EventBatch gen=1 m=0 time=0 size=?
ProcStatus dt=0 p=0 pstatus=1
GoStatus dt=0 g=1 m=0 gstatus=2
ProcsChange dt=0 procs_value=4 stack=0
ProcsChange dt=400 procs_value=2 stack=0
GoStop dt=600 reason_string=0 stack=0
EventBatch gen=1 m=18446744073709551615 time=0 size=?
Frequency freq=1000000000
EventBatch gen=1 m=18446744073709551615 time=0 size=1
Stacks
EventBatch gen=1 m=18446744073709551615 time=0 size=1
Strings
"""
    trace = read_trace(written(tmp_path, text))

    (found,) = [fact for fact in facts(trace, Subject(), "") if fact.metric == UTILISATION]

    assert found.value == pytest.approx(1000 / (4 * 400 + 2 * 600))
