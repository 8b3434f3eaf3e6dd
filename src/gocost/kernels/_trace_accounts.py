"""What is added up when a goroutine leaves a state or ends. Piece of trace_run."""

import cython

from gocost.kernels._trace_table import _forget
from gocost.kernels.trace_fields import (
    B_ASSISTED,
    B_COUNT,
    B_STARTS,
    B_SUMS,
    B_UNNAMED,
    G_ASSIST,
    G_ASSISTED,
    G_FIRST,
    G_ID,
    G_LEFT,
    G_PLACE,
    G_SINCE,
    G_START,
    G_STARTS,
    G_SUMS,
    GOROUTINE_FIELDS,
    I_COUNT,
    I_MOST,
    I_REASON,
    I_TOTAL,
    MAX_REASONS,
    NOT_YET,
    R_END,
    R_ENDED,
    R_KIND,
    R_OF,
    R_PLACE,
    R_PROC_ON,
    R_START,
    R_THREAD_ON,
    R_WHO,
    REASON,
    RUNNABLE,
    RUNNING,
    S_CLIPPING,
    S_ENDED,
    S_FROM,
    S_KEEP,
    S_LEAST,
    S_PAIRS,
    S_REASONS,
    S_RECORDING,
    S_RECORDS,
    S_TO,
)

