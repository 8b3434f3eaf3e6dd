"""Which thread goes on, and with which of its batches. Piece of trace_run.

Threads that can go on stand in a queue, those that wait for another do not: they are tried again
when nothing else goes on, which is seldom. Where it is not, see `_trace_waits`.
"""

import cython

from gocost.kernels._trace_bytes import _varint
from gocost.kernels._trace_waits import _wait_for_nothing
from gocost.kernels.trace_fields import (
    A_END,
    A_START,
    A_TIME,
    AHEAD,
    DONE,
    FEW_TRIES,
    GC_IDLE,
    GC_RUNNING,
    MOST_TRIES,
    NEED,
    NEEDS,
    PARKED,
    READY,
    S_EVENTS,
    S_GC_BEFORE,
    S_GC_FIRST,
    S_GC_SEQ,
    S_GC_STATE,
    S_HEAD,
    S_PARKED,
    S_PROGRESS,
    S_QUEUED,
    S_THREADS,
    S_TRIED,
    S_WAKING,
    T_AT,
    T_END,
    T_MORE,
    T_STATUS,
    T_TIME,
    TANGLED,
    UNORDERED,
)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _first_collection(
    data: cython.pointer[cython.const[cython.uchar]],
    threads: cython.p_longlong,
    got: cython.p_ulonglong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Nothing goes on but, perhaps, the collector: its first event is the one with the least
    number of those that threads have come to. Returns whether there is one.
    """
    thread: cython.Py_ssize_t
    at: cython.Py_ssize_t
    kind: cython.int = 0
    if scalars[S_GC_STATE] != 0:
        return 0
    for thread in range(cython.cast(cython.Py_ssize_t, scalars[S_THREADS])):
        if threads[(thread << 3) + T_STATUS] != PARKED:
            continue
        at = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_AT])
        if data[at] < 28 or data[at] > 30:
            continue
        # It was read before, when the thread was parked at it: it is whole.
        kind = data[at]
        at = _varint(data, at + 1, at + 32, got)
        _varint(data, at, at + 32, got)
        if scalars[S_GC_STATE] == 0 or cython.cast(cython.longlong, got[0]) < scalars[S_GC_FIRST]:
            scalars[S_GC_FIRST] = cython.cast(cython.longlong, got[0])
            scalars[S_GC_STATE] = GC_IDLE if kind == 29 else GC_RUNNING
    if scalars[S_GC_STATE] == 0:
        return 0
    scalars[S_GC_SEQ] = scalars[S_GC_FIRST] - 1
    scalars[S_GC_BEFORE] = scalars[S_GC_STATE]
    return 1


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _try_again(
    data: cython.pointer[cython.const[cython.uchar]],
    threads: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    got: cython.p_ulonglong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Nothing is ready: queues those that wait. Returns 0, or what `run` is to return plus 100."""
    size: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_THREADS])
    thread: cython.Py_ssize_t
    # Whoever needs data gets it first; who waits is tried again then.
    for thread in range(size):
        if threads[(thread << 3) + T_STATUS] == NEEDS:
            return 100 + NEED
    if scalars[S_PARKED] == 0:
        return 100 + DONE
    if scalars[S_PROGRESS] == 0 and not _first_collection(data, threads, got, scalars):
        return 100 + UNORDERED
    scalars[S_TRIED] += size
    if scalars[S_TRIED] > MOST_TRIES * (scalars[S_EVENTS] + size):
        return 100 + TANGLED
    scalars[S_PROGRESS] = 0
    scalars[S_WAKING] = scalars[S_TRIED] > FEW_TRIES * (scalars[S_EVENTS] + size)
    _wait_for_nothing(waits, scalars)
    for thread in range(size):
        if threads[(thread << 3) + T_STATUS] == PARKED:
            threads[(thread << 3) + T_STATUS] = READY
            queue[cython.cast(cython.Py_ssize_t, (scalars[S_HEAD] + scalars[S_QUEUED]) % size)] = (
                cython.cast(cython.int, thread)
            )
            scalars[S_QUEUED] += 1
    scalars[S_PARKED] = 0
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _next_batch(
    thread: cython.Py_ssize_t, threads: cython.p_longlong, ahead: cython.p_longlong
) -> cython.Py_ssize_t:
    """Goes on to the thread's batch that was read ahead; returns whether there is one."""
    at: cython.Py_ssize_t = thread << 3
    more: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[at + T_MORE])
    row: cython.Py_ssize_t = (thread * AHEAD + AHEAD - more) << 2
    if more == 0:
        return 0
    threads[at + T_AT] = ahead[row + A_START]
    threads[at + T_END] = ahead[row + A_END]
    threads[at + T_TIME] = ahead[row + A_TIME]
    threads[at + T_MORE] = more - 1
    return 1
