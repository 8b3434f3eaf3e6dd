"""Numbers of an execution trace: seven bits a byte, the least first. Piece of the trace kernels."""

import cython


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
