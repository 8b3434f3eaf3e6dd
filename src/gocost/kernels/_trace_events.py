"""The loop over events, in the order in which they can be carried out. Piece of trace_run.

It is one function: what it knows of the thread that it is at stays in registers, and a branch a
kind of event is what its speed rests on. What events have in common, and those that are few, are
in the other pieces.
"""

import cython

from gocost.kernels._trace_accounts import _end, _leave, _record, _seen_in
from gocost.kernels._trace_bytes import _Number, _number, _Numbers, _numbers
from gocost.kernels._trace_procs import _proc_event, _proc_leaves, _sweep_event
from gocost.kernels._trace_rest import _assist_event, _mark_event, _status_event
from gocost.kernels._trace_table import _create, _find, _ready, _runs
from gocost.kernels._trace_turns import _next_batch, _try_again
from gocost.kernels._trace_waits import _wait, _wake
from gocost.kernels.trace_fields import (
    AT_END,
    EXISTS,
    FULL_ENDED,
    FULL_GOROUTINES,
    FULL_PAIRS,
    FULL_RECORDS,
    G_CREATOR,
    G_PLACE,
    G_SEQ,
    G_SINCE,
    G_START,
    G_STARTS,
    G_STATE,
    MALFORMED,
    NEEDS,
    NO_GOROUTINE,
    NO_PROC,
    NO_SUCH_EVENT,
    NONE,
    NOT_ALLOWED,
    NOT_IN_TABLE,
    NOT_READY,
    P_ABANDONED,
    P_RUNNING,
    P_SEQ,
    P_STATE,
    P_SYSCALL,
    P_THREAD,
    PARKED,
    PROC_NOT_ALLOWED,
    R_CREATED,
    ROOM,
    RUNNABLE,
    RUNNING,
    RUNS_ANOTHER,
    S_CLIPPING,
    S_CREATED,
    S_ENDED,
    S_EVENTS,
    S_FAULT,
    S_FREE,
    S_FROM,
    S_HEAD,
    S_LAST,
    S_MASK,
    S_PAIRS,
    S_PARKED,
    S_PARKS,
    S_PROGRESS,
    S_QUEUED,
    S_RAN_FROM,
    S_RAN_G,
    S_RAN_P,
    S_REASONS,
    S_RECORDING,
    S_RECORDS,
    S_ROOM_ENDED,
    S_ROOM_PAIRS,
    S_ROOM_RECORDS,
    S_SEED,
    S_SHIFT,
    S_STACKS,
    S_TEXTS,
    S_THREADS,
    S_TO,
    S_WAKING,
    SYSCALL,
    T_AT,
    T_END,
    T_G,
    T_ID,
    T_P,
    T_STATUS,
    T_TIME,
    TOO_LARGE,
    TOO_MANY_REASONS,
    UNKNOWN,
    WAITING,
)