_Bits = cython.union(real=cython.double, whole=cython.longlong)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _bucket(value: cython.longlong) -> cython.Py_ssize_t:
    """The bucket of a histogram: eight a power of two, those of 0 to 7 exact.

    Without branches, which would be taken at random: the exponent of a floating point number and
    the first three bits behind it are the bucket, as the number of the power and the eighth of it.
    """
    power: cython.int = 0
    if value < 8:
        return cython.cast(cython.Py_ssize_t, value) if value > 0 else 0
    if cython.compiled:
        bits = cython.declare(_Bits)
        if value >> 52:
            value &= -4096  # what has more bits than the number would be rounded up
        bits.real = cython.cast(cython.double, value)
        return cython.cast(cython.Py_ssize_t, bits.whole >> 49) - 8 * 1025
    while value >= 16:
        value >>= 1
        power += 1
    return 8 * power + cython.cast(cython.Py_ssize_t, value)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _record(
    kind: cython.longlong,
    who: cython.longlong,
    start: cython.longlong,
    end: cython.longlong,
    place: cython.longlong,
    proc: cython.longlong,
    thread: cython.longlong,
    of: cython.longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """One record more; the caller has seen that there is room. Returns 0."""
    at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_RECORDS] << 3)
    records[at + R_KIND] = kind
    records[at + R_WHO] = who
    records[at + R_START] = start
    records[at + R_END] = end
    records[at + R_PLACE] = place
    records[at + R_PROC_ON] = proc
    records[at + R_THREAD_ON] = thread
    records[at + R_OF] = of
    scalars[S_RECORDS] += 1
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _pair(
    at: cython.Py_ssize_t,
    reason: cython.longlong,
    intervals: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """The row of a stack's other reason; the caller has seen that there is room for one."""
    steps: cython.int = 0
    new: cython.longlong
    if intervals[at + I_COUNT] == 0 and intervals[at + I_REASON] >> 32 == 0:
        intervals[at + I_REASON] = reason
        return at
    while intervals[at + I_REASON] >> 32 != 0:
        at = cython.cast(cython.Py_ssize_t, intervals[at + I_REASON] >> 32) << 2
        if intervals[at + I_REASON] & REASON == reason:
            return at
        steps += 1
        if steps == MAX_REASONS:
            scalars[S_REASONS] = 1  # the driver refuses the trace for it
            return at
    new = scalars[S_PAIRS]
    scalars[S_PAIRS] += 1
    intervals[at + I_REASON] |= new << 32
    at = cython.cast(cython.Py_ssize_t, new << 2)
    intervals[at + I_COUNT] = 0
    intervals[at + I_TOTAL] = 0
    intervals[at + I_MOST] = 0
    intervals[at + I_REASON] = reason
    return at


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _is_outside(time: cython.longlong, scalars: cython.p_longlong) -> cython.bint:
    """Whether what took no time lies outside of what is looked at: times there are at its ends."""
    return scalars[S_CLIPPING] != 0 and not scalars[S_FROM] < time < scalars[S_TO]


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _leave(
    row: cython.Py_ssize_t,
    state: cython.Py_ssize_t,
    time: cython.longlong,
    thread: cython.longlong,
    proc: cython.longlong,
    goroutines: cython.p_longlong,
    intervals: cython.p_longlong,
    histogram: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Closes the state that a goroutine is in, which the caller knows; returns 0.

    Stacks and reasons were compared with the lengths of their tables when they were set.
    """
    since: cython.longlong = goroutines[row + G_SINCE]
    took: cython.longlong = time - since
    place: cython.longlong
    at: cython.Py_ssize_t
    goroutines[row + G_SUMS + state] += took
    if scalars[S_RECORDING]:
        _record(
            state,
            goroutines[row + G_ID],
            -1 if goroutines[row + G_LEFT] == NOT_YET else since,
            time,
            goroutines[row + (G_ASSIST if state == RUNNING else G_PLACE)],
            proc,
            thread,
            goroutines[row + G_START],
            records,
            scalars,
        )
    if goroutines[row + G_LEFT] == NOT_YET:
        goroutines[row + G_LEFT] = time  # since when is for the generation before to say
        return 0
    if state == RUNNING:
        return 0
    if took == 0 and _is_outside(time, scalars):
        return 0
    place = goroutines[row + G_PLACE]
    at = cython.cast(cython.Py_ssize_t, 12 * (place & 0x7FFFFFFF))
    if state == RUNNABLE:
        histogram[_bucket(took)] += 1
    else:
        at += 4 * (state - 2)
    if intervals[at + I_REASON] & REASON != place >> 32:
        at = _pair(at, place >> 32, intervals, scalars)
    intervals[at + I_COUNT] += 1
    intervals[at + I_TOTAL] += took
    if took > intervals[at + I_MOST]:
        intervals[at + I_MOST] = took
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _end(
    row: cython.Py_ssize_t,
    time: cython.longlong,
    thread: cython.longlong,
    table: cython.p_int,
    goroutines: cython.p_longlong,
    groups: cython.p_longlong,
    ended: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """A goroutine is no more: added to the group of its start, or kept whole. Returns 0."""
    kept: cython.bint = True
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t
    if scalars[S_RECORDING]:
        _record(
            R_ENDED,
            goroutines[row + G_ID],
            time,
            time,
            0,
            -1,
            thread,
            goroutines[row + G_START],
            records,
            scalars,
        )
    if goroutines[row + G_FIRST] == 0 and goroutines[row + G_START] > 0:
        kept = scalars[S_KEEP] != 0 and goroutines[row + G_SUMS + RUNNING] > scalars[S_LEAST]
        if not _is_outside(time, scalars) or (
            goroutines[row + G_SUMS + 1]
            | goroutines[row + G_SUMS + 2]
            | goroutines[row + G_SUMS + 3]
            | goroutines[row + G_SUMS + 4]
        ):
            at = cython.cast(cython.Py_ssize_t, goroutines[row + G_START] << 3)
            groups[at + B_COUNT] += 1
            for k in range(1, 5):
                groups[at + B_SUMS + k] += goroutines[row + G_SUMS + k]
            groups[at + B_STARTS] += goroutines[row + G_STARTS]
            groups[at + B_ASSISTED] += goroutines[row + G_ASSISTED]
        else:
            kept = False
    if kept:
        at = cython.cast(cython.Py_ssize_t, scalars[S_ENDED] << 4)
        for k in range(GOROUTINE_FIELDS):
            ended[at + k] = goroutines[row + k]
        ended[at + G_SINCE] = time
        scalars[S_ENDED] += 1
    _forget(row, table, goroutines, scalars)
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _seen_in(
    row: cython.Py_ssize_t,
    stack: cython.longlong,
    reason: cython.longlong,
    goroutines: cython.p_longlong,
    groups: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Where it enters a state. Whose start is not known is known by a stack. Returns 0."""
    goroutines[row + G_PLACE] = reason << 32 | stack
    if (
        goroutines[row + G_START] == 0
        and stack > 0
        and groups[(cython.cast(cython.Py_ssize_t, stack) << 3) + B_UNNAMED] == 0
    ):
        goroutines[row + G_START] = -stack
    return 0
