"""Which thread waits for what, where many do. Piece of trace_run.

Threads that wait are mostly few, and to try all of them again when nothing else goes on costs
nothing. Of locked threads that hand work on all wait but one, at a start of the one P, each with a
number of its own. Where threads are tried again often they are therefore found by what they wait
for: a goroutine, a P or the collector at a number of its sequence, or something about the thread.
The loop over events does not know of it: what a thread has done is read once more when it stops.

`waits` has two numbers a thread, the next one with the same head and its key, and the heads.
What is not found here, such as an assist of a goroutine not known yet, is tried again as before.
"""

import cython

from gocost.kernels._trace_bytes import _Number, _number, _Numbers, _numbers
from gocost.kernels._trace_table import _find
from gocost.kernels.trace_fields import (
    G_SEQ,
    G_STATE,
    MOST_TRIES,
    P_RUNNING,
    P_SEQ,
    P_STATE,
    READY,
    RUNNABLE,
    S_EVENTS,
    S_GC_SEQ,
    S_HEAD,
    S_MASK,
    S_PARKED,
    S_QUEUED,
    S_RAN_FROM,
    S_RAN_G,
    S_RAN_P,
    S_SEED,
    S_SHIFT,
    S_THREADS,
    S_TRIED,
    S_WAIT_SHIFT,
    T_AT,
    T_END,
    T_G,
    T_ID,
    T_P,
    T_STATUS,
    UNKNOWN,
    WAITING,
)