WINDOW = 4096
"""Bytes after which it is looked at whether times are still below 2^60. Clocks tick once a second
or oftener, so that the events of a window add less than 2^62 where each adds less than LONG ticks.
"""
LONG = 2097152


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _run(
    data: cython.pointer[cython.const[cython.uchar]],
    counts: cython.pointer[cython.const[cython.schar]],
    tick: cython.double,
    threads: cython.p_longlong,
    ahead: cython.p_longlong,
    queue: cython.p_int,
    waits: cython.p_int,
    ids: cython.pointer[cython.const[cython.longlong]],
    table: cython.p_int,
    goroutines: cython.p_longlong,
    procs: cython.p_longlong,
    groups: cython.p_longlong,
    ended: cython.p_longlong,
    marks: cython.p_longlong,
    intervals: cython.p_longlong,
    histogram: cython.p_longlong,
    heap: cython.p_longlong,
    records: cython.p_longlong,
    got: cython.p_ulonglong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Goes on until data or room are missing, all is done or something is wrong; returns which.

    `outcome` is what ends the run of a thread: see trace_fields.
    """
    size: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_THREADS])
    mask: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, scalars[S_MASK])
    ended_end: cython.longlong = scalars[S_ROOM_ENDED]
    pairs_end: cython.longlong = scalars[S_ROOM_PAIRS]
    records_end: cython.longlong = scalars[S_ROOM_RECORDS]
    seed: cython.longlong = scalars[S_SEED]
    shift: cython.int = cython.cast(cython.int, scalars[S_SHIFT])
    recording: cython.bint = scalars[S_RECORDING] != 0
    clipping: cython.bint = scalars[S_CLIPPING] != 0
    from_: cython.longlong = scalars[S_FROM]
    to: cython.longlong = scalars[S_TO]
    whole: cython.longlong = cython.cast(cython.longlong, tick)
    integral: cython.bint = cython.cast(cython.double, whole) == tick
    plain: cython.bint = integral and not clipping
    latest: cython.longlong = 1 << 60
    longest: cython.ulonglong = cython.cast(
        cython.ulonglong, cython.cast(cython.double, latest) / (tick if tick > 1 else 1)
    )
    stacks: cython.ulonglong = cython.cast(cython.ulonglong, scalars[S_STACKS])
    texts: cython.ulonglong = cython.cast(cython.ulonglong, scalars[S_TEXTS])
    thread: cython.Py_ssize_t
    me: cython.longlong
    at: cython.Py_ssize_t
    end: cython.Py_ssize_t
    stop: cython.Py_ssize_t  # up to where the tables have room for what events add
    left: cython.longlong
    k: cython.Py_ssize_t
    count: cython.int
    kind: cython.int
    time: cython.longlong
    real: cython.longlong
    now: cython.longlong
    once: cython.longlong = 1  # what an event counts: 0 where it is outside of what is looked at
    id_: cython.longlong
    g: cython.Py_ssize_t
    row: cython.Py_ssize_t
    p: cython.Py_ssize_t
    events: cython.longlong
    outcome: cython.Py_ssize_t
    ticks: cython.ulonglong = 0
    one = cython.declare(_Number)
    many = cython.declare(_Numbers)
    while True:
        if scalars[S_QUEUED] == 0:
            outcome = _try_again(data, threads, queue, waits, got, scalars)
            if outcome != 0:
                return outcome - 100
        thread = queue[cython.cast(cython.Py_ssize_t, scalars[S_HEAD] % size)]
        at = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_AT])
        end = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_END])
        time = threads[(thread << 3) + T_TIME]
        g = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_G])
        p = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_P])
        me = threads[(thread << 3) + T_ID]
        scalars[S_RAN_FROM] = at
        scalars[S_RAN_G] = g
        scalars[S_RAN_P] = p
        stop = at
        events = 0
        outcome = 0
        while True:
            if at >= stop:
                if time > latest:
                    outcome = TOO_LARGE
                    break
                if at >= end:
                    outcome = AT_END
                    break
                # An event has two bytes or more and adds ROOM rows at most: so far there is room.
                left = pairs_end - scalars[S_PAIRS]
                if left < 0:
                    outcome = FULL_PAIRS
                    break
                if recording and records_end - scalars[S_RECORDS] < left:
                    left = records_end - scalars[S_RECORDS]
                    if left < 0:
                        outcome = FULL_RECORDS
                        break
                stop = at + 2 * cython.cast(cython.Py_ssize_t, left // ROOM) + 1
                if stop > at + WINDOW:
                    stop = at + WINDOW
                if stop > end:
                    stop = end
            kind = data[at]
            # Where a number is cut off, k is beyond the end: which is looked at afterwards, as what
            # a malformed event has done counts for nothing.
            one = _number(data, at + 1, end, got)
            ticks = one.value
            k = one.end
            if ticks >= LONG and (ticks > longest or time > latest):
                outcome = TOO_LARGE
                break
            real = time + cython.cast(cython.longlong, ticks) * whole
            now = real
            if not plain:
                if not integral:
                    real = time + cython.cast(
                        cython.longlong, cython.cast(cython.double, ticks) * tick
                    )
                    now = real
                if clipping:
                    once = 1 if from_ <= real < to else 0
                    now = from_ if real < from_ else to if real > to else real
            # --- What only names something and is not ready before that is there.
            if kind == 16:  # GoStart
                many = _numbers(data, k, end, got, 2)
                k = many.end
                row = _ready(many.a0, many.a1, RUNNABLE, table, goroutines, seed, shift, mask)
                if row < 0:
                    outcome = NOT_READY if row == -1 else TOO_LARGE
                    break
                if p == NONE or g >= 0:
                    outcome = NO_PROC if p == NONE else RUNS_ANOTHER
                    break
                _leave(
                    row, RUNNABLE, now, me, p, goroutines, intervals, histogram, records, scalars
                )
                goroutines[row + G_STATE] = RUNNING
                goroutines[row + G_SEQ] += 1
                goroutines[row + G_SINCE] = now
                goroutines[row + G_STARTS] += once
                g = row
            elif kind == 21:  # GoUnblock
                many = _numbers(data, k, end, got, 3)
                k = many.end
                row = _ready(many.a0, many.a1, WAITING, table, goroutines, seed, shift, mask)
                if row < 0:
                    outcome = NOT_READY if row == -1 else TOO_LARGE
                    break
                _leave(row, WAITING, now, me, p, goroutines, intervals, histogram, records, scalars)
                goroutines[row + G_STATE] = RUNNABLE
                goroutines[row + G_SEQ] += 1
                goroutines[row + G_SINCE] = now
            elif kind == 45 or kind == 46:  # GoSwitch, GoSwitchDestroy
                many = _numbers(data, k, end, got, 2)
                k = many.end
                row = _ready(many.a0, many.a1, WAITING, table, goroutines, seed, shift, mask)
                if row < 0 or g == UNKNOWN:
                    outcome = TOO_LARGE if row == -2 else NOT_READY
                    break
                outcome = _runs(g, p, goroutines)
                if outcome != 0:
                    break
                if scalars[S_ENDED] >= ended_end:
                    outcome = FULL_ENDED
                    break
                _leave(row, WAITING, now, me, p, goroutines, intervals, histogram, records, scalars)
                goroutines[row + G_STATE] = RUNNING
                goroutines[row + G_SEQ] += 1
                goroutines[row + G_SINCE] = now
                goroutines[row + G_STARTS] += once
                _leave(g, RUNNING, now, me, p, goroutines, intervals, histogram, records, scalars)
                if kind == 45:
                    goroutines[g + G_STATE] = WAITING
                    goroutines[g + G_SINCE] = now
                    goroutines[g + G_PLACE] = cython.cast(cython.longlong, texts) << 32
                else:
                    _end(g, now, me, table, goroutines, groups, ended, records, scalars)
                g = row
            # --- Of the goroutine that runs here.
            elif kind == 17:  # GoDestroy
                outcome = _runs(g, p, goroutines)
                if outcome != 0:
                    break
                if scalars[S_ENDED] >= ended_end:
                    outcome = FULL_ENDED
                    break
                _leave(g, RUNNING, now, me, p, goroutines, intervals, histogram, records, scalars)
                _end(g, now, me, table, goroutines, groups, ended, records, scalars)
                g = NONE
            elif kind == 19 or kind == 20:  # GoStop, GoBlock
                many = _numbers(data, k, end, got, 2)
                k = many.end
                outcome = _runs(g, p, goroutines)
                if outcome != 0:
                    break
                if many.a0 >= texts or many.a1 >= stacks:
                    outcome = NOT_IN_TABLE
                    break
                _leave(g, RUNNING, now, me, p, goroutines, intervals, histogram, records, scalars)
                goroutines[g + G_STATE] = RUNNABLE if kind == 19 else WAITING
                goroutines[g + G_SINCE] = now
                _seen_in(
                    g,
                    cython.cast(cython.longlong, many.a1),
                    cython.cast(cython.longlong, many.a0),
                    goroutines,
                    groups,
                )
                g = NONE
            elif kind == 22:  # GoSyscallBegin
                many = _numbers(data, k, end, got, 2)
                k = many.end
                outcome = _runs(g, p, goroutines)
                if outcome != 0:
                    break
                if many.a1 >= stacks:
                    outcome = NOT_IN_TABLE
                    break
                if p >= 0:
                    if cython.cast(cython.ulonglong, procs[(p << 4) + P_SEQ] + 1) != many.a0:
                        outcome = PROC_NOT_ALLOWED
                        break
                    _proc_leaves(p, now, me, procs, records, scalars)
                    procs[(p << 4) + P_STATE] = P_SYSCALL
                    procs[(p << 4) + P_SEQ] += 1
                _leave(g, RUNNING, now, me, p, goroutines, intervals, histogram, records, scalars)
                goroutines[g + G_STATE] = SYSCALL
                goroutines[g + G_SINCE] = now
                _seen_in(g, cython.cast(cython.longlong, many.a1), 0, goroutines, groups)
            elif kind == 23:  # GoSyscallEnd
                if g < 0 or p == NONE:
                    outcome = NOT_READY if g == UNKNOWN else NO_GOROUTINE if g == NONE else NO_PROC
                    break
                if goroutines[g + G_STATE] != SYSCALL:
                    outcome = NOT_ALLOWED
                    break
                if p >= 0:
                    if procs[(p << 4) + P_STATE] != P_SYSCALL:
                        outcome = PROC_NOT_ALLOWED
                        break
                    _proc_leaves(p, now, me, procs, records, scalars)
                    procs[(p << 4) + P_STATE] = P_RUNNING
                _leave(g, SYSCALL, now, me, p, goroutines, intervals, histogram, records, scalars)
                goroutines[g + G_STATE] = RUNNING
                goroutines[g + G_SINCE] = now
            elif kind == 24 or kind == 18:  # GoSyscallEndBlocked, GoDestroySyscall
                if g == UNKNOWN or (
                    kind == 24 and p >= 0 and procs[(p << 4) + P_STATE] == P_SYSCALL
                ):
                    outcome = NOT_READY
                    break
                if g == NONE:
                    outcome = NO_GOROUTINE
                    break
                if goroutines[g + G_STATE] != SYSCALL:
                    outcome = NOT_ALLOWED
                    break
                if kind == 18 and p >= 0 and procs[(p << 4) + P_STATE] != P_SYSCALL:
                    outcome = PROC_NOT_ALLOWED
                    break
                if scalars[S_ENDED] >= ended_end:
                    outcome = FULL_ENDED
                    break
                _leave(g, SYSCALL, now, me, p, goroutines, intervals, histogram, records, scalars)
                if kind == 24:
                    goroutines[g + G_STATE] = RUNNABLE
                    goroutines[g + G_SINCE] = now
                else:
                    _end(g, now, me, table, goroutines, groups, ended, records, scalars)
                    if p >= 0:
                        # The thread may be used again under the same id: it has lost its P.
                        _proc_leaves(p, now, me, procs, records, scalars)
                        procs[(p << 4) + P_STATE] = P_ABANDONED
                        procs[(p << 4) + P_THREAD] = -1
                        p = NONE
                g = NONE
            elif kind == 14 or kind == 47 or kind == 15:
                # GoCreate, GoCreateBlocked, GoCreateSyscall
                many = _numbers(data, k, end, got, 1 if kind == 15 else 3)
                k = many.end
                if many.a0 >> 63:
                    outcome = TOO_LARGE
                    break
                if kind == 15:
                    if g >= 0:
                        outcome = RUNS_ANOTHER
                        break
                elif p == NONE:
                    outcome = NO_PROC
                    break
                elif g >= 0 and goroutines[g + G_STATE] != RUNNING:
                    outcome = NOT_ALLOWED
                    break
                elif many.a1 >= stacks or many.a2 >= stacks:
                    outcome = NOT_IN_TABLE
                    break
                id_ = cython.cast(cython.longlong, many.a0)
                if _find(id_, table, goroutines, seed, shift, mask) >= 0:
                    outcome = EXISTS
                    break
                if scalars[S_FREE] < 0:
                    outcome = FULL_GOROUTINES
                    break
                row = _create(
                    id_,
                    SYSCALL if kind == 15 else RUNNABLE if kind == 14 else WAITING,
                    now,
                    table,
                    goroutines,
                    scalars,
                )
                scalars[S_CREATED] += once
                if kind == 15:
                    g = row
                else:
                    goroutines[row + G_START] = cython.cast(cython.longlong, many.a1)
                    goroutines[row + G_PLACE] = cython.cast(cython.longlong, many.a1)
                    if kind == 47:
                        goroutines[row + G_PLACE] |= cython.cast(cython.longlong, texts) << 32
                    goroutines[row + G_CREATOR] = cython.cast(cython.longlong, many.a2)
                if recording:
                    _record(
                        R_CREATED, id_, now, now, goroutines[row + G_START], p, me,
                        goroutines[row + G_CREATOR], records, scalars,
                    )  # fmt: skip
            else:
                # --- What is less often.
                count = counts[kind]
                if count < 0:
                    outcome = NO_SUCH_EVENT
                    break
                many = _numbers(data, k, end, got, count)
                k = many.end
                if k > end:
                    outcome = MALFORMED
                    break
                # From 128 on it is experimental: of single objects, which nothing is said of.
                if kind < 128:
                    # It looks at the thread's row itself.
                    threads[(thread << 3) + T_G] = g
                    threads[(thread << 3) + T_P] = p
                    if 10 <= kind <= 13:
                        outcome = _proc_event(
                            kind,
                            now,
                            thread,
                            many.a0,
                            many.a1,
                            many.a2,
                            threads,
                            procs,
                            records,
                            scalars,
                        )
                    elif kind == 25 or kind == 48:
                        outcome = _status_event(
                            kind, now, thread, many.a0, many.a1, many.a2, many.a3, ids, threads,
                            table, goroutines, groups, scalars,
                        )  # fmt: skip
                    elif 34 <= kind <= 36:
                        outcome = _assist_event(
                            kind, now, thread, many.a0, threads, table, goroutines, records, scalars
                        )
                    elif 31 <= kind <= 33:
                        outcome = _sweep_event(
                            kind, now, thread, many.a0, threads, procs, records, scalars
                        )
                    else:
                        outcome = _mark_event(
                            kind, count, now, thread, many.a0, many.a1, many.a2, many.a3, threads,
                            goroutines, marks, heap, scalars,
                        )  # fmt: skip
                    if outcome != 0:
                        break
                    g = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_G])
                    p = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_P])
            # --- Done: on to the next event.
            if k > end:
                outcome = MALFORMED
                break
            at = k
            time = real
            events += 1
        if outcome == NOT_READY and k > end:
            outcome = MALFORMED  # what it waits for was read beyond the batch
        if events:
            scalars[S_PROGRESS] += 1
            scalars[S_EVENTS] += events
            if time > scalars[S_LAST]:
                scalars[S_LAST] = time
            if scalars[S_WAKING]:
                _wake(
                    data, counts, at, threads, queue, waits, table, goroutines, procs, got, scalars
                )
        threads[(thread << 3) + T_AT] = at
        threads[(thread << 3) + T_TIME] = time
        threads[(thread << 3) + T_G] = g
        threads[(thread << 3) + T_P] = p
        if scalars[S_REASONS]:
            outcome = TOO_MANY_REASONS
        if outcome < 0 or outcome > NOT_READY:
            scalars[S_FAULT] = thread
            return outcome
        if outcome == AT_END and _next_batch(thread, threads, ahead):
            continue
        scalars[S_HEAD] += 1
        scalars[S_QUEUED] -= 1
        threads[(thread << 3) + T_STATUS] = NEEDS if outcome == AT_END else PARKED
        if outcome == NOT_READY:
            scalars[S_PARKED] += 1
            scalars[S_PARKS] += 1
            if scalars[S_WAKING]:
                _wait(data, counts, thread, threads, waits, got, scalars)
