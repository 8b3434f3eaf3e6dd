"""Words of an executable's data, in its byte order. Piece of the kernels that read Go's tables."""

import cython


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _u32(
    data: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, big: cython.bint
) -> cython.longlong:
    """Four bytes at `at`; the caller has checked that they are there."""
    a: cython.longlong = data[at]
    b: cython.longlong = data[at + 1]
    c: cython.longlong = data[at + 2]
    d: cython.longlong = data[at + 3]
    if big:
        return a << 24 | b << 16 | c << 8 | d
    return d << 24 | c << 16 | b << 8 | a


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _word(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    width: cython.int,
    big: cython.bint,
) -> cython.longlong:
    """An unsigned integer of 4 or 8 bytes; one of 2^62 and more is -1."""
    low: cython.longlong
    high: cython.longlong
    if width == 4:
        return _u32(data, at, big)
    low = _u32(data, at, big)
    high = _u32(data, at + 4, big)
    if big:
        low, high = high, low
    if high >> 30:
        return -1
    return high << 32 | low
