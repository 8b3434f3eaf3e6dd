"""Numbers of an execution trace: seven bits a byte, the least first. Piece of the trace kernels."""

from typing import Any

import cython

_Number = cython.struct(value=cython.ulonglong, end=cython.Py_ssize_t)
_Numbers = cython.struct(
    a0=cython.ulonglong,
    a1=cython.ulonglong,
    a2=cython.ulonglong,
    a3=cython.ulonglong,
    end=cython.Py_ssize_t,
)


@cython.cfunc
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _varint(
    data: cython.pointer[cython.const[cython.uchar]],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.p_ulonglong,
) -> cython.Py_ssize_t:
    """got[0] is the uvarint at `at`; returns where it ends, or -1 where it is none."""
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
            got[0] = value
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
@cython.returns(_Number)
def _number(
    data: cython.pointer[cython.const[cython.uchar]],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.p_ulonglong,
) -> Any:
    """The uvarint at `at`, and where it ends: beyond `end` where it is none.

    Most have up to three bytes: those are read here, beyond the end too.
    """
    found = cython.declare(_Number)
    more: cython.ulonglong
    found.value = data[at]
    found.end = at + 1
    if found.value >= 0x80:
        more = data[at + 1]
        found.value = (found.value & 0x7F) | (more & 0x7F) << 7
        found.end = at + 2
        if more >= 0x80:
            more = data[at + 2]
            found.value |= (more & 0x7F) << 14
            found.end = at + 3
            if more >= 0x80:
                found.end = _varint(data, at, end, got)
                found.value = got[0]
                if found.end < 0:
                    found.end = end + 1
    return found


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
@cython.returns(_Numbers)
def _numbers(
    data: cython.pointer[cython.const[cython.uchar]],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.p_ulonglong,
    count: cython.int,
) -> Any:
    """The `count` uvarints at `at`, up to four, and where they end: see `_number`."""
    found = cython.declare(_Numbers)
    one = cython.declare(_Number)
    found.a0 = 0
    found.a1 = 0
    found.a2 = 0
    found.a3 = 0
    if count > 0:
        one = _number(data, at, end, got)
        found.a0 = one.value
        at = one.end
    if count > 1:
        one = _number(data, at, end, got)
        found.a1 = one.value
        at = one.end
    if count > 2:
        one = _number(data, at, end, got)
        found.a2 = one.value
        at = one.end
    if count > 3:
        one = _number(data, at, end, got)
        found.a3 = one.value
        at = one.end
    found.end = at
    return found
