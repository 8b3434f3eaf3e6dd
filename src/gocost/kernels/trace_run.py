"""One generation of an execution trace, in order: what every goroutine and P did, and for how long.

A generation is batches of events, each batch of one thread. Their order over threads is given by
the sequence numbers of goroutines and Ps and not by time (`internal/trace/order.go` in the Go
source), so there is no heap: a thread's events are carried out until one is not ready (a start of
a goroutine that is not runnable yet), then another thread's; what waits is tried again when
nothing else goes on.

A generation is read without the one before it. Statuses open it: a goroutine's state is known from
its status event on, but not since when. Times are therefore kept as signed sums: entering a state
at t subtracts t, leaving it adds t, and what was entered before the generation is left without
having been entered. Added over all generations these sums are exact, and what is open at the end
is closed with the last time.

The driver hands over data batch by batch: `run` returns NEED when a thread has come to the end of
its batch, and other codes where a table is full. Nothing grows here and nothing is read here.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

# What `run` returns. Below 0 is an error: -1 - one of ERRORS.
DONE = 0
NEED = 1  # threads have come to the end of their batches
FULL_GOROUTINES = 2
FULL_ENDED = 3
FULL_MARKS = 4
FULL_PROCS = 5
UNORDERED = -13

# Fields of `threads`: eight numbers a thread that has batches.
T_AT = 0  # where in the data its next event is
T_END = 1
T_TIME = 2  # nanoseconds of the event before
T_G = 3  # where in `goroutines` its goroutine stands
T_P = 4  # its P
T_ID = 5
T_STATUS = 6
THREAD_FIELDS = 8
READY, NEEDS, PARKED, OUT = 0, 1, 2, 3
NONE = -1
UNKNOWN = -2  # nothing has been said of it in this generation

# Fields of `goroutines`: sixteen numbers a goroutine that lives, two lines of cache.
G_ID = 0  # -1 where the row is free
G_STATE = 1  # of a free row: the next free one
G_SEQ = 2
G_SINCE = 3
G_PLACE = 4  # where and why it entered the state: reason << 32 | stack
G_LEFT = 5  # when it left the state that its status gave: NOT_YET, or NOT_OPEN where it began here
G_FIRST = 6  # that state, 0 where it was created in this generation
G_START = 7  # the stack it was created to start with; below 0: less a stack that it was seen in
G_SUMS = 7  # plus a state of 1 to 4: the signed sum of nanoseconds
G_STARTS = 12
G_ASSIST = 13  # since when it assists the collector, NOT_OPEN where it does not
G_ASSISTED = 14
G_CREATOR = 15  # the stack that created it
GOROUTINE_FIELDS = 16
NOT_YET = -1
NOT_OPEN = -2
RUNNABLE, RUNNING, SYSCALL, WAITING = 1, 2, 3, 4

# Fields of `procs`: sixteen numbers a P.
P_STATE = 0
P_SEQ = 1
P_SINCE = 2
P_SUMS = 2  # plus a state of 1 to 3
P_FIRST = 6
P_SWEEP = 8
P_SWEPT = 9
P_THREAD = 10
PROC_FIELDS = 16
P_RUNNING, P_IDLE, P_SYSCALL, P_ABANDONED = 1, 2, 3, 4

# Fields of `groups`, eight a start stack: goroutines that were created and ended here.
B_COUNT = 0
B_SUMS = 0  # plus a state
B_STARTS = 5
B_ASSISTED = 6
GROUP_FIELDS = 8

# Fields of `intervals`: four for each of three states (runnable, syscall, waiting) of each stack.
# `reasons` has the same for each text, of what had another reason than its stack's first.
I_COUNT, I_TOTAL, I_MOST, I_REASON = 0, 1, 2, 3
INTERVAL_FIELDS = 4

# Fields of `marks`: events that are few and are looked at one by one.
MARK_FIELDS = 10  # time, type, thread, goroutine, P, five arguments

# Places in `scalars`.
S_HEAD = 0  # of the queue
S_QUEUED = 1
S_PARKED = 2
S_PROGRESS = 3
S_FREE = 4  # the first free row of goroutines, linked by G_STATE
S_LIVE = 5
S_ENDED = 6
S_MARKS = 7
S_EVENTS = 8
S_LAST = 9
S_INITIAL = 11  # this is the first generation
S_SEED = 12
S_KEEP = 13  # keep goroutines that end, those that ran longer than S_LEAST
S_FAULT = 14  # the thread of an error
S_PARKS = 15
S_BINS_FROM = 16
S_BIN = 17  # nanoseconds a bin
S_CREATED = 18
S_LEAST = 19
SCALARS = 24

BUCKETS = 512
"""Of histograms: eight a power of two."""

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


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _varint(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
    place: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """got[place] is the uvarint at `at`; returns where it ends, or -1 where it is none."""
    value: cython.ulonglong = 0
    shift: cython.int = 0
    byte: cython.uchar
    while at < end:
        byte = data[at]
        at += 1
        if shift == 63 and byte > 1:
            return -1
        value |= cython.cast(cython.ulonglong, byte & 0x7F) << shift
        if byte < 0x80:
            got[place] = value
            return at
        shift += 7
        if shift > 63:
            return -1
    return -1


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _slot(
    id_: cython.longlong, seed: cython.longlong, mask: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where in the hash table to look first; products stay under 63 bits."""
    folded: cython.longlong = (id_ ^ id_ >> 31) & 0x7FFFFFFF
    return cython.cast(cython.Py_ssize_t, (folded * seed) >> 20) & mask


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _find(
    id_: cython.longlong,
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    seed: cython.longlong,
    mask: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Where a goroutine stands, or -1."""
    slot: cython.Py_ssize_t = _slot(id_, seed, mask)
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
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _create(
    id_: cython.longlong,
    state: cython.longlong,
    time: cython.longlong,
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    scalars: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """A row for a goroutine that has none; the caller has seen that one is free."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    slot: cython.Py_ssize_t = _slot(id_, scalars[12], mask)
    number: cython.longlong = scalars[4]
    row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, number << 4)
    k: cython.Py_ssize_t
    scalars[4] = goroutines[row + 1]
    scalars[5] += 1
    while table[slot] >= 0:
        slot = (slot + 1) & mask
    table[slot] = cython.cast(cython.int, number)
    for k in range(16):
        goroutines[row + k] = 0
    goroutines[row] = id_
    goroutines[row + 1] = state
    goroutines[row + 3] = time
    goroutines[row + 5] = -2
    goroutines[row + 13] = -2
    return row


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _forget(
    row: cython.Py_ssize_t,
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    scalars: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Takes a goroutine out of the hash table and frees its row; returns 0."""
    mask: cython.Py_ssize_t = table.shape[0] - 1
    slot: cython.Py_ssize_t = _slot(goroutines[row], scalars[12], mask)
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
        home = _slot(goroutines[other << 4], scalars[12], mask)
        if ((slot - home) & mask) >= ((slot - hole) & mask):
            table[hole] = cython.cast(cython.int, other)
            hole = slot
    table[hole] = -1
    goroutines[row + 1] = scalars[4]
    goroutines[row] = -1
    scalars[4] = row >> 4
    scalars[5] -= 1
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _bucket(value: cython.longlong) -> cython.Py_ssize_t:
    """The bucket of a histogram: eight a power of two, those of 0 to 7 exact."""
    power: cython.Py_ssize_t = 0
    if value < 8:
        return cython.cast(cython.Py_ssize_t, value) if value > 0 else 0
    # What is left is at least 8 after every step: three bits tell the buckets of a power apart.
    if value >> 36:
        value >>= 32
        power += 32
    if value >> 20:
        value >>= 16
        power += 16
    if value >> 12:
        value >>= 8
        power += 8
    if value >> 8:
        value >>= 4
        power += 4
    if value >> 6:
        value >>= 2
        power += 2
    while value >= 16:
        value >>= 1
        power += 1
    return 8 * power + cython.cast(cython.Py_ssize_t, value)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _add(
    at: cython.Py_ssize_t, took: cython.longlong, amounts: cython.longlong[::1]
) -> cython.Py_ssize_t:
    """One interval more in a row of counts; returns 0."""
    amounts[at] += 1
    amounts[at + 1] += took
    if took > amounts[at + 2]:
        amounts[at + 2] = took
    return 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _leave(
    row: cython.Py_ssize_t,
    time: cython.longlong,
    goroutines: cython.longlong[::1],
    intervals: cython.longlong[::1],
    reasons: cython.longlong[::1],
    histogram: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Closes the state that a goroutine is in; returns 0.

    Stacks and reasons were compared with the lengths of their tables when they were set.
    """
    state: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, goroutines[row + 1])
    took: cython.longlong = time - goroutines[row + 3]
    place: cython.longlong
    at: cython.Py_ssize_t
    first: cython.Py_ssize_t
    goroutines[row + 7 + state] += took
    if goroutines[row + 5] == -1:
        goroutines[row + 5] = time  # since when is for the generation before to say
        return 0
    if state == 2:
        return 0
    place = goroutines[row + 4]
    at = cython.cast(cython.Py_ssize_t, 3 * (place & 0x7FFFFFFF))
    if state == 1:
        histogram[_bucket(took)] += 1
    else:
        at += state - 2
    if intervals[4 * at + 3] != place >> 32:
        if intervals[4 * at] == 0:
            intervals[4 * at + 3] = place >> 32
        else:
            # Another reason than the stack's first: from that one's account to the other's.
            state = 0 if state == 1 else state - 2
            first = cython.cast(cython.Py_ssize_t, 12 * intervals[4 * at + 3]) + 4 * state
            reasons[first] -= 1
            reasons[first + 1] -= took
            _add(cython.cast(cython.Py_ssize_t, 12 * (place >> 32)) + 4 * state, took, reasons)
    return _add(4 * at, took, intervals)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _end(
    row: cython.Py_ssize_t,
    time: cython.longlong,
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    groups: cython.longlong[::1],
    ended: cython.longlong[::1],
    scalars: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """A goroutine is no more: added to the group of its start, or kept whole. Returns 0."""
    k: cython.Py_ssize_t
    at: cython.Py_ssize_t
    if goroutines[row + 6] == 0 and goroutines[row + 7] > 0:
        at = cython.cast(cython.Py_ssize_t, goroutines[row + 7] << 3)
        groups[at] += 1
        for k in range(1, 5):
            groups[at + k] += goroutines[row + 7 + k]
        groups[at + 5] += goroutines[row + 12]
        groups[at + 6] += goroutines[row + 14]
        if not scalars[13] or goroutines[row + 9] <= scalars[19]:
            _forget(row, table, goroutines, scalars)
            return 0
    at = cython.cast(cython.Py_ssize_t, scalars[6] << 4)
    for k in range(16):
        ended[at + k] = goroutines[row + k]
    ended[at + 3] = time
    scalars[6] += 1
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
    goroutines: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Where it enters a state. Whose start is not known is known by a stack. Returns 0."""
    goroutines[row + 4] = reason << 32 | stack
    if goroutines[row + 7] == 0 and stack > 0:
        goroutines[row + 7] = -stack
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _run(
    data: cython.const[cython.uchar][::1],
    counts: cython.const[cython.schar][::1],
    tick: cython.double,
    threads: cython.longlong[::1],
    queue: cython.int[::1],
    ids: cython.const[cython.longlong][::1],
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    procs: cython.longlong[::1],
    groups: cython.longlong[::1],
    ended: cython.longlong[::1],
    marks: cython.longlong[::1],
    intervals: cython.longlong[::1],
    reasons: cython.longlong[::1],
    histogram: cython.longlong[::1],
    heap: cython.longlong[::1],
    got: cython.ulonglong[::1],
    scalars: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Goes on until data or room are missing, all is done or something is wrong."""
    size: cython.Py_ssize_t = threads.shape[0] >> 3
    procs_end: cython.ulonglong = cython.cast(cython.ulonglong, procs.shape[0] >> 4)
    marks_end: cython.Py_ssize_t = marks.shape[0] // 10
    ended_end: cython.Py_ssize_t = ended.shape[0] >> 4
    mask: cython.Py_ssize_t = table.shape[0] - 1
    seed: cython.longlong = scalars[12]
    whole: cython.longlong = cython.cast(cython.longlong, tick)
    integral: cython.bint = cython.cast(cython.double, whole) == tick
    latest: cython.longlong = 1 << 60
    longest: cython.ulonglong = cython.cast(
        cython.ulonglong, cython.cast(cython.double, latest) / (tick if tick > 1 else 1)
    )
    stacks: cython.ulonglong = cython.cast(cython.ulonglong, groups.shape[0] >> 3)
    texts: cython.ulonglong = cython.cast(cython.ulonglong, reasons.shape[0] // 12)
    thread: cython.Py_ssize_t
    other: cython.Py_ssize_t
    at: cython.Py_ssize_t
    end: cython.Py_ssize_t
    k: cython.Py_ssize_t
    low: cython.Py_ssize_t
    high: cython.Py_ssize_t
    count: cython.int
    kind: cython.int
    time: cython.longlong
    now: cython.longlong
    id_: cython.longlong
    g: cython.Py_ssize_t
    row: cython.Py_ssize_t
    p: cython.Py_ssize_t
    pid: cython.Py_ssize_t
    state: cython.longlong
    events: cython.longlong
    outcome: cython.Py_ssize_t
    ticks: cython.ulonglong = 0
    a0: cython.ulonglong = 0
    a1: cython.ulonglong = 0
    a2: cython.ulonglong = 0
    a3: cython.ulonglong = 0
    while True:
        if scalars[1] == 0:
            # Nothing is ready. Whoever needs data gets it first; who waits is tried again then.
            outcome = 0
            for thread in range(size):
                if threads[(thread << 3) + 6] == 1:
                    outcome = 1
            if outcome == 1:
                return 1
            if scalars[2] == 0:
                return 0
            if scalars[3] == 0:
                return -13
            scalars[3] = 0
            for thread in range(size):
                if threads[(thread << 3) + 6] == 2:
                    threads[(thread << 3) + 6] = 0
                    queue[cython.cast(cython.Py_ssize_t, (scalars[0] + scalars[1]) % size)] = (
                        cython.cast(cython.int, thread)
                    )
                    scalars[1] += 1
            scalars[2] = 0
        thread = queue[cython.cast(cython.Py_ssize_t, scalars[0] % size)]
        at = cython.cast(cython.Py_ssize_t, threads[thread << 3])
        end = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + 1])
        time = threads[(thread << 3) + 2]
        g = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + 3])
        p = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + 4])
        events = 0
        outcome = 0
        while True:
            if at >= end:
                outcome = 1
                break
            kind = data[at]
            count = counts[kind]
            if count < 0:
                outcome = -2
                break
            # Most numbers are of one byte or two: those are read here.
            k = at + 1
            if k < end and data[k] < 0x80:
                ticks = data[k]
                k += 1
            elif k + 1 < end and data[k + 1] < 0x80:
                ticks = (data[k] & 0x7F) | cython.cast(cython.ulonglong, data[k + 1]) << 7
                k += 2
            else:
                k = _varint(data, k, end, got, 0)
                if k < 0:
                    outcome = -1
                    break
                ticks = got[0]
            if count > 0:
                if k < end and data[k] < 0x80:
                    a0 = data[k]
                    k += 1
                elif k + 1 < end and data[k + 1] < 0x80:
                    a0 = (data[k] & 0x7F) | cython.cast(cython.ulonglong, data[k + 1]) << 7
                    k += 2
                else:
                    k = _varint(data, k, end, got, 0)
                    if k < 0:
                        outcome = -1
                        break
                    a0 = got[0]
            if count > 1:
                if k < end and data[k] < 0x80:
                    a1 = data[k]
                    k += 1
                elif k + 1 < end and data[k + 1] < 0x80:
                    a1 = (data[k] & 0x7F) | cython.cast(cython.ulonglong, data[k + 1]) << 7
                    k += 2
                else:
                    k = _varint(data, k, end, got, 0)
                    if k < 0:
                        outcome = -1
                        break
                    a1 = got[0]
            if count > 2:
                if k < end and data[k] < 0x80:
                    a2 = data[k]
                    k += 1
                elif k + 1 < end and data[k + 1] < 0x80:
                    a2 = (data[k] & 0x7F) | cython.cast(cython.ulonglong, data[k + 1]) << 7
                    k += 2
                else:
                    k = _varint(data, k, end, got, 0)
                    if k < 0:
                        outcome = -1
                        break
                    a2 = got[0]
            if count > 3:
                if k < end and data[k] < 0x80:
                    a3 = data[k]
                    k += 1
                elif k + 1 < end and data[k + 1] < 0x80:
                    a3 = (data[k] & 0x7F) | cython.cast(cython.ulonglong, data[k + 1]) << 7
                    k += 2
                else:
                    k = _varint(data, k, end, got, 0)
                    if k < 0:
                        outcome = -1
                        break
                    a3 = got[0]
            if ticks > longest or time > latest:
                outcome = -14
                break
            if integral:
                now = time + cython.cast(cython.longlong, ticks) * whole
            else:
                now = time + cython.cast(cython.longlong, cython.cast(cython.double, ticks) * tick)
            # --- What only names something and is not ready before that is there.
            if kind == 16 or kind == 21 or kind == 45 or kind == 46:
                # GoStart, GoUnblock, GoSwitch, GoSwitchDestroy
                if a0 >> 63:
                    outcome = -14
                    break
                row = _find(cython.cast(cython.longlong, a0), table, goroutines, seed, mask)
                if (
                    row < 0
                    or goroutines[row + 1] != (1 if kind == 16 else 4)
                    or cython.cast(cython.ulonglong, goroutines[row + 2] + 1) != a1
                ):
                    outcome = 2
                    break
                if kind == 16:
                    if p == -1:
                        outcome = -3
                        break
                    if g >= 0:
                        outcome = -5
                        break
                    _leave(row, now, goroutines, intervals, reasons, histogram)
                    goroutines[row + 1] = 2
                    goroutines[row + 2] += 1
                    goroutines[row + 3] = now
                    goroutines[row + 12] += 1
                    g = row
                elif kind == 21:
                    _leave(row, now, goroutines, intervals, reasons, histogram)
                    goroutines[row + 1] = 1
                    goroutines[row + 2] += 1
                    goroutines[row + 3] = now
                else:
                    if g == -2:
                        outcome = 2
                        break
                    if g == -1 or p == -1:
                        outcome = -4 if g == -1 else -3
                        break
                    if goroutines[g + 1] != 2 or row == g:
                        outcome = -6
                        break
                    if scalars[6] >= ended_end:
                        outcome = 4
                        break
                    _leave(row, now, goroutines, intervals, reasons, histogram)
                    goroutines[row + 1] = 2
                    goroutines[row + 2] += 1
                    goroutines[row + 3] = now
                    goroutines[row + 12] += 1
                    _leave(g, now, goroutines, intervals, reasons, histogram)
                    if kind == 45:
                        goroutines[g + 1] = 4
                        goroutines[g + 3] = now
                        goroutines[g + 4] = 0
                    else:
                        _end(g, now, table, goroutines, groups, ended, scalars)
                    g = row
            elif kind == 17 or kind == 19 or kind == 20 or kind == 22:
                # GoDestroy, GoStop, GoBlock, GoSyscallBegin: of the goroutine that runs here
                if g == -2:
                    outcome = 2
                    break
                if g == -1 or p == -1:
                    outcome = -4 if g == -1 else -3
                    break
                if goroutines[g + 1] != 2:
                    outcome = -6
                    break
                if kind == 17:
                    if scalars[6] >= ended_end:
                        outcome = 4
                        break
                    _leave(g, now, goroutines, intervals, reasons, histogram)
                    _end(g, now, table, goroutines, groups, ended, scalars)
                    g = -1
                elif kind == 22:
                    if a1 >= stacks:
                        outcome = -12
                        break
                    if p >= 0:
                        if cython.cast(cython.ulonglong, procs[(p << 4) + 1] + 1) != a0:
                            outcome = -10
                            break
                        procs[(p << 4) + 3] += now - procs[(p << 4) + 2]
                        procs[p << 4] = 3
                        procs[(p << 4) + 1] += 1
                        procs[(p << 4) + 2] = now
                    _leave(g, now, goroutines, intervals, reasons, histogram)
                    goroutines[g + 1] = 3
                    goroutines[g + 3] = now
                    _seen_in(g, cython.cast(cython.longlong, a1), 0, goroutines)
                else:
                    if a0 >= texts or a1 >= stacks:
                        outcome = -12
                        break
                    _leave(g, now, goroutines, intervals, reasons, histogram)
                    goroutines[g + 1] = 1 if kind == 19 else 4
                    goroutines[g + 3] = now
                    _seen_in(
                        g,
                        cython.cast(cython.longlong, a1),
                        cython.cast(cython.longlong, a0),
                        goroutines,
                    )
                    g = -1
            elif kind == 23:  # GoSyscallEnd
                if g == -2:
                    outcome = 2
                    break
                if g == -1 or p == -1:
                    outcome = -4 if g == -1 else -3
                    break
                if goroutines[g + 1] != 3:
                    outcome = -6
                    break
                if p >= 0:
                    if procs[p << 4] != 3:
                        outcome = -10
                        break
                    procs[(p << 4) + 5] += now - procs[(p << 4) + 2]
                    procs[p << 4] = 1
                    procs[(p << 4) + 2] = now
                _leave(g, now, goroutines, intervals, reasons, histogram)
                goroutines[g + 1] = 2
                goroutines[g + 3] = now
            elif kind == 24 or kind == 18:  # GoSyscallEndBlocked, GoDestroySyscall
                if g == -2 or (kind == 24 and p >= 0 and procs[p << 4] == 3):
                    outcome = 2
                    break
                if g == -1:
                    outcome = -4
                    break
                if goroutines[g + 1] != 3:
                    outcome = -6
                    break
                if kind == 18 and p >= 0 and procs[p << 4] != 3:
                    outcome = -10
                    break
                if scalars[6] >= ended_end:
                    outcome = 4
                    break
                _leave(g, now, goroutines, intervals, reasons, histogram)
                if kind == 24:
                    goroutines[g + 1] = 1
                    goroutines[g + 3] = now
                else:
                    _end(g, now, table, goroutines, groups, ended, scalars)
                    if p >= 0:
                        # The thread may be used again under the same id: it has lost its P.
                        procs[p << 4] = 4
                        procs[(p << 4) + 10] = -1
                        p = -1
                g = -1
            elif kind == 14 or kind == 47 or kind == 15:
                # GoCreate, GoCreateBlocked, GoCreateSyscall
                if a0 >> 63:
                    outcome = -14
                    break
                if kind == 15:
                    if g >= 0:
                        outcome = -5
                        break
                elif p == -1:
                    outcome = -3
                    break
                elif g >= 0 and goroutines[g + 1] != 2:
                    outcome = -6
                    break
                elif a1 >= stacks or a2 >= stacks:
                    outcome = -12
                    break
                id_ = cython.cast(cython.longlong, a0)
                if _find(id_, table, goroutines, seed, mask) >= 0:
                    outcome = -7
                    break
                if scalars[4] < 0:
                    outcome = 3
                    break
                row = _create(
                    id_,
                    3 if kind == 15 else 1 if kind == 14 else 4,
                    now,
                    table,
                    goroutines,
                    scalars,
                )
                scalars[18] += 1
                if kind == 15:
                    g = row
                else:
                    goroutines[row + 7] = cython.cast(cython.longlong, a1)
                    goroutines[row + 4] = cython.cast(cython.longlong, a1)
                    goroutines[row + 15] = cython.cast(cython.longlong, a2)
            elif kind == 25 or kind == 48:  # GoStatus, GoStatusStack
                if a0 >> 63 or a2 < 1 or a2 > 4:
                    outcome = -8
                    break
                if kind == 48 and a3 >= stacks:
                    outcome = -12
                    break
                id_ = cython.cast(cython.longlong, a0)
                row = _find(id_, table, goroutines, seed, mask)
                state = cython.cast(cython.longlong, a2)
                if (row >= 0 and goroutines[row + 1] != state) or (state == 3 and a1 >> 63):
                    outcome = -9
                    break
                if row >= 0:
                    goroutines[row + 2] = 0  # said again, the sequence starts again
                elif scalars[4] < 0:
                    outcome = 3
                    break
                else:
                    row = _create(id_, state, now, table, goroutines, scalars)
                    goroutines[row + 6] = state
                    if not scalars[11]:
                        goroutines[row + 3] = 0
                        goroutines[row + 5] = -1
                if kind == 48:
                    _seen_in(row, cython.cast(cython.longlong, a3), 0, goroutines)
                if state == 2:
                    g = row
                elif state == 3:
                    if cython.cast(cython.longlong, a1) == threads[(thread << 3) + 5]:
                        if g >= 0 and g != row:
                            outcome = -9
                            break
                        g = row
                    else:
                        low = 0
                        high = size
                        while low < high:
                            other = (low + high) >> 1
                            if ids[other] < cython.cast(cython.longlong, a1):
                                low = other + 1
                            else:
                                high = other
                        if low < size and ids[low] == cython.cast(cython.longlong, a1):
                            if threads[(low << 3) + 3] == -2:
                                threads[(low << 3) + 3] = row
                            elif threads[(low << 3) + 3] != row:
                                outcome = -9
                                break
            elif kind == 10:  # ProcStart
                if a0 >= procs_end:
                    outcome = 6
                    break
                pid = cython.cast(cython.Py_ssize_t, a0)
                if (
                    procs[pid << 4] != 2
                    or cython.cast(cython.ulonglong, procs[(pid << 4) + 1] + 1) != a1
                    or p >= 0
                ):
                    outcome = 2
                    break
                procs[(pid << 4) + 4] += now - procs[(pid << 4) + 2]
                procs[pid << 4] = 1
                procs[(pid << 4) + 1] += 1
                procs[(pid << 4) + 2] = now
                procs[(pid << 4) + 10] = thread
                p = pid
            elif kind == 11:  # ProcStop
                if p == -1:
                    outcome = -3
                    break
                if p >= 0:
                    if procs[p << 4] != 1 and procs[p << 4] != 3:
                        outcome = -10
                        break
                    procs[(p << 4) + 2 + cython.cast(cython.Py_ssize_t, procs[p << 4])] += (
                        now - procs[(p << 4) + 2]
                    )
                    procs[p << 4] = 2
                    procs[(p << 4) + 2] = now
                    procs[(p << 4) + 10] = -1
                p = -1
            elif kind == 12:  # ProcSteal
                if a0 >= procs_end:
                    outcome = 6
                    break
                pid = cython.cast(cython.Py_ssize_t, a0)
                if (procs[pid << 4] != 3 and procs[pid << 4] != 4) or cython.cast(
                    cython.ulonglong, procs[(pid << 4) + 1] + 1
                ) != a1:
                    outcome = 2
                    break
                if procs[pid << 4] == 3:
                    other = cython.cast(cython.Py_ssize_t, procs[(pid << 4) + 10])
                    if other == thread:
                        p = -1
                    elif other >= 0:
                        if (
                            cython.cast(cython.ulonglong, threads[(other << 3) + 5]) != a2
                            or threads[(other << 3) + 4] != pid
                        ):
                            outcome = -11
                            break
                        threads[(other << 3) + 4] = -1
                    procs[(pid << 4) + 5] += now - procs[(pid << 4) + 2]
                    procs[(pid << 4) + 2] = now
                procs[pid << 4] = 2
                procs[(pid << 4) + 1] += 1
                procs[(pid << 4) + 10] = -1
            elif kind == 13:  # ProcStatus
                if a0 >= procs_end:
                    outcome = 6
                    break
                if a1 < 1 or a1 > 4:
                    outcome = -8
                    break
                pid = cython.cast(cython.Py_ssize_t, a0)
                state = cython.cast(cython.longlong, a1)
                if procs[pid << 4] == 0:
                    procs[pid << 4] = state
                    procs[(pid << 4) + 6] = state
                    procs[(pid << 4) + 2] = now if scalars[11] else 0
                    procs[(pid << 4) + 10] = -1
                elif procs[pid << 4] == 3 and state == 4:
                    state = 0  # it is about to be stolen, from a thread that is known
                elif procs[pid << 4] != state:
                    outcome = -9
                    break
                procs[(pid << 4) + 1] = 0
                if state == 1 or state == 3:
                    if p >= 0 and p != pid:
                        outcome = -9
                        break
                    procs[(pid << 4) + 10] = thread
                    p = pid
            elif kind == 37:  # HeapAlloc
                if p == -1:
                    outcome = -3
                    break
                low = cython.cast(cython.Py_ssize_t, (now - scalars[16]) // scalars[17])
                if low < 0:
                    low = 0
                if low >= heap.shape[0]:
                    low = heap.shape[0] - 1
                if a0 >> 63 == 0 and cython.cast(cython.longlong, a0) > heap[low]:
                    heap[low] = cython.cast(cython.longlong, a0)
            elif kind == 35 or kind == 36:  # GCMarkAssistBegin, GCMarkAssistEnd
                if g == -2:
                    outcome = 2
                    break
                if g == -1 or p == -1:
                    outcome = -4 if g == -1 else -3
                    break
                if kind == 35:
                    if goroutines[g + 13] != -2:
                        outcome = -9
                        break
                    goroutines[g + 13] = now
                else:
                    if goroutines[g + 13] == -2:
                        outcome = -9
                        break
                    goroutines[g + 14] += now - goroutines[g + 13]
                    goroutines[g + 13] = -2
            elif kind == 34:  # GCMarkAssistActive
                if a0 >> 63:
                    outcome = -14
                    break
                row = _find(cython.cast(cython.longlong, a0), table, goroutines, seed, mask)
                if row < 0:
                    outcome = 2
                    break
                if goroutines[row + 13] == -2:
                    goroutines[row + 13] = now if scalars[11] else 0
            elif kind == 32 or kind == 33:  # GCSweepBegin, GCSweepEnd
                if p == -1:
                    outcome = -3
                    break
                if p >= 0:
                    if kind == 32:
                        procs[(p << 4) + 8] = now
                    elif procs[(p << 4) + 8] >= 0:
                        procs[(p << 4) + 9] += now - procs[(p << 4) + 8]
                        procs[(p << 4) + 8] = -2
            elif kind == 31:  # GCSweepActive
                if a0 >= procs_end:
                    outcome = 6
                    break
                pid = cython.cast(cython.Py_ssize_t, a0)
                if scalars[11] or procs[(pid << 4) + 8] == -2:
                    procs[(pid << 4) + 8] = now if scalars[11] else 0
            elif kind == 51:
                outcome = -2
                break
            elif kind >= 128:
                pass  # experimental: of single objects, which nothing is said of
            else:
                # What is few: stops of the world, collections, GOMAXPROCS, tasks, regions, logs.
                if kind == 26 or kind == 27 or kind == 9 or 39 <= kind <= 44:
                    if g == -2:
                        outcome = 2
                        break
                    if g == -1 or p == -1:
                        outcome = -4 if g == -1 else -3
                        break
                if scalars[7] >= marks_end:
                    outcome = 5
                    break
                low = cython.cast(cython.Py_ssize_t, 10 * scalars[7])
                marks[low] = now
                marks[low + 1] = kind
                marks[low + 2] = threads[(thread << 3) + 5]
                marks[low + 3] = goroutines[g] if g >= 0 else -1
                marks[low + 4] = p
                for high in range(5, 10):
                    marks[low + high] = 0
                if count > 0 and a0 >> 63 == 0:
                    marks[low + 5] = cython.cast(cython.longlong, a0)
                if count > 1 and a1 >> 63 == 0:
                    marks[low + 6] = cython.cast(cython.longlong, a1)
                if count > 2 and a2 >> 63 == 0:
                    marks[low + 7] = cython.cast(cython.longlong, a2)
                if count > 3 and a3 >> 63 == 0:
                    marks[low + 8] = cython.cast(cython.longlong, a3)
                scalars[7] += 1
            # --- Done: on to the next event.
            at = k
            time = now
            events += 1
        if events:
            scalars[3] += 1
            scalars[8] += events
            if time > scalars[9]:
                scalars[9] = time
        threads[thread << 3] = at
        threads[(thread << 3) + 2] = time
        threads[(thread << 3) + 3] = g
        threads[(thread << 3) + 4] = p
        if outcome < 0:
            scalars[14] = thread
            return outcome
        if outcome >= 3:
            scalars[14] = thread
            return outcome - 1
        scalars[0] += 1
        scalars[1] -= 1
        threads[(thread << 3) + 6] = outcome
        if outcome == 2:
            scalars[2] += 1
            scalars[15] += 1


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _rehash(
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    rows: cython.Py_ssize_t,
    seed: cython.longlong,
) -> cython.Py_ssize_t:
    mask: cython.Py_ssize_t = table.shape[0] - 1
    row: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    for row in range(rows):
        if goroutines[row << 4] < 0:
            continue
        slot = _slot(goroutines[row << 4], seed, mask)
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = cython.cast(cython.int, row)
    return 0


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
    _run_rehash(_view(table), _view(goroutines), rows, int(scalars[S_SEED]))


def _run_rehash(
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    rows: cython.Py_ssize_t,
    seed: cython.longlong,
) -> None:
    with cython.nogil:
        _rehash(table, goroutines, rows, seed)


def run(
    data: npt.NDArray[np.uint8],
    tick: float,
    threads: npt.NDArray[np.int64],
    queue: npt.NDArray[np.int32],
    ids: npt.NDArray[np.int64],
    table: npt.NDArray[np.int32],
    goroutines: npt.NDArray[np.int64],
    procs: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    ended: npt.NDArray[np.int64],
    marks: npt.NDArray[np.int64],
    intervals: npt.NDArray[np.int64],
    reasons: npt.NDArray[np.int64],
    histogram: npt.NDArray[np.int64],
    heap: npt.NDArray[np.int64],
    scalars: npt.NDArray[np.int64],
) -> int:
    """Carry out events until data or room are missing, all is done, or something is wrong.

    `tick` is nanoseconds a tick; `ids` (threads) the sorted ids of the threads; the tables are
    described by the constants above, and kept between calls. Returns DONE, NEED, a FULL_... code,
    or a number below 0: -1 - the place in ERRORS, of the thread scalars[S_FAULT].
    """
    return int(
        _run_all(
            _view(data),
            _view(ARGUMENTS),
            tick,
            _view(threads),
            _view(queue),
            _view(ids),
            _view(table),
            _view(goroutines),
            _view(procs),
            _view(groups),
            _view(ended),
            _view(marks),
            _view(intervals),
            _view(reasons),
            _view(histogram),
            _view(heap),
            _view(np.zeros(6, np.uint64)),
            _view(scalars),
        )
    )


def _run_all(
    data: cython.const[cython.uchar][::1],
    counts: cython.const[cython.schar][::1],
    tick: cython.double,
    threads: cython.longlong[::1],
    queue: cython.int[::1],
    ids: cython.const[cython.longlong][::1],
    table: cython.int[::1],
    goroutines: cython.longlong[::1],
    procs: cython.longlong[::1],
    groups: cython.longlong[::1],
    ended: cython.longlong[::1],
    marks: cython.longlong[::1],
    intervals: cython.longlong[::1],
    reasons: cython.longlong[::1],
    histogram: cython.longlong[::1],
    heap: cython.longlong[::1],
    got: cython.ulonglong[::1],
    scalars: cython.longlong[::1],
) -> int:
    outcome: cython.Py_ssize_t
    with cython.nogil:
        outcome = _run(
            data, counts, tick, threads, queue, ids, table, goroutines, procs, groups, ended,
            marks, intervals, reasons, histogram, heap, got, scalars,
        )  # fmt: skip
    return outcome


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