# What is waited for.
OF_GOROUTINE = 0
OF_PROC = 1
OF_THREAD = 2
OF_COLLECTOR = 3
INT32 = 0x7FFFFFFF


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _key(
    what: cython.ulonglong, id_: cython.ulonglong, seq: cython.ulonglong, seed: cython.longlong
) -> cython.longlong:
    """31 bits that stand for a number of a sequence of something, which cannot be chosen to meet:
    see `_slot`.
    """
    odd: cython.ulonglong = cython.cast(cython.ulonglong, seed)
    product: cython.ulonglong = id_ * odd
    # Interpreted it has more bits than 64.
    product = (((product >> 33) & INT32) + (what << 34) + seq) * odd
    return cython.cast(cython.longlong, (product >> 33) & INT32)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _queue_those(
    what: cython.ulonglong,
    id_: cython.ulonglong,
    seq: cython.ulonglong,
    threads: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Queues again who waits for this; returns 0."""
    size: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_THREADS])
    key: cython.longlong = _key(what, id_, seq, scalars[S_SEED])
    link: cython.Py_ssize_t = 2 * size + cython.cast(
        cython.Py_ssize_t, key >> scalars[S_WAIT_SHIFT]
    )
    thread: cython.Py_ssize_t = waits[link]
    while thread >= 0:
        if waits[2 * thread + 1] != key:
            link = 2 * thread
        else:
            waits[link] = waits[2 * thread]
            threads[(thread << 3) + T_STATUS] = READY
            queue[cython.cast(cython.Py_ssize_t, (scalars[S_HEAD] + scalars[S_QUEUED]) % size)] = (
                cython.cast(cython.int, thread)
            )
            scalars[S_QUEUED] += 1
            scalars[S_PARKED] -= 1
            scalars[S_TRIED] += 1
        thread = waits[link]
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _goroutine_changed(
    row: cython.Py_ssize_t,
    threads: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    goroutines: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Queues who waits for what a goroutine may do next; returns 0."""
    # A row that is free has no such state.
    if row >= 0 and (goroutines[row + G_STATE] == RUNNABLE or goroutines[row + G_STATE] == WAITING):
        _queue_those(
            OF_GOROUTINE,
            cython.cast(cython.ulonglong, goroutines[row]),
            cython.cast(cython.ulonglong, goroutines[row + G_SEQ] + 1),
            threads,
            queue,
            waits,
            scalars,
        )
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _proc_changed(
    p: cython.longlong,
    threads: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    procs: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Queues who waits for what a P may do next; returns 0."""
    row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, p << 4)
    if p >= 0 and procs[row + P_STATE] != P_RUNNING:
        _queue_those(
            OF_PROC,
            cython.cast(cython.ulonglong, p),
            cython.cast(cython.ulonglong, procs[row + P_SEQ] + 1),
            threads,
            queue,
            waits,
            scalars,
        )
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _wake(
    data: cython.pointer[cython.const[cython.uchar]],
    counts: cython.pointer[cython.const[cython.schar]],
    end: cython.Py_ssize_t,
    threads: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    procs: cython.p_longlong,
    got: cython.p_ulonglong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Queues who waits for what a thread has changed in its events up to `end`; returns 0.

    What it changed is what it had when it went on, and what its events name. Only how that stands
    now counts: nobody saw what was between.
    """
    at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_RAN_FROM])
    mask: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_MASK])
    shift: cython.int = cython.cast(cython.int, scalars[S_SHIFT])
    kind: cython.int
    one = cython.declare(_Number)
    many = cython.declare(_Numbers)
    if scalars[S_TRIED] > MOST_TRIES * (scalars[S_EVENTS] + scalars[S_THREADS]):
        return 0  # all are tried again when nothing else goes on, and refused then
    _goroutine_changed(
        cython.cast(cython.Py_ssize_t, scalars[S_RAN_G]),
        threads, queue, waits, goroutines, scalars,
    )  # fmt: skip
    _proc_changed(scalars[S_RAN_P], threads, queue, waits, procs, scalars)
    while at < end:
        kind = data[at]
        one = _number(data, at + 1, end, got)
        many = _numbers(data, one.end, end, got, counts[kind])
        at = many.end
        if 14 <= kind <= 16 or kind == 21 or kind == 25 or 45 <= kind <= 48:
            _goroutine_changed(
                _find(
                    cython.cast(cython.longlong, many.a0),
                    table, goroutines, scalars[S_SEED], shift, mask,
                ),
                threads, queue, waits, goroutines, scalars,
            )  # fmt: skip
            if kind == 25 or kind == 48:
                _queue_those(OF_THREAD, many.a1, 0, threads, queue, waits, scalars)
        elif kind == 10 or kind == 12 or kind == 13:
            _proc_changed(
                cython.cast(cython.longlong, many.a0), threads, queue, waits, procs, scalars
            )
            if kind == 12:
                _queue_those(OF_THREAD, many.a2, 0, threads, queue, waits, scalars)
        elif 28 <= kind <= 30:
            _queue_those(
                OF_COLLECTOR,
                0,
                cython.cast(cython.ulonglong, scalars[S_GC_SEQ] + 1),
                threads, queue, waits, scalars,
            )  # fmt: skip
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _wait(
    data: cython.pointer[cython.const[cython.uchar]],
    counts: cython.pointer[cython.const[cython.schar]],
    thread: cython.Py_ssize_t,
    threads: cython.p_longlong,
    waits: cython.p_int,
    got: cython.p_ulonglong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Puts a thread that has just been parked where it is found by what it waits for; returns 0.

    An event may wait for two things, one after the other.
    """
    at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_AT])
    end: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_END])
    kind: cython.int = data[at]
    key: cython.longlong
    head: cython.Py_ssize_t
    what: cython.ulonglong = OF_THREAD
    id_: cython.ulonglong = cython.cast(cython.ulonglong, threads[(thread << 3) + T_ID])
    seq: cython.ulonglong = 0
    one = cython.declare(_Number)
    many = cython.declare(_Numbers)
    one = _number(data, at + 1, end, got)
    many = _numbers(data, one.end, end, got, counts[kind])
    if kind == 12 or (kind == 10 and threads[(thread << 3) + T_P] < 0):
        what = OF_PROC
    elif kind == 16 or kind == 21:
        what = OF_GOROUTINE
    elif threads[(thread << 3) + T_G] != UNKNOWN:
        if kind == 45 or kind == 46:
            what = OF_GOROUTINE
        elif 28 <= kind <= 30:
            what = OF_COLLECTOR
    if what == OF_COLLECTOR:
        id_ = 0
        seq = many.a0
    elif what != OF_THREAD:
        id_ = many.a0
        seq = many.a1
    key = _key(what, id_, seq, scalars[S_SEED])
    head = cython.cast(cython.Py_ssize_t, 2 * scalars[S_THREADS] + (key >> scalars[S_WAIT_SHIFT]))
    waits[2 * thread] = waits[head]
    waits[2 * thread + 1] = cython.cast(cython.int, key)
    waits[head] = cython.cast(cython.int, thread)
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _wait_for_nothing(waits: cython.p_int, scalars: cython.p_longlong) -> cython.Py_ssize_t:
    """Nobody is found any more; returns 0."""
    first: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, 2 * scalars[S_THREADS])
    head: cython.Py_ssize_t
    for head in range(first, first + (1 << (31 - cython.cast(cython.int, scalars[S_WAIT_SHIFT])))):
        waits[head] = -1
    return 0
