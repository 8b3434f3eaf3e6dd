"""Rows of a large table as JSON text, written straight from the bytes that the names stand in.

A row is `["module","package","name",n,n,n]`. Module and package come encoded already (a few
thousand different ones); names are copied out of a string table and escaped (RFC 8259: `"`, `\\`
and control characters). Making a hundred thousand Python rows only to encode them took several
times as long as everything else that `gocost size` does.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

NUMBER = 21  # the most characters of a 64-bit integer, and a comma


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _digits(
    value: cython.longlong, out: cython.uchar[::1], at: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Write a number that is not negative; returns where it ends."""
    width: cython.Py_ssize_t = 1
    rest: cython.longlong = value // 10
    k: cython.Py_ssize_t
    while rest > 0:
        width += 1
        rest = rest // 10
    for k in range(width):
        out[at + width - 1 - k] = cython.cast(cython.uchar, 48 + value % 10)
        value = value // 10
    return at + width


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _rows(
    names: cython.const[cython.uchar][::1],
    more: cython.const[cython.uchar][::1],
    prefixes: cython.const[cython.uchar][::1],
    prefix_at: cython.longlong[::1],
    owner: cython.int[::1],
    start: cython.longlong[::1],
    length: cython.int[::1],
    numbers: cython.longlong[:, ::1],
    out: cython.uchar[::1],
) -> cython.Py_ssize_t:
    """Write all rows; returns the bytes written, or -1 where they do not fit."""
    room: cython.Py_ssize_t = out.shape[0]
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    first: cython.Py_ssize_t
    count: cython.Py_ssize_t
    byte: cython.uchar
    low: cython.uchar
    for i in range(owner.shape[0]):
        first = prefix_at[owner[i]]
        count = prefix_at[owner[i] + 1] - first
        if at + count + 6 * length[i] + 21 * numbers.shape[0] + 8 > room:
            return -1
        if i:
            out[at] = 44
            at += 1
        out[at] = 91
        at += 1
        for k in range(count):
            out[at + k] = prefixes[first + k]
        at += count
        out[at] = 34
        at += 1
        first = start[i]
        for k in range(length[i]):
            byte = names[first + k] if first >= 0 else more[-1 - first + k]
            if byte == 34 or byte == 92:
                out[at] = 92
                at += 1
            elif byte < 32:
                out[at] = 92
                out[at + 1] = 117
                out[at + 2] = 48
                out[at + 3] = 48
                out[at + 4] = 48 + (byte >> 4)
                low = byte & 15
                out[at + 5] = 48 + low if low < 10 else 87 + low
                at += 6
                continue
            out[at] = byte
            at += 1
        out[at] = 34
        at += 1
        for k in range(numbers.shape[0]):
            out[at] = 44
            at = _digits(numbers[k, i], out, at + 1)
        out[at] = 93
        at += 1
    return at


def encode_rows(
    names: npt.NDArray[np.uint8],
    more: npt.NDArray[np.uint8],
    prefixes: npt.NDArray[np.uint8],
    prefix_at: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    length: npt.NDArray[np.int32],
    numbers: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint8] | None:
    """The rows as the inside of a JSON array, without its brackets.

    Row i is the encoded text `prefixes[prefix_at[owner[i]]:prefix_at[owner[i] + 1]]`, the name of
    `length[i]` bytes at `start[i]` in `names` or, below 0, at `-1 - start[i]` in `more` (valid
    UTF-8 both) and the integers `numbers[:, i]` (not
    negative). None where escapes make it much longer than expected: encode it another way.
    """
    spans = np.diff(prefix_at)[owner]
    width = NUMBER * numbers.shape[0] + 8
    expected = int(spans.sum() + length.sum(dtype=np.int64)) + width * len(owner)
    # Few names hold anything to escape, but the check before each row allows for the worst.
    out = np.empty(expected + expected // 8 + 8 * int(length.max(initial=0)) + 1024, np.uint8)
    used: int = _run_rows(
        _view(names),
        _view(more),
        _view(prefixes),
        _view(np.ascontiguousarray(prefix_at, np.int64)),
        _view(np.ascontiguousarray(owner, np.int32)),
        _view(np.ascontiguousarray(start, np.int64)),
        _view(np.ascontiguousarray(length, np.int32)),
        _view(np.ascontiguousarray(numbers, np.int64)),
        _view(out),
    )
    return out[:used] if used >= 0 else None


def _run_rows(
    names: cython.const[cython.uchar][::1],
    more: cython.const[cython.uchar][::1],
    prefixes: cython.const[cython.uchar][::1],
    prefix_at: cython.longlong[::1],
    owner: cython.int[::1],
    start: cython.longlong[::1],
    length: cython.int[::1],
    numbers: cython.longlong[:, ::1],
    out: cython.uchar[::1],
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _rows(names, more, prefixes, prefix_at, owner, start, length, numbers, out)
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data
