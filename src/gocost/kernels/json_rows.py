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
@cython.inline
@cython.nogil
@cython.boundscheck(False)
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
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _copy(
    source: cython.const[cython.uchar][::1],
    first: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    out: cython.uchar[::1],
    at: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Copy bytes; returns where they end. The caller has seen that both sides have them."""
    k: cython.Py_ssize_t
    for k in range(count):
        out[at + k] = source[first + k]
    return at + count


@cython.cfunc
@cython.inline
@cython.nogil
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _escapes(
    source: cython.const[cython.uchar][::1], first: cython.Py_ssize_t, count: cython.Py_ssize_t
) -> cython.uchar:
    """Whether any byte needs an escape, 0 or 1: without a branch, so that the loop is one of
    vectors. The caller has seen that the bytes are there.
    """
    k: cython.Py_ssize_t
    byte: cython.uchar
    found: cython.uchar = 0
    for k in range(count):
        byte = source[first + k]
        found |= (byte < 32) | (byte == 34) | (byte == 92)
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _escaped(
    source: cython.const[cython.uchar][::1],
    first: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    out: cython.uchar[::1],
    at: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Copy bytes with escapes; returns where they end, at most six times as far."""
    k: cython.Py_ssize_t
    byte: cython.uchar
    low: cython.uchar
    for k in range(count):
        byte = source[first + k]
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
    return at


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _text(
    source: cython.const[cython.uchar][::1],
    first: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
    out: cython.uchar[::1],
    at: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    if _escapes(source, first, count):
        return _escaped(source, first, count, out, at)
    return _copy(source, first, count, out, at)


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
    """Write all rows; returns the bytes written, or -1 where they do not fit or are not there."""
    room: cython.Py_ssize_t = out.shape[0]
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    first: cython.Py_ssize_t
    count: cython.Py_ssize_t
    size: cython.Py_ssize_t
    for i in range(owner.shape[0]):
        first = prefix_at[owner[i]]
        count = prefix_at[owner[i] + 1] - first
        size = length[i]
        if first < 0 or count < 0 or first > prefixes.shape[0] - count or size < 0:
            return -1
        if at + count + 6 * size + 21 * numbers.shape[0] + 8 > room:
            return -1
        if i:
            out[at] = 44
            at += 1
        out[at] = 91
        at = _copy(prefixes, first, count, out, at + 1)
        out[at] = 34
        first = start[i]
        if first >= 0:
            if first > names.shape[0] - size:
                return -1
            at = _text(names, first, size, out, at + 1)
        else:
            first = -1 - first
            if first > more.shape[0] - size:
                return -1
            at = _text(more, first, size, out, at + 1)
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
    negative). None where escapes make it much longer than expected, or a text lies outside its
    table: encode it another way.
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
