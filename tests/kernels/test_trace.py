"""The kernels of execution traces: both forms do the same, on Go's own tests and on damage."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fuzz.small_traces import claimed_twice, clock_text, tables_text

from gocost.formats.exectrace import index, ordered, tables
from gocost.kernels import trace_fields as fields
from gocost.model.errors import FormatError
from tests.analyses.trace.test_against_reader import go_tests
from tests.fixtures.trace_text import trace_bytes
from tests.kernels.conftest import LoadKernel, compiled, interpreted

WINDOW = ordered.Window(0, 10**9, 16)
SMALL = """Trace Go1.22
EventBatch gen=1 m=7 time=5 size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoCreate dt=2 new_g=2 new_stack=1 stack=2
HeapAlloc dt=1 heapalloc_value=100000
GoBlock dt=3 reason_string=1 stack=2
GoStart dt=4 g=2 g_seq=1
GoSyscallBegin dt=1 p_seq=1 stack=1
GoSyscallEnd dt=7
GoUnblock dt=1 g=1 g_seq=1 stack=0
GoDestroy dt=2
GoStart dt=1 g=1 g_seq=2
EventBatch gen=1 m=18446744073709551615 time=0 size=?
Frequency freq=15625000
EventBatch gen=1 m=18446744073709551615 time=0 size=?
Strings
String id=1
\tdata="chan send"
String id=2
\tdata="main.main"
String id=3
\tdata="main"
EventBatch gen=1 m=18446744073709551615 time=0 size=?
Stacks
Stack id=1 nframes=1
\tpc=1 func=2 file=3 line=4
Stack id=2 nframes=1
\tpc=2 func=2 file=3 line=5
"""


def carried(data: bytes, window: ordered.Window = WINDOW) -> list[ordered.Carried]:
    """Every generation of a trace."""

    def read_into(buffer: memoryview, offset: int) -> int:
        part = data[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    version = index.read_format(data[: index.HEADER])
    found = index.read_index(read_into, len(data), version).generations
    return [
        ordered.carry_out(read_into, generation, version, window, first=place == 0, keep=None)
        for place, generation in enumerate(found)
    ]


def with_kernels(monkeypatch: pytest.MonkeyPatch, load: LoadKernel) -> None:
    run, headers = load("trace_run"), load("trace_index")
    for module, name, kernel in (
        (ordered, "kernel", run),
        (ordered, "trace_index", headers),
        (tables, "kernel", headers),
        (index, "kernel", headers),
    ):
        monkeypatch.setattr(module, name, kernel)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def seen(data: bytes) -> Any:
    """What was made of a trace: its numbers, or why it was refused."""
    try:
        return [
            [
                _plain(getattr(part, name))
                for name in ("live", "groups", "procs", "marks", "intervals", "heap", "collector")
            ]
            + [part.events, part.last_ns, sorted(part.ended.tolist())]
            for part in carried(data)
        ]
    except FormatError as error:
        return str(error)


def test_small(kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    with_kernels(monkeypatch, kernel)
    (found,) = carried(trace_bytes(SMALL))
    assert found.events == 11
    (ended,) = found.ended.tolist()
    sums = ended[fields.G_SUMS + 1 : fields.G_SUMS + 5]
    # Created at 4 ticks behind the batch's time, started 8 later, two ticks later ended: of those
    # 11 it was 7 in a system call.
    assert sums == [8 * 64, (1 + 1 + 2) * 64, 7 * 64, 0]
    assert found.groups[1, fields.B_COUNT] == 1
    (live,) = found.live.tolist()
    assert live[fields.G_STATE] == fields.RUNNING
    assert found.heap.max() == 100000


def test_both_forms_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every trace of the Go source, and on some of them damaged."""
    known = [(name, data) for name, _, data in go_tests() if len(data) < 20_000]
    rng = random.Random(20261126)
    inputs = [data for _, data in known] + [trace_bytes(SMALL)]
    for _ in range(300):
        damaged = bytearray(rng.choice(inputs))
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(16, len(damaged))] = rng.choice((0, 1, 3, 10, 127, 128, 255))
        inputs.append(bytes(damaged))
    outcomes = []
    for load in (compiled, interpreted):
        with monkeypatch.context() as patch:
            with_kernels(patch, load)
            outcomes.append([seen(data) for data in inputs])
    for data, (one, other) in zip(inputs, zip(*outcomes, strict=True), strict=True):
        assert one == other, data
    refused = sum(isinstance(found, str) for found in outcomes[0])
    assert 0 < refused < len(inputs)


