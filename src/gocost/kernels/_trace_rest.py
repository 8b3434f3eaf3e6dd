"""Events that are few: statuses, collections, assists, marks. Piece of trace_run.

What an event gives back is 0, or what stops it: see trace_fields.
"""

import cython

from gocost.kernels._trace_accounts import _record, _seen_in
from gocost.kernels._trace_table import _create, _find
from gocost.kernels.trace_fields import (
    CONTRADICTED,
    FULL_GOROUTINES,
    FULL_MARKS,
    G_ASSIST,
    G_ASSISTED,
    G_FIRST,
    G_ID,
    G_LEFT,
    G_SEQ,
    G_SINCE,
    G_START,
    G_STATE,
    GC_IDLE,
    GC_RUNNING,
    MARK_FIELDS,
    NO_COLLECTION,
    NO_GOROUTINE,
    NO_PROC,
    NO_SUCH_EVENT,
    NO_SUCH_STATUS,
    NONE,
    NOT_IN_TABLE,
    NOT_OPEN,
    NOT_READY,
    NOT_YET,
    R_ASSIST,
    RUNNING,
    S_BIN,
    S_BINS,
    S_BINS_FROM,
    S_FREE,
    S_GC_FIRST,
    S_GC_SEQ,
    S_GC_STATE,
    S_INITIAL,
    S_MARKS,
    S_MASK,
    S_RECORDING,
    S_ROOM_MARKS,
    S_SEED,
    S_SHIFT,
    S_STACKS,
    S_THREADS,
    SYSCALL,
    T_G,
    T_ID,
    T_P,
    TOO_LARGE,
    UNKNOWN,
)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _status_event(
    kind: cython.int,
    now: cython.longlong,
    thread: cython.Py_ssize_t,
    a0: cython.ulonglong,
    a1: cython.ulonglong,
    a2: cython.ulonglong,
    a3: cython.ulonglong,
    ids: cython.pointer[cython.const[cython.longlong]],
    threads: cython.p_longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    groups: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """GoStatus and GoStatusStack: what a goroutine is doing when a generation begins."""
    at: cython.Py_ssize_t = thread << 3
    mask: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_MASK])
    shift: cython.int = cython.cast(cython.int, scalars[S_SHIFT])
    state: cython.longlong = cython.cast(cython.longlong, a2)
    id_: cython.longlong = cython.cast(cython.longlong, a0)
    row: cython.Py_ssize_t
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_THREADS])
    middle: cython.Py_ssize_t
    if a0 >> 63 or a2 < 1 or a2 > 4:
        return NO_SUCH_STATUS
    if kind == 48 and a3 >= cython.cast(cython.ulonglong, scalars[S_STACKS]):
        return NOT_IN_TABLE
    row = _find(id_, table, goroutines, scalars[S_SEED], shift, mask)
    if (row >= 0 and goroutines[row + G_STATE] != state) or (state == SYSCALL and a1 >> 63):
        return CONTRADICTED
    if row >= 0:
        goroutines[row + G_SEQ] = 0  # said again, the sequence starts again
    elif scalars[S_FREE] < 0:
        return FULL_GOROUTINES
    else:
        row = _create(id_, state, now, table, goroutines, scalars)
        goroutines[row + G_FIRST] = state
        if not scalars[S_INITIAL]:
            goroutines[row + G_SINCE] = 0
            goroutines[row + G_LEFT] = NOT_YET
    if kind == 48:
        _seen_in(row, cython.cast(cython.longlong, a3), 0, goroutines, groups)
    if state == RUNNING:
        threads[at + T_G] = row
    elif state == SYSCALL:
        if cython.cast(cython.longlong, a1) == threads[at + T_ID]:
            if threads[at + T_G] >= 0 and threads[at + T_G] != row:
                return CONTRADICTED
            threads[at + T_G] = row
            return 0
        while low < high:
            middle = (low + high) >> 1
            if ids[middle] < cython.cast(cython.longlong, a1):
                low = middle + 1
            else:
                high = middle
        if low < scalars[S_THREADS] and ids[low] == cython.cast(cython.longlong, a1):
            if threads[(low << 3) + T_G] == UNKNOWN:
                threads[(low << 3) + T_G] = row
            elif threads[(low << 3) + T_G] != row:
                return CONTRADICTED
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _assist_event(
    kind: cython.int,
    now: cython.longlong,
    thread: cython.Py_ssize_t,
    a0: cython.ulonglong,
    threads: cython.p_longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """GCMarkAssistActive, GCMarkAssistBegin and GCMarkAssistEnd."""
    g: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_G])
    p: cython.longlong = threads[(thread << 3) + T_P]
    if kind == 34:
        if a0 >> 63:
            return TOO_LARGE
        g = _find(
            cython.cast(cython.longlong, a0),
            table,
            goroutines,
            scalars[S_SEED],
            cython.cast(cython.int, scalars[S_SHIFT]),
            cython.cast(cython.Py_ssize_t, scalars[S_MASK]),
        )
        if g < 0:
            return NOT_READY
        if goroutines[g + G_ASSIST] == NOT_OPEN:
            goroutines[g + G_ASSIST] = now if scalars[S_INITIAL] else 0
        return 0
    if g == UNKNOWN:
        return NOT_READY
    if g == NONE or p == NONE:
        return NO_GOROUTINE if g == NONE else NO_PROC
    if kind == 35:
        if goroutines[g + G_ASSIST] != NOT_OPEN:
            return CONTRADICTED
        goroutines[g + G_ASSIST] = now
        return 0
    if goroutines[g + G_ASSIST] == NOT_OPEN:
        return CONTRADICTED
    goroutines[g + G_ASSISTED] += now - goroutines[g + G_ASSIST]
    if scalars[S_RECORDING]:
        _record(
            R_ASSIST,
            goroutines[g + G_ID],
            goroutines[g + G_ASSIST] if goroutines[g + G_ASSIST] else -1,
            now,
            goroutines[g + G_SINCE],
            p,
            threads[(thread << 3) + T_ID],
            goroutines[g + G_START],
            records,
            scalars,
        )
    goroutines[g + G_ASSIST] = NOT_OPEN
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _collection(
    kind: cython.int,
    a0: cython.ulonglong,
    g: cython.longlong,
    p: cython.longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Whether a GCActive, GCBegin or GCEnd is what comes next: they are numbered."""
    first: cython.bint
    if a0 >> 62:
        return TOO_LARGE
    # The first of a generation is known when nothing else goes on: see `_first_collection`.
    if (
        scalars[S_GC_STATE] == 0
        or cython.cast(cython.longlong, a0) != scalars[S_GC_SEQ] + 1
        or g == UNKNOWN
    ):
        return NOT_READY
    first = scalars[S_INITIAL] != 0 and cython.cast(cython.longlong, a0) == scalars[S_GC_FIRST]
    if kind == 28:
        if scalars[S_GC_STATE] != GC_RUNNING or (scalars[S_INITIAL] and not first):
            return NO_COLLECTION
    elif kind == 29:
        if scalars[S_GC_STATE] == GC_RUNNING:
            return NO_COLLECTION
    elif first or scalars[S_GC_STATE] == GC_IDLE:
        return NO_COLLECTION
    if not (first and kind != 30) and (g == NONE or p == NONE):
        return NO_GOROUTINE if g == NONE else NO_PROC
    scalars[S_GC_SEQ] += 1
    scalars[S_GC_STATE] = GC_IDLE if kind == 30 else GC_RUNNING
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _mark_event(
    kind: cython.int,
    count: cython.int,
    now: cython.longlong,
    thread: cython.Py_ssize_t,
    a0: cython.ulonglong,
    a1: cython.ulonglong,
    a2: cython.ulonglong,
    a3: cython.ulonglong,
    threads: cython.p_longlong,
    goroutines: cython.p_longlong,
    marks: cython.p_longlong,
    heap: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """The heap's size, and what is kept one by one: stops of the world, collections, GOMAXPROCS,
    labels, tasks, regions, logs."""
    g: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_G])
    p: cython.longlong = threads[(thread << 3) + T_P]
    low: cython.Py_ssize_t
    k: cython.Py_ssize_t
    stopped: cython.Py_ssize_t
    if kind == 37:  # HeapAlloc
        if p == NONE:
            return NO_PROC
        low = cython.cast(cython.Py_ssize_t, (now - scalars[S_BINS_FROM]) // scalars[S_BIN])
        if low < 0:
            low = 0
        if low >= scalars[S_BINS]:
            low = cython.cast(cython.Py_ssize_t, scalars[S_BINS]) - 1
        if a0 >> 63 == 0 and cython.cast(cython.longlong, a0) > heap[low]:
            heap[low] = cython.cast(cython.longlong, a0)
        return 0
    if kind == 51:
        return NO_SUCH_EVENT  # a clock's reading belongs to another batch
    if kind == 26 or kind == 27 or kind == 9 or 39 <= kind <= 44:
        if g == UNKNOWN:
            return NOT_READY
        if g == NONE or p == NONE:
            return NO_GOROUTINE if g == NONE else NO_PROC
    if scalars[S_MARKS] >= scalars[S_ROOM_MARKS]:
        return FULL_MARKS
    if 28 <= kind <= 30:
        stopped = _collection(kind, a0, g, p, scalars)
        if stopped != 0:
            return stopped
    low = cython.cast(cython.Py_ssize_t, MARK_FIELDS * scalars[S_MARKS])
    marks[low] = now
    marks[low + 1] = kind
    marks[low + 2] = threads[(thread << 3) + T_ID]
    marks[low + 3] = goroutines[g] if g >= 0 else -1
    marks[low + 4] = p
    for k in range(5, 10):
        marks[low + k] = 0
    if count > 0 and a0 >> 63 == 0:
        marks[low + 5] = cython.cast(cython.longlong, a0)
    if count > 1 and a1 >> 63 == 0:
        marks[low + 6] = cython.cast(cython.longlong, a1)
    if count > 2 and a2 >> 63 == 0:
        marks[low + 7] = cython.cast(cython.longlong, a2)
    if count > 3 and a3 >> 63 == 0:
        marks[low + 8] = cython.cast(cython.longlong, a3)
    scalars[S_MARKS] += 1
    return 0
