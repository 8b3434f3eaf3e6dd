"""Batches of a thread that are read at once: the same comes out however its events are parted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from fuzz.small_traces import clock_text, tables_text

from gocost.formats.exectrace import ordered
from gocost.kernels import trace_fields as fields
from gocost.kernels import trace_run
from gocost.model.errors import FormatError
from tests.fixtures.trace_text import trace_bytes
from tests.kernels.conftest import LoadKernel
from tests.kernels.conftest import kernel as kernel
from tests.kernels.test_trace import carried, seen, with_kernels

START = 5
ROUNDS = 30
"""Times that two threads wait for each other: each has more events than are read at once."""
ONE = [
    "ProcStatus dt=1 p=1 pstatus=1",
    "GoStatus dt=1 g=1 m=7 gstatus=2",
    "GoCreate dt=2 new_g=2 new_stack=1 stack=2",
    *(
        line
        for round_ in range(ROUNDS)
        for line in (
            "GoBlock dt=300 reason_string=1 stack=2",
            f"GoStart dt=40000 g=1 g_seq={2 * round_ + 2}",
        )
    ),
]
OTHER = [
    "ProcStatus dt=1 p=2 pstatus=1",
    "GoStart dt=9 g=2 g_seq=1",
    *(f"GoUnblock dt=20000 g=1 g_seq={2 * round_ + 1} stack=0" for round_ in range(ROUNDS)),
]


def _batches(thread: int, events: list[str], size: int) -> Iterator[str]:
    """The events in batches of so many, each of which begins just before its first event."""
    times = np.cumsum([int(event.split("dt=")[1].split()[0]) for event in events]) + START
    for first in range(0, len(events), size):
        yield f"EventBatch gen=1 m={thread} time={times[first] - 1} size=?"
        yield re.sub(r"dt=\d+", "dt=1", events[first])
        yield from events[first + 1 : first + size]


def _trace(one: list[str], other: list[str], size: int) -> bytes:
    batches = [*_batches(7, one, size), *_batches(8, other, size)]
    return trace_bytes("\n".join(["Trace Go1.22", *batches, tables_text(1, 5), clock_text(22, 1)]))


@pytest.mark.parametrize("size", [1, 3, 50])
def test_events_are_the_same_however_they_are_parted(
    kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    with_kernels(monkeypatch, kernel)
    whole = seen(_trace(ONE, OTHER, 1000))
    assert whole[0][-3] == len(ONE) + len(OTHER)
    assert len(ONE) > 50 > fields.AHEAD

    assert seen(_trace(ONE, OTHER, size)) == whole


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_error_is_said_to_be_at_its_event(
    kernel: LoadKernel, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    with_kernels(monkeypatch, kernel)
    # The last event but one of the first thread ends a goroutine that was blocked.
    wrong = [
        *ONE,
        "GoBlock dt=1 reason_string=1 stack=2",
        "GoDestroy dt=1",
        "GoStop dt=1 reason_string=1 stack=2",
    ]
    data = _trace(wrong, OTHER, size)
    place = data.index(bytes([17, 1]))
    with pytest.raises(FormatError, match=f"thread 7: .*at byte {place}"):
        carried(data)


def test_small_rooms_have_what_fits_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seen(_trace(ONE, OTHER, 1))
    monkeypatch.setattr(ordered, "_AHEAD_THREAD", 11)

    assert seen(_trace(ONE, OTHER, 1)) == whole


def test_ids_that_follow_on_each_other_are_spread_whatever_the_multiplier() -> None:
    rows = np.full((1 << 12, fields.GOROUTINE_FIELDS), -1, np.int64)
    rows[:, fields.G_ID] = 1000 + np.arange(len(rows))
    scalars = np.zeros(fields.SCALARS, np.int64)
    for _ in range(100):
        table = np.full(4 * len(rows), -1, np.int32)
        scalars[fields.S_SEED] = ordered._multiplier()
        trace_run.rehash(table, rows.reshape(-1), len(rows), scalars)
        taken = "".join("x" if row >= 0 else " " for row in table.tolist())
        assert max(map(len, taken.split())) < 8
