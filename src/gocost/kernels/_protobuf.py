"""Fields and varints of protobuf, as Go's decoder of profiles takes them. Piece of `pprof.py`."""

import cython


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _varint(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
) -> cython.Py_ssize_t:
    """got[0] is the varint at `at`; returns where it ends, or -1 where it is none."""
    value: cython.ulonglong = 0
    shift: cython.int = 0
    byte: cython.uchar
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        # Of the tenth byte one bit fits; Go drops the others too.
        value |= cython.cast(cython.ulonglong, byte & (0x7F if shift < 63 else 1)) << shift
        if byte < 0x80:
            got[0] = value
            return at
        shift += 7
    return -1


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _field(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
) -> cython.Py_ssize_t:
    """One field: got is (value or length, number, wire type, where its bytes start).

    Returns where the next field starts, or -1 where this one is malformed.
    """
    at = _varint(data, at, end, got)
    if at < 0:
        return -1
    got[1] = got[0] >> 3
    got[2] = got[0] & 7
    if got[2] == 0:
        return _varint(data, at, end, got)
    if got[2] == 2:
        at = _varint(data, at, end, got)
        if at < 0 or got[0] > cython.cast(cython.ulonglong, end - at):
            return -1
        got[3] = cython.cast(cython.ulonglong, at)
        return at + cython.cast(cython.Py_ssize_t, got[0])
    if got[2] == 1 and end - at >= 8:
        return at + 8
    if got[2] == 5 and end - at >= 4:
        return at + 4
    return -1


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _ends(
    data: cython.const[cython.uchar][::1], first: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.longlong:
    """How many varints end between `first` and `end`, which the caller has seen to be inside."""
    found: cython.longlong = 0
    k: cython.Py_ssize_t
    for k in range(first, end):
        found += data[k] < 0x80
    return found


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _short(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    out: cython.ulonglong[::1],
    used: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
) -> cython.Py_ssize_t:
    """Varints of up to three bytes; returns where they end in `out`, and in got[0] in `data`.

    The caller has seen that `out` has room for one a byte.
    """
    while at + 3 <= end:
        if data[at] < 0x80:
            out[used] = data[at]
            at += 1
        elif data[at + 1] < 0x80:
            out[used] = data[at] & 0x7F | cython.cast(cython.ulonglong, data[at + 1]) << 7
            at += 2
        elif data[at + 2] < 0x80:
            out[used] = (
                data[at] & 0x7F
                | cython.cast(cython.ulonglong, data[at + 1] & 0x7F) << 7
                | cython.cast(cython.ulonglong, data[at + 2]) << 14
            )
            at += 3
        else:
            break
        used += 1
    got[0] = cython.cast(cython.ulonglong, at)
    return used
