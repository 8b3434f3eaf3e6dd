"""LEB128 varints, the integers of pclntab value tables, pprof and execution traces.

Layout: seven bits a byte, least significant first, the top bit set on all but the last byte
(encoding/binary `Uvarint` in the Go source). A 64-bit value takes at most ten bytes.
"""

import cython
import numpy as np
import numpy.typing as npt

from gocost.model.errors import FormatError


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fill(
    data: cython.const[cython.uchar][::1],
    out: cython.ulonglong[::1],
    count: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Decode `count` values; returns the bytes used, or -1 - offset of the faulty value."""
    at: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = data.shape[0]
    start: cython.Py_ssize_t
    i: cython.Py_ssize_t
    shift: cython.int
    byte: cython.uchar
    value: cython.ulonglong
    for i in range(count):
        start = at
        value = 0
        shift = 0
        while True:
            if at >= size or shift > 63:
                return -1 - start
            byte = data[at]
            at += 1
            if shift == 63 and byte > 1:
                return -1 - start
            value |= cython.cast(cython.ulonglong, byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        out[i] = value
    return at


def decode_uvarints(data: npt.NDArray[np.uint8], count: int) -> tuple[npt.NDArray[np.uint64], int]:
    """Decode `count` unsigned varints from the start of `data`.

    Returns the values (uint64) and the number of bytes they took.
    Raises FormatError with the offset of the value that is cut off or longer than 64 bits.
    """
    if count > data.shape[0]:
        raise FormatError(f"{count} varints cannot fit in {data.shape[0]} bytes", offset=0)
    out = np.empty(count, dtype=np.uint64)
    used: int = _fill(data, out, count)
    if used < 0:
        raise FormatError("a varint is cut off or longer than 64 bits", offset=-1 - used)
    return out, used