def test_a_goroutine_that_two_threads_are_said_to_run_ends_once(
    kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_kernels(monkeypatch, kernel)
    # Thread 7 goes on when thread 8 has ended it: two rows were taken, so that row 2 is the next
    # free one, which is also the number of the state "running".
    with pytest.raises(FormatError, match="thread 7: a goroutine does what its state"):
        carried(claimed_twice())


SWITCHES = """Trace Go1.23
EventBatch gen=1 m=7 time=5 size=?
ProcStatus dt=1 p=1 pstatus=1
GoStatus dt=1 g=1 m=7 gstatus=2
GoCreateBlocked dt=1 new_g=9 new_stack=1 stack=2
GoSwitch dt=0 g=9 g_seq=1
GoSwitch dt=0 g=1 g_seq=1
GoSwitch dt=0 g=9 g_seq=2
GoSwitchDestroy dt=0 g=1 g_seq=2
GoCreate dt=1 new_g=10 new_stack=1 stack=2
GoBlock dt=1 reason_string=1 stack=2
"""


def test_what_takes_no_time_counts_where_it_is(
    kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_kernels(monkeypatch, kernel)
    data = trace_bytes(SWITCHES + tables_text(1, 5) + clock_text(23, 1))
    (whole,) = carried(data)
    assert whole.intervals[:, fields.I_COUNT].sum() == 4
    assert whole.groups[:, fields.B_COUNT].sum() == 1

    (within,) = carried(data, replace(WINDOW, clip=(1, 10**9)))
    (before,) = carried(data, replace(WINDOW, clip=(1, 3)))

    assert (within.intervals == whole.intervals).all()
    assert within.groups[:, fields.B_COUNT].tolist() == whole.groups[:, fields.B_COUNT].tolist()
    assert not before.intervals.any()
    assert not before.groups[:, fields.B_COUNT].any()


def test_histogram_buckets(kernel: LoadKernel) -> None:
    run = kernel("trace_run")
    for value in [
        *range(70),
        10**3,
        10**6,
        2**40 - 1,
        2**40,
        2**53 - 1,
        2**53 + 1,
        2**60 - 1,
        2**62,
    ]:
        number = run.bucket(value)
        assert run.bucket_floor(number) <= value < run.bucket_floor(number + 1)


def test_goroutines_that_come_and_go_keep_the_table_whole(kernel: LoadKernel) -> None:
    run = kernel("trace_run")
    rows = np.full((64, fields.GOROUTINE_FIELDS), -1, np.int64)
    rows[:40, fields.G_ID] = np.arange(40) * 7 + 3
    table = np.full(256, -1, np.int32)
    scalars = np.zeros(fields.SCALARS, np.int64)
    scalars[fields.S_SEED] = 0x5DEECE66D1CE4E5B
    run.rehash(table, rows.reshape(-1), 64, scalars)
    assert sorted(table[table >= 0].tolist()) == list(range(40))


@pytest.mark.parametrize("ids", [1, 1 << 20, 1 << 40, (1 << 31) + 1])
def test_ids_cannot_be_chosen_to_meet_in_the_table(kernel: LoadKernel, ids: int) -> None:
    run = kernel("trace_run")
    rows = np.full((1024, fields.GOROUTINE_FIELDS), -1, np.int64)
    rows[:, fields.G_ID] = np.arange(1024) * ids
    table = np.full(4096, -1, np.int32)
    scalars = np.zeros(fields.SCALARS, np.int64)
    scalars[fields.S_SEED] = -0x5DEECE66D1CE4E5B
    run.rehash(table, rows.reshape(-1), 1024, scalars)
    # Where ids meet they stand one behind the other: the longest such row is short.
    taken = "".join("x" if row >= 0 else " " for row in table.tolist())
    assert taken.count("x") == 1024
    assert max(map(len, taken.split())) < 64
