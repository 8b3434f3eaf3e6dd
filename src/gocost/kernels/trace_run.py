"""One generation of an execution trace, in order: what every goroutine and P did, and for how long.

A generation is batches of events, each batch of one thread. Their order over threads is given by
the sequence numbers of goroutines, Ps and the collector and not by time (`internal/trace/order.go`
in the Go source), so there is no heap: a thread's events are carried out until one is not ready (a
start of a goroutine that is not runnable yet), then another thread's; what waits is tried again
when nothing else goes on.

A generation is read without the one before it. Statuses open it: a goroutine's state is known from
its status event on, but not since when. Times are therefore kept as signed sums: entering a state
at t subtracts t, leaving it adds t, and what was entered before the generation is left without
having been entered. Added over all generations these sums are exact, and what is open at the end
is closed with the last time.

The driver hands over data some batches at a time: `run` returns NEED when nothing goes on without
more of them, and other codes where a table is full. Nothing grows here and nothing is read here.

The tables are pointers and no index into them is compared with their length: stacks, texts and Ps
are compared with the numbers of rows when they are read, and the driver sees to it that a table
has room for what one event can add. It is fuzzed in a form in which every index is checked
(GOCOST_CHECKED_KERNELS, see build_support/kernels.py).

The loop over events is the piece `_trace_events`; here is how it is called. What the events of one
kind do, and the tables that they do it to, are pieces as well (`_trace_*.py`).
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._trace_accounts import _bucket
from gocost.kernels._trace_events import _run
from gocost.kernels._trace_table import _rehash
from gocost.kernels.trace_fields import (
    DONE,
    GOROUTINE_FIELDS,
    GROUP_FIELDS,
    INTERVAL_FIELDS,
    MARK_FIELDS,
    MOST_TRIES,
    PROC_FIELDS,
    RECORD_FIELDS,
    ROOM,
    S_BINS,
    S_MASK,
    S_PROCS,
    S_ROOM_ENDED,
    S_ROOM_MARKS,
    S_ROOM_PAIRS,
    S_ROOM_RECORDS,
    S_SEED,
    S_SHIFT,
    S_STACKS,
    S_THREADS,
    S_WAIT_SHIFT,
    THREAD_FIELDS,
)

PADDING = 16
"""Bytes behind the data that may be read, but are not looked at."""
BUCKETS = 512
"""Of histograms: eight a power of two."""

# By -1 less the code: MALFORMED, NO_SUCH_EVENT and so on in trace_fields.
ERRORS = (
    "an event is malformed",
    "an event has a type that is not known",
    "expected a proc but didn't have one",
    "expected a goroutine but didn't have one",
    "a thread that runs a goroutine starts another",
    "a goroutine does what its state does not allow",
    "a goroutine is created that exists",
    "a goroutine or P has a status that is not known",
    "a status contradicts what came before",
    "a P does what its state does not allow",
    "a P is stolen from a thread that does not have it",
    "a stack or string is not in its table",
    "the events cannot be put in order",
    "a number is too large",
    "a collection begins, goes on or ends that cannot",
    "a stack waits for more reasons than Go has",
    f"its threads wait for each other over {MOST_TRIES:,} times an event",
)


def _argument_counts() -> npt.NDArray[np.int8]:
    """How many arguments an event of each type has behind its time; -1 where it is no event."""
    counts = np.full(256, -1, np.int8)
    for count, types in enumerate(
        (
            (11, 17, 18, 23, 24, 27, 36),
            (15, 28, 30, 31, 32, 34, 35, 37, 38, 39, 130, 133, 136),
            (9, 10, 13, 16, 19, 20, 22, 26, 29, 33, 41, 45, 46, 131, 132, 134, 135),
            (12, 14, 21, 25, 42, 43, 47, 51, 128, 129),
            (40, 44, 48),
        )
    ):
        counts[list(types)] = count
    return counts


ARGUMENTS = _argument_counts()


def bucket(value: int) -> int:
    """The bucket of the histogram that a number of nanoseconds falls into."""
    return int(_bucket(value))


def bucket_floor(number: int) -> int:
    """The least number of nanoseconds in a bucket."""
    if number < 16:
        return number
    return (8 + number % 8) << (number // 8 - 1)


def rehash(
    table: npt.NDArray[np.int32],
    goroutines: npt.NDArray[np.int64],
    rows: int,
    scalars: npt.NDArray[np.int64],
) -> None:
    """Fill an empty hash table, whose length is a power of two, with the first `rows` rows."""
    _measure(table, scalars)
    _run_rehash(_view(table), _view(goroutines), rows, int(scalars[S_SEED]), int(scalars[S_SHIFT]))


def _measure(table: npt.NDArray[np.int32], scalars: npt.NDArray[np.int64]) -> None:
    """How long a hash table is, as it is looked into."""
    scalars[S_MASK] = len(table) - 1
    scalars[S_SHIFT] = 65 - len(table).bit_length()


def _run_rehash(
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    rows: cython.Py_ssize_t,
    seed: cython.longlong,
    shift: cython.int,
) -> None:
    mask: cython.Py_ssize_t = table.shape[0] - 1
    if cython.compiled:
        with cython.nogil:
            _rehash(
                cython.address(table[0]), cython.address(goroutines[0]), rows, seed, shift, mask
            )
    else:
        _rehash(table, goroutines, rows, seed, shift, mask)


def run(
    data: npt.NDArray[np.uint8],
    tick: float,
    threads: npt.NDArray[np.int64],
    ahead: npt.NDArray[np.int64],
    queue: npt.NDArray[np.int32],
    waits: npt.NDArray[np.int32],
    ids: npt.NDArray[np.int64],
    table: npt.NDArray[np.int32],
    goroutines: npt.NDArray[np.int64],
    procs: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    ended: npt.NDArray[np.int64],
    marks: npt.NDArray[np.int64],
    intervals: npt.NDArray[np.int64],
    histogram: npt.NDArray[np.int64],
    heap: npt.NDArray[np.int64],
    records: npt.NDArray[np.int64],
    scalars: npt.NDArray[np.int64],
) -> int:
    """Carry out events until data or room are missing, all is done, or something is wrong.

    `tick` is nanoseconds a tick; `data` has PADDING bytes behind the last batch; `ids` (threads)
    the sorted ids of the threads; `waits` two numbers a thread and then a power of two of -1; none
    is empty; the tables are those of trace_fields, and kept between calls. Returns DONE, NEED, a
    FULL_ code, or a number below 0: -1 less the place in ERRORS, of the thread scalars[S_FAULT].
    """
    if not len(ids):
        return DONE
    _measure(table, scalars)
    scalars[S_THREADS] = len(threads) // THREAD_FIELDS
    scalars[S_WAIT_SHIFT] = 32 - (len(waits) - 2 * len(queue)).bit_length()
    scalars[S_STACKS] = len(groups) // GROUP_FIELDS
    scalars[S_PROCS] = len(procs) // PROC_FIELDS
    scalars[S_BINS] = len(heap)
    scalars[S_ROOM_ENDED] = len(ended) // GOROUTINE_FIELDS
    scalars[S_ROOM_MARKS] = len(marks) // MARK_FIELDS
    scalars[S_ROOM_PAIRS] = len(intervals) // INTERVAL_FIELDS - ROOM
    scalars[S_ROOM_RECORDS] = len(records) // RECORD_FIELDS - ROOM
    return int(
        _run_all(
            _view(data),
            _view(ARGUMENTS),
            tick,
            _view(threads),
            _view(ahead),
            _view(queue),
            _view(waits),
            _view(ids),
            _view(table),
            _view(goroutines),
            _view(procs),
            _view(groups),
            _view(ended),
            _view(marks),
            _view(intervals),
            _view(histogram),
            _view(heap),
            _view(records),
            _view(np.zeros(1, np.uint64)),
            _view(scalars),
        )
    )


def _run_all(
    data: cython.const[cython.uchar][::1],
    counts: cython.const[cython.schar][::1],
    tick: cython.double,
    threads: cython.longlong[::1],
    ahead: cython.longlong[::1],
    queue: cython.int[::1],
    waits: cython.int[::1],
    ids: cython.const[cython.longlong][::1],
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    procs: cython.longlong[::1],
    groups: cython.longlong[::1],
    ended: cython.longlong[::1],
    marks: cython.longlong[::1],
    intervals: cython.longlong[::1],
    histogram: cython.longlong[::1],
    heap: cython.longlong[::1],
    records: cython.longlong[::1],
    got: cython.ulonglong[::1],
    scalars: cython.longlong[::1],
) -> int:
    outcome: cython.Py_ssize_t
    if cython.compiled:
        with cython.nogil:
            outcome = _run(
                cython.address(data[0]),
                cython.address(counts[0]),
                tick,
                cython.address(threads[0]),
                cython.address(ahead[0]),
                cython.address(queue[0]),
                cython.address(waits[0]),
                cython.address(ids[0]),
                cython.address(table[0]),
                cython.address(goroutines[0]),
                cython.address(procs[0]),
                cython.address(groups[0]),
                cython.address(ended[0]),
                cython.address(marks[0]),
                cython.address(intervals[0]),
                cython.address(histogram[0]),
                cython.address(heap[0]),
                cython.address(records[0]),
                cython.address(got[0]),
                cython.address(scalars[0]),
            )
    else:
        outcome = _run(
            data, counts, tick, threads, ahead, queue, waits, ids, table, goroutines, procs, groups,
            ended, marks, intervals, histogram, heap, records, got, scalars,
        )  # fmt: skip
    return outcome


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
