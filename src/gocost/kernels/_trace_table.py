"""Goroutines that live, by id: an open hash table over rows. Piece of trace_run."""

import cython

from gocost.kernels.trace_fields import (
    G_ASSIST,
    G_ASSISTED,
    G_CREATOR,
    G_FIRST,
    G_ID,
    G_LEFT,
    G_PLACE,
    G_SEQ,
    G_SINCE,
    G_START,
    G_STARTS,
    G_STATE,
    G_SUMS,
    NO_GOROUTINE,
    NO_PROC,
    NONE,
    NOT_ALLOWED,
    NOT_OPEN,
    NOT_READY,
    RUNNING,
    S_FREE,
    S_LIVE,
    S_MASK,
    S_SEED,
    S_SHIFT,
    UNKNOWN,
)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _slot(
    id_: cython.longlong,
    seed: cython.longlong,
    shift: cython.int,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where in the hash table to look first: the highest of 64 bits of a product with an odd number
    that nobody knows, which all bits of the id act on, so that ids cannot be chosen to meet.
    """
    product: cython.ulonglong = cython.cast(cython.ulonglong, id_) * cython.cast(
        cython.ulonglong, seed
    )
    return cython.cast(cython.Py_ssize_t, product >> shift) & mask


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _find(
    id_: cython.longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    seed: cython.longlong,
    shift: cython.int,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where a goroutine stands, or -1."""
    slot: cython.Py_ssize_t = _slot(id_, seed, shift, mask)
    row: cython.Py_ssize_t
    while True:
        row = table[slot]
        if row < 0:
            return -1
        row <<= 4
        if goroutines[row] == id_:
            return row
        slot = (slot + 1) & mask


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _ready(
    id_: cython.ulonglong,
    seq: cython.ulonglong,
    state: cython.longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    seed: cython.longlong,
    shift: cython.int,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where a goroutine stands whom an event is of that has this number and finds it in this state;
    -1 where that is yet to come, -2 where the id is none.
    """
    row: cython.Py_ssize_t
    if id_ >> 63:
        return -2
    row = _find(cython.cast(cython.longlong, id_), table, goroutines, seed, shift, mask)
    if (
        row < 0
        or goroutines[row + G_STATE] != state
        or cython.cast(cython.ulonglong, goroutines[row + G_SEQ] + 1) != seq
    ):
        return -1
    return row


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _runs(
    row: cython.Py_ssize_t, proc: cython.Py_ssize_t, goroutines: cython.p_longlong
) -> cython.Py_ssize_t:
    """0 where a thread's goroutine runs on its P, or what stops its event: see trace_fields."""
    if row < 0 or proc == NONE:
        return NOT_READY if row == UNKNOWN else NO_GOROUTINE if row == NONE else NO_PROC
    return NOT_ALLOWED if goroutines[row + G_STATE] != RUNNING else 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _create(
    id_: cython.longlong,
    state: cython.longlong,
    time: cython.longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """A row for a goroutine that has none; the caller has seen that one is free."""
    mask: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_MASK])
    shift: cython.int = cython.cast(cython.int, scalars[S_SHIFT])
    slot: cython.Py_ssize_t = _slot(id_, scalars[S_SEED], shift, mask)
    number: cython.longlong = scalars[S_FREE]
    row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, number << 4)
    scalars[S_FREE] = -1 - goroutines[row + G_STATE]
    scalars[S_LIVE] += 1
    while table[slot] >= 0:
        slot = (slot + 1) & mask
    table[slot] = cython.cast(cython.int, number)
    goroutines[row + G_ID] = id_
    goroutines[row + G_STATE] = state
    goroutines[row + G_SEQ] = 0
    goroutines[row + G_SINCE] = time
    goroutines[row + G_PLACE] = 0
    goroutines[row + G_LEFT] = NOT_OPEN
    goroutines[row + G_FIRST] = 0
    goroutines[row + G_START] = 0
    # One by one: of a loop the compiler makes what costs more to begin than these to do.
    goroutines[row + G_SUMS + 1] = 0
    goroutines[row + G_SUMS + 2] = 0
    goroutines[row + G_SUMS + 3] = 0
    goroutines[row + G_SUMS + 4] = 0
    goroutines[row + G_STARTS] = 0
    goroutines[row + G_ASSIST] = NOT_OPEN
    goroutines[row + G_ASSISTED] = 0
    goroutines[row + G_CREATOR] = 0
    return row


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _forget(
    row: cython.Py_ssize_t,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Takes a goroutine out of the hash table and frees its row; returns 0."""
    mask: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_MASK])
    shift: cython.int = cython.cast(cython.int, scalars[S_SHIFT])
    slot: cython.Py_ssize_t = _slot(goroutines[row], scalars[S_SEED], shift, mask)
    hole: cython.Py_ssize_t
    home: cython.Py_ssize_t
    other: cython.Py_ssize_t
    while table[slot] != row >> 4:
        slot = (slot + 1) & mask
    hole = slot
    # What stands behind it moves up, where it would be looked for from the hole on.
    while True:
        slot = (slot + 1) & mask
        other = table[slot]
        if other < 0:
            break
        home = _slot(goroutines[other << 4], scalars[S_SEED], shift, mask)
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            table[hole] = cython.cast(cython.int, other)
            hole = slot
    table[hole] = -1
    # No state, whatever row is the next: a thread may still have this one, in a damaged trace.
    goroutines[row + G_STATE] = -1 - scalars[S_FREE]
    goroutines[row + G_ID] = -1
    scalars[S_FREE] = row >> 4
    scalars[S_LIVE] -= 1
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _rehash(
    table: cython.p_int,
    goroutines: cython.p_longlong,
    rows: cython.Py_ssize_t,
    seed: cython.longlong,
    shift: cython.int,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Fills an empty hash table; returns 0."""
    row: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    for row in range(rows):
        if goroutines[row << 4] < 0:
            continue
        slot = _slot(goroutines[row << 4], seed, shift, mask)
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = cython.cast(cython.int, row)
    return 0
