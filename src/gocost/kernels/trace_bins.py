"""What took a time in a trace, spread over bins of its time: how busy each lane was when.

An interval adds to a lane what of it lies before its end, and takes away what lies before its
beginning. What lies before a time t is a whole bin for each bin before t's, and a part of t's own:
so a time is two additions, however long the interval is and in whatever order they come, and the
sum over all bins is done once, at the end (`spread`).
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels.trace_fields import (
    P_RUNNING,
    P_SYSCALL,
    R_END,
    R_KIND,
    R_OF,
    R_PROC,
    R_START,
    R_WHO,
    RUNNABLE,
    RUNNING,
)

FIELDS = 2
"""Numbers a bin of a lane: how many whole bins end here, and the nanoseconds of the parts."""


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _mark(
    sums: cython.longlong[::1],
    lane: cython.Py_ssize_t,
    time: cython.longlong,
    sign: cython.longlong,
    start: cython.longlong,
    shift: cython.int,
    bins: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """All that lies before a time, added to a lane or taken away; returns 0."""
    bin_: cython.longlong
    at: cython.Py_ssize_t
    time -= start
    if time <= 0:
        return 0
    bin_ = time >> shift
    if bin_ >= bins:
        bin_ = bins - 1
        time = cython.cast(cython.longlong, bins) << shift
    at = 2 * (lane * bins + cython.cast(cython.Py_ssize_t, bin_))
    sums[at] += sign
    sums[at + 1] += sign * (time - (bin_ << shift))
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _add(
    records: cython.const[cython.longlong][::1],
    of_stack: cython.const[cython.int][::1],
    of_proc: cython.const[cython.int][::1],
    waiting: cython.Py_ssize_t,
    sums: cython.longlong[::1],
    start: cython.longlong,
    shift: cython.int,
    bins: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    rows: cython.Py_ssize_t = records.shape[0] >> 3
    row: cython.Py_ssize_t
    at: cython.Py_ssize_t
    lane: cython.Py_ssize_t
    kind: cython.longlong
    key: cython.longlong
    for row in range(rows):
        at = row << 3
        kind = records[at + R_KIND]
        if records[at + R_START] < 0:
            continue
        lane = -1
        if kind == RUNNABLE:
            lane = waiting
        elif kind == RUNNING:
            key = records[at + R_OF]
            if key < 0:
                key = -key
            if 0 <= key < of_stack.shape[0]:
                lane = of_stack[cython.cast(cython.Py_ssize_t, key)]
        elif kind == R_PROC + P_RUNNING or kind == R_PROC + P_SYSCALL:
            key = 2 * records[at + R_WHO] + (kind == R_PROC + P_SYSCALL)
            if 0 <= key < of_proc.shape[0]:
                lane = of_proc[cython.cast(cython.Py_ssize_t, key)]
        if lane >= 0:
            _mark(sums, lane, records[at + R_END], 1, start, shift, bins)
            _mark(sums, lane, records[at + R_START], -1, start, shift, bins)
    return rows


def add(
    records: npt.NDArray[np.int64],
    of_stack: npt.NDArray[np.int32],
    of_proc: npt.NDArray[np.int32],
    waiting: int,
    sums: npt.NDArray[np.int64],
    start: int,
    shift: int,
    bins: int,
) -> None:
    """Adds records (rows of eight, see trace_fields) to the lanes that they belong to.

    `of_stack` is the lane of the running goroutines that start in a stack, `of_proc` those of each
    P's running and syscalls (2 a P), `waiting` that of runnable goroutines; below 0 is none. `sums`
    has FIELDS numbers for each of `bins` bins of each lane; a bin is `1 << shift` nanoseconds, and
    the first begins at `start`. What began before its generation (below 0) is passed over.
    """
    if len(sums) % (FIELDS * bins) or max(
        int(of_stack.max(initial=-1)), int(of_proc.max(initial=-1)), waiting
    ) >= len(sums) // (FIELDS * bins):
        raise ValueError("a lane is beyond the sums")
    _run(_view(records), _view(of_stack), _view(of_proc), waiting, _view(sums), start, shift, bins)


def _run(
    records: cython.const[cython.longlong][::1],
    of_stack: cython.const[cython.int][::1],
    of_proc: cython.const[cython.int][::1],
    waiting: cython.Py_ssize_t,
    sums: cython.longlong[::1],
    start: cython.longlong,
    shift: cython.int,
    bins: cython.Py_ssize_t,
) -> None:
    with cython.nogil:
        _add(records, of_stack, of_proc, waiting, sums, start, shift, bins)


def interval(sums: npt.NDArray[np.int64], begin: int, end: int, start: int, shift: int) -> None:
    """Adds one interval to the sums of one lane."""
    bins = len(sums) // FIELDS
    view = _view(sums)
    _mark(view, 0, end, 1, start, shift, bins)
    _mark(view, 0, begin, -1, start, shift, bins)


def spread(sums: npt.NDArray[np.int64], shift: int, bins: int) -> npt.NDArray[np.int64]:
    """The nanoseconds of each lane in each bin: an array of lanes by bins."""
    of_lane = sums.reshape(-1, bins, FIELDS)
    whole = of_lane[:, :, 0]
    after = np.cumsum(whole[:, ::-1], axis=1)[:, ::-1] - whole
    made: npt.NDArray[np.int64] = (after << shift) + of_lane[:, :, 1]
    return made


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
