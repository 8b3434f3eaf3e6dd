"""The kernels of execution traces, each called with what a mutated batch makes of its arguments."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.fast import Kernel
from fuzz.small_traces import TRACES
from gocost.formats.exectrace import index, ordered, tables
from gocost.kernels import trace_bins, trace_index, trace_run
from gocost.kernels import trace_fields as fields
from gocost.model.errors import FormatError

Bytes = NDArray[np.uint8]
ROWS = 32
"""Goroutines that there is room for: more than the small traces have."""


class _Events:
    """The events of one small trace, laid out as `ordered` does, with buffers used again."""

    def __init__(self, trace: bytes) -> None:
        def read_into(buffer: memoryview, offset: int) -> int:
            part = trace[offset : offset + len(buffer)]
            buffer[: len(part)] = part
            return len(part)

        version = index.read_format(trace[: index.HEADER])
        first = index.read_index(read_into, len(trace), version).generations[0]
        read = tables.read_tables(read_into, first, version)
        run = ordered._Run(
            read_into, first, read, ordered.Window(0, 10**9, 8), first=True, keep=None
        )
        run._refill()
        self.data = run._data.copy()
        self.tick = read.clock.tick_ns
        self.ids = run._ids
        self.first: list[NDArray[Any]] = [
            run._threads.reshape(-1), run._ahead.reshape(-1), run._queue, run._waits, run._scalars,
        ]  # fmt: skip
        self.now = [array.copy() for array in self.first]
        self.table = np.empty(4 * ROWS, np.int32)
        self.goroutines = np.empty((ROWS, fields.GOROUTINE_FIELDS), np.int64)
        self.procs = np.empty((8, fields.PROC_FIELDS), np.int64)
        self.sums = [
            np.zeros(array.size, np.int64)
            for array in (run._groups, run._intervals, run._histogram, run._heap)
        ]
        self.ended = np.empty(4 * fields.GOROUTINE_FIELDS, np.int64)
        self.marks = np.empty(4 * fields.MARK_FIELDS, np.int64)
        self.records = np.empty(8 * fields.RECORD_FIELDS, np.int64)

    def run(self, data: Bytes) -> None:
        """Carry out what the mutated bytes say, until it is done, wrong or there is no room."""
        threads, ahead, queue, waits, scalars = self.now
        for array, first in zip(self.now, self.first, strict=True):
            array[:] = first
        rows = threads.reshape(-1, fields.THREAD_FIELDS)
        np.minimum(rows[:, fields.T_END], len(data), out=rows[:, fields.T_END])
        np.minimum(rows[:, fields.T_AT], len(data), out=rows[:, fields.T_AT])
        read = ahead.reshape(-1, fields.AHEAD_FIELDS)[:, fields.A_START : fields.A_END + 1]
        np.minimum(read, len(data), out=read)
        scalars[fields.S_RECORDING] = len(data) and data[-1] & 1
        scalars[fields.S_CLIPPING] = len(data) and data[-1] >> 1 & 1
        scalars[fields.S_FROM], scalars[fields.S_TO] = 64_500, 66_000
        if len(data) and data[-1] >> 2 & 1:
            # As if threads had been tried again so often that who waits is looked up from now on.
            scalars[fields.S_WAKING] = 1
            scalars[fields.S_TRIED] = (fields.MOST_TRIES - 8) * len(self.ids)
        data = np.concatenate([data, np.zeros(trace_run.PADDING, np.uint8)])
        self.table.fill(-1)
        self.goroutines[:, 0] = -1
        self.goroutines[:, 1] = -1 - np.arange(1, ROWS + 1)
        self.goroutines[-1, 1] = 0
        scalars[fields.S_FREE] = 0
        self.procs.fill(0)
        self.procs[:, [fields.P_SWEEP, fields.P_THREAD]] = -2, -1
        groups, intervals, histogram, heap = self.sums
        intervals.fill(0)
        while True:
            outcome = trace_run.run(
                data, self.tick, threads, ahead, queue, waits, self.ids, self.table,
                self.goroutines.reshape(-1), self.procs.reshape(-1), groups, self.ended,
                self.marks, intervals, histogram, heap, self.records, scalars,
            )  # fmt: skip
            if outcome == fields.NEED:
                rows[rows[:, fields.T_STATUS] == fields.NEEDS, fields.T_STATUS] = 3
            elif outcome == fields.FULL_ENDED:
                scalars[fields.S_ENDED] = 0
            elif outcome == fields.FULL_MARKS:
                scalars[fields.S_MARKS] = 0
            elif outcome == fields.FULL_RECORDS:
                scalars[fields.S_RECORDS] = 0
            else:
                break
        live = int((self.goroutines[:, 0] >= 0).sum())
        assert live == scalars[fields.S_LIVE]
        assert int((self.table >= 0).sum()) == live


EVENTS = [_Events(trace) for trace in TRACES]


def events(which: int, data: Bytes) -> None:
    """The loop over events."""
    EVENTS[which].run(data)


def batches(which: int, data: Bytes) -> None:
    """The headers, and every table that the bytes may be."""
    found, state = (
        np.empty((trace_index.FIELDS, len(data) // 6 + 2), np.int64),
        np.zeros(2, np.int64),
    )
    trace_index.scan_headers(data, 0, found, state, last=bool(which & 1))
    following, used = state.tolist()
    assert following >= 0
    assert (found[trace_index.SIZE, :used] >= 0).all()
    for read in (trace_index.read_strings, trace_index.read_stacks, trace_index.read_samples):
        with contextlib.suppress(FormatError):
            read(data)


BINS, SHIFT = 8, 6
SUMS = np.zeros(6 * trace_bins.FIELDS * BINS, np.int64)
OF_STACK, OF_PROC = np.array([-1, 1, 2], np.int32), np.array([3, 4, -1, 5], np.int32)


def spreading(_: int, data: Bytes) -> None:
    """Any bytes as records of what took a time."""
    size = 8 * fields.RECORD_FIELDS
    records = data[: len(data) - len(data) % size].copy().view(np.int64)
    SUMS.fill(0)
    trace_bins.add(records, OF_STACK, OF_PROC, 0, SUMS, 64, SHIFT, BINS)
    lanes = trace_bins.spread(SUMS, SHIFT, BINS)
    assert np.abs(lanes).max() <= len(records) << SHIFT


def _records() -> bytes:
    rows = np.zeros((16, fields.RECORD_FIELDS), np.int64)
    rows[:, fields.R_KIND] = [1, 2, 9, 11] * 4
    rows[:, fields.R_WHO] = np.arange(16) % 2
    rows[:, fields.R_START] = 40 * np.arange(16)
    rows[:, fields.R_END] = 40 * np.arange(16) + 70
    rows[:, fields.R_OF] = np.arange(16) % 5 - 2
    return rows.tobytes()


KERNELS = (
    Kernel("trace_bins", spreading, [_records()]),
    Kernel("trace_run", events, [each.data.tobytes() for each in EVENTS]),
    Kernel("trace_index", batches, [trace[16:] for trace in TRACES]),
)
