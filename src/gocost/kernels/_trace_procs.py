"""Events of Ps: who has one, and since when. Piece of trace_run.

What an event gives back is 0, or what stops it: see trace_fields.
"""

import cython

from gocost.kernels._trace_accounts import _record
from gocost.kernels.trace_fields import (
    CONTRADICTED,
    FULL_PROCS,
    NO_PROC,
    NO_SUCH_STATUS,
    NONE,
    NOT_ITS_PROC,
    NOT_OPEN,
    NOT_READY,
    P_ABANDONED,
    P_FIRST,
    P_IDLE,
    P_RUNNING,
    P_SEQ,
    P_SINCE,
    P_STATE,
    P_SUMS,
    P_SWEEP,
    P_SWEPT,
    P_SWEPT_OLD,
    P_SYSCALL,
    P_THREAD,
    PROC_NOT_ALLOWED,
    R_PROC,
    R_SWEEP,
    S_INITIAL,
    S_PROCS,
    S_RECORDING,
    T_G,
    T_ID,
    T_P,
)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _proc_leaves(
    p: cython.Py_ssize_t,
    now: cython.longlong,
    thread: cython.longlong,
    procs: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """Closes the state that a P is in; returns 0.

    An abandoned P is in the system call of a thread that the generation has not said anything of.
    """
    at: cython.Py_ssize_t = p << 4
    state: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, procs[at + P_STATE])
    if state == P_ABANDONED:
        state = P_SYSCALL
    procs[at + P_SUMS + state] += now - procs[at + P_SINCE]
    if scalars[S_RECORDING]:
        # Every generation says again what state a P is in; since when is known from before.
        _record(
            R_PROC + state, p, procs[at + P_SINCE] if procs[at + P_SINCE] else -1, now, 0, p,
            thread, 0, records, scalars,
        )  # fmt: skip
    procs[at + P_SINCE] = now
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _proc_event(
    kind: cython.int,
    now: cython.longlong,
    thread: cython.Py_ssize_t,
    a0: cython.ulonglong,
    a1: cython.ulonglong,
    a2: cython.ulonglong,
    threads: cython.p_longlong,
    procs: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """ProcStart, ProcStop, ProcSteal and ProcStatus of the thread."""
    at: cython.Py_ssize_t = thread << 3
    p: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[at + T_P])
    id_: cython.longlong = threads[at + T_ID]
    pid: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t = 0
    other: cython.Py_ssize_t
    state: cython.longlong
    if kind != 11:
        if a0 >= cython.cast(cython.ulonglong, scalars[S_PROCS]):
            return FULL_PROCS
        pid = cython.cast(cython.Py_ssize_t, a0)
        row = pid << 4
    if kind == 10:  # ProcStart
        if (
            procs[row + P_STATE] != P_IDLE
            or cython.cast(cython.ulonglong, procs[row + P_SEQ] + 1) != a1
            or p >= 0
        ):
            return NOT_READY
        _proc_leaves(pid, now, id_, procs, records, scalars)
        procs[row + P_STATE] = P_RUNNING
        procs[row + P_SEQ] += 1
        procs[row + P_THREAD] = thread
        threads[at + T_P] = pid
    elif kind == 11:  # ProcStop
        if p == NONE:
            return NO_PROC
        if p >= 0:
            row = p << 4
            if procs[row + P_STATE] != P_RUNNING and procs[row + P_STATE] != P_SYSCALL:
                return PROC_NOT_ALLOWED
            _proc_leaves(p, now, id_, procs, records, scalars)
            procs[row + P_STATE] = P_IDLE
            procs[row + P_THREAD] = -1
        threads[at + T_P] = NONE
    elif kind == 12:  # ProcSteal
        if (procs[row + P_STATE] != P_SYSCALL and procs[row + P_STATE] != P_ABANDONED) or (
            cython.cast(cython.ulonglong, procs[row + P_SEQ] + 1) != a1
        ):
            return NOT_READY
        if procs[row + P_STATE] == P_SYSCALL:
            other = cython.cast(cython.Py_ssize_t, procs[row + P_THREAD])
            if other == thread:
                threads[at + T_P] = NONE
            elif other >= 0:
                if (
                    cython.cast(cython.ulonglong, threads[(other << 3) + T_ID]) != a2
                    or threads[(other << 3) + T_P] != pid
                ):
                    return NOT_ITS_PROC
                threads[(other << 3) + T_P] = NONE
        _proc_leaves(pid, now, id_, procs, records, scalars)
        procs[row + P_STATE] = P_IDLE
        procs[row + P_SEQ] += 1
        procs[row + P_THREAD] = -1
    else:  # ProcStatus
        if a1 < 1 or a1 > 4:
            return NO_SUCH_STATUS
        state = cython.cast(cython.longlong, a1)
        if procs[row + P_STATE] == 0:
            procs[row + P_STATE] = state
            procs[row + P_FIRST] = state
            procs[row + P_SINCE] = now if scalars[S_INITIAL] else 0
            procs[row + P_THREAD] = -1
        elif procs[row + P_STATE] == P_SYSCALL and state == P_ABANDONED:
            state = 0  # it is about to be stolen, from a thread that is known
        elif procs[row + P_STATE] != state:
            return CONTRADICTED
        procs[row + P_SEQ] = 0
        if state in (P_RUNNING, P_SYSCALL):
            if p >= 0 and p != pid:
                return CONTRADICTED
            procs[row + P_THREAD] = thread
            threads[at + T_P] = pid
    return 0


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _sweep_event(
    kind: cython.int,
    now: cython.longlong,
    thread: cython.Py_ssize_t,
    a0: cython.ulonglong,
    threads: cython.p_longlong,
    procs: cython.p_longlong,
    records: cython.p_longlong,
    scalars: cython.p_longlong,
) -> cython.Py_ssize_t:
    """GCSweepActive, GCSweepBegin and GCSweepEnd of the thread's P."""
    p: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, threads[(thread << 3) + T_P])
    row: cython.Py_ssize_t = p << 4
    if kind == 31:  # GCSweepActive
        if a0 >= cython.cast(cython.ulonglong, scalars[S_PROCS]):
            return FULL_PROCS
        row = cython.cast(cython.Py_ssize_t, a0) << 4
        if scalars[S_INITIAL] or procs[row + P_SWEEP] == NOT_OPEN:
            procs[row + P_SWEEP] = now if scalars[S_INITIAL] else 0
        return 0
    if p == NONE:
        return NO_PROC
    if p >= 0:
        if kind == 32:
            procs[row + P_SWEEP] = now
        elif procs[row + P_SWEEP] >= 0:
            procs[row + P_SWEPT] += now - procs[row + P_SWEEP]
            if scalars[S_RECORDING]:
                _record(
                    R_SWEEP, p, procs[row + P_SWEEP] if procs[row + P_SWEEP] else -1, now, 0, p,
                    threads[(thread << 3) + T_ID], threads[(thread << 3) + T_G], records, scalars,
                )  # fmt: skip
            if procs[row + P_SWEEP] == 0:
                procs[row + P_SWEPT_OLD] = 1
            procs[row + P_SWEEP] = NOT_OPEN
    return 0
