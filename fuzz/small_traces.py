"""Small execution traces that have an event of almost every type, in every format that is read."""

from __future__ import annotations

from tests.fixtures.trace_text import trace_bytes

_THREAD = """EventBatch gen={g} m=7 time={t} size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
ProcStatus dt=1 p=2 pstatus=2
{create}HeapAlloc dt=1 heapalloc_value=100000
HeapGoal dt=1 heapgoal_value=4194304
STWBegin dt=1 kind_string=4 stack=2
STWEnd dt=1
GCBegin dt=1 gc_seq={seq} stack=2
GCMarkAssistBegin dt=1 stack=2
GCMarkAssistEnd dt=2
GCSweepBegin dt=1 stack=2
GCSweepEnd dt=1 swept_value=8192 reclaimed_value=4096
GCEnd dt=1 gc_seq={end}
UserTaskBegin dt=1 task={g} parent_task=0 name_string=3 stack=2
UserRegionBegin dt=1 task={g} name_string=3 stack=2
UserLog dt=1 task={g} key_string=3 value_string=2 stack=2
UserRegionEnd dt=1 task={g} name_string=3 stack=2
UserTaskEnd dt=1 task={g} stack=2
GoLabel dt=1 label_string=3
ProcsChange dt=1 procs_value=2 stack=2
GoSyscallBegin dt=1 p_seq=1 stack=1
GoSyscallEnd dt=7
GoSyscallBegin dt=1 p_seq=2 stack=1
GoSyscallEndBlocked dt=9
ProcStart dt=1 p=2 p_seq=1
GoStart dt=1 g=1 g_seq=1
GoBlock dt=3 reason_string=1 stack=2
GoStart dt=4 g={new} g_seq=1
GoUnblock dt=1 g=1 g_seq=2 stack=0
GoDestroy dt=2
GoStart dt=1 g=1 g_seq=3
GoStop dt=1 reason_string=1 stack=2
GoStart dt=1 g=1 g_seq=4
"""
_OTHER = """EventBatch gen={g} m=8 time={t} size=?
ProcSteal dt=40 p=1 p_seq=3 m=7
ProcStart dt=1 p=1 p_seq=4
ProcStop dt=1
"""
_TABLES = """EventBatch gen={g} m=18446744073709551615 time={t} size=?
Strings
String id=1
\tdata="chan send"
String id=2
\tdata="main.main"
String id=3
\tdata="main"
String id=4
\tdata="GC mark termination"
EventBatch gen={g} m=18446744073709551615 time={t} size=?
Stacks
Stack id=1 nframes=2
\tpc=1 func=2 file=3 line=4
\tpc=3 func=2 file=3 line=6
Stack id=2 nframes=1
\tpc=2 func=2 file=3 line=5
EventBatch gen={g} m=18446744073709551615 time={t} size=?
CPUSamples
CPUSample time=30 m=7 p=1 g=1 stack=2
"""
_CREATE = "GoCreate dt=2 new_g={new} new_stack=1 stack=2\n"
_MORE = """GoCreateBlocked dt=1 new_g=9 new_stack=1 stack=2
GoSwitch dt=1 g=9 g_seq=1
GoSwitch dt=1 g=1 g_seq=1
GoSwitch dt=1 g=9 g_seq=2
GoSwitchDestroy dt=1 g=1 g_seq=2
"""


def small_trace(version: int, generations: int = 2) -> bytes:
    """A trace of that format."""
    text = f"Trace Go1.{version}\n"
    for number in range(1, generations + 1):
        values = {"g": number, "t": 1000 * number, "new": 10 * number, "seq": 2 * number,
                  "end": 2 * number + 1}  # fmt: skip
        create = _CREATE.format(**values)
        text += _THREAD.format(create=create, **values) + _OTHER.format(**values)
        text += _TABLES.format(**values) + clock_text(version, number)
        if version >= 26:
            text += "EndOfGeneration\n"
    return trace_bytes(text)


def coroutines() -> bytes:
    """What format 23 brought: switches, goroutines created blocked, statuses with stacks; in two
    batches of one thread, which are read at once.
    """
    text = "Trace Go1.23\nEventBatch gen=1 m=7 time=5 size=?\nProcStatus dt=1 p=1 pstatus=1\n"
    text += "GoStatusStack dt=1 g=1 m=7 gstatus=2 stack=2\n"
    text += "EventBatch gen=1 m=7 time=7 size=?\n" + _MORE
    return trace_bytes(text + tables_text(1, 5) + clock_text(23, 1))


def claimed_twice() -> bytes:
    """A goroutine that two threads are said to run: one ends it, the other goes on with it."""
    text = """Trace Go1.23
EventBatch gen=1 m=7 time=5 size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoUnblock dt=1 g=2 g_seq=1 stack=0
GoBlock dt=1 reason_string=1 stack=2
EventBatch gen=1 m=8 time=5 size=?
ProcStatus dt=1 p=2 pstatus=1
GoStatus dt=1 g=1 m=8 gstatus=2
GoCreateBlocked dt=1 new_g=2 new_stack=1 stack=2
GoDestroy dt=1
"""
    return trace_bytes(text + tables_text(1, 5) + clock_text(23, 1))


def ring() -> bytes:
    """Threads that hand one P on, by system calls: each waits for the one before it."""
    text = "Trace Go1.23\n"
    for m in range(4):
        text += f"EventBatch gen=1 m={9 - m} time=5 size=?\n"
        if m == 0:
            text += "ProcStatus dt=1 p=0 pstatus=2\n"
        text += f"GoStatus dt=1 g={m + 1} m=18446744073709551615 gstatus=4\n"
        for turn in (m, m + 4):
            if turn:
                text += f"ProcSteal dt=1 p=0 p_seq={3 * turn} m={9 - (turn - 1) % 4}\n"
            text += f"ProcStart dt=1 p=0 p_seq={3 * turn + 1}\n"
            if turn == m:
                text += f"GoUnblock dt=1 g={m + 1} g_seq=1 stack=0\n"
            text += f"GoStart dt=1 g={m + 1} g_seq={2 + turn // 4}\n"
            text += f"GCBegin dt=1 gc_seq={2 * turn + 1} stack=2\n"
            text += f"GCEnd dt=1 gc_seq={2 * turn + 2}\n"
            if turn == 7:
                text += "GoBlock dt=1 reason_string=1 stack=2\nProcStop dt=1\n"
            else:
                text += f"GoSyscallBegin dt=1 p_seq={3 * turn + 2} stack=1\n"
                text += "GoSyscallEndBlocked dt=1\n"
    return trace_bytes(text + tables_text(1, 5) + clock_text(23, 1))


def tables_text(generation: int, time: int) -> str:
    """Batches of strings, stacks and CPU samples: three reasons, two stacks."""
    return _TABLES.format(g=generation, t=time)


def clock_text(version: int, generation: int) -> str:
    """The batch that says how the clock ticks."""
    head = f"EventBatch gen={generation} m=18446744073709551615 time=0 size=?\n"
    if version < 25:
        return f"{head}Frequency freq=15625000\n"
    return (
        f"{head}Sync\nFrequency freq=15625000\nClockSnapshot dt=5 mono=320 sec=1700000000 nsec=1\n"
    )


TRACES = [
    *(small_trace(version) for version in (22, 23, 25, 26)), coroutines(), claimed_twice(), ring(),
]  # fmt: skip
