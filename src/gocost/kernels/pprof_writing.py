"""The inner loops that write a pprof profile in protobuf form; `pprof.py` has the layout.

Each function writes one of the profile's repeated fields and returns its bytes. Numbers that are 0
are left out, as protobuf does; a sample's locations and values are packed. Ids are row numbers,
counted from 1. The buffer is made for the longest that the rows can become, of which only what is
written is ever touched.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

_LONGEST = 10  # bytes of a varint
_HEAD = 2 + _LONGEST  # of a field of bytes: key and length


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _size(value: cython.ulonglong) -> cython.Py_ssize_t:
    """How many bytes the varint takes."""
    size: cython.Py_ssize_t = 1
    while value >= 0x80:
        value >>= 7
        size += 1
    return size


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-2, check=True)
def _put(
    out: cython.uchar[::1], at: cython.Py_ssize_t, value: cython.ulonglong
) -> cython.Py_ssize_t:
    """Writes the varint at `at`; returns where it ends."""
    while value >= 0x80:
        out[at] = cython.cast(cython.uchar, value & 0x7F | 0x80)
        value >>= 7
        at += 1
    out[at] = cython.cast(cython.uchar, value)
    return at + 1


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-2, check=True)
def _row_size(
    columns: cython.const[cython.ulonglong][:, ::1], row: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """How many bytes `_put_row` writes; field numbers are below 16, so that a key takes one."""
    size: cython.Py_ssize_t = 0
    field: cython.Py_ssize_t
    for field in range(columns.shape[0]):
        if columns[field, row] != 0:
            size += 1 + _size(columns[field, row])
    return size


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-2, check=True)
def _put_row(
    out: cython.uchar[::1],
    at: cython.Py_ssize_t,
    columns: cython.const[cython.ulonglong][:, ::1],
    row: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Writes a message of plain numbers, columns[f - 1, row] as field f; returns where it ends."""
    field: cython.Py_ssize_t
    for field in range(columns.shape[0]):
        if columns[field, row] != 0:
            at = _put(out, at, cython.cast(cython.ulonglong, (field + 1) << 3))
            at = _put(out, at, columns[field, row])
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _rows(
    number: cython.ulonglong,
    columns: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> cython.Py_ssize_t:
    """Writes every row as field `number` of the profile; returns how many bytes."""
    at: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t
    for row in range(columns.shape[1]):
        at = _put(out, at, number << 3 | 2)
        at = _put(out, at, cython.cast(cython.ulonglong, _row_size(columns, row)))
        at = _put_row(out, at, columns, row)
    return at


def write_rows(number: int, columns: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Messages of plain numbers: columns[f - 1, i] is field f of message i of field `number`."""
    fields, rows = columns.shape
    out = np.empty(rows * (_HEAD + fields * (1 + _LONGEST)), np.uint8)
    if not rows:
        return out
    used: int = _run_rows(number, _view(columns), _view(out))
    return out[:used]


def _run_rows(
    number: cython.ulonglong,
    columns: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _rows(number, columns, out)
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _samples(
    stack_ends: cython.const[cython.longlong][::1],
    stack: cython.const[cython.int][::1],
    values: cython.const[cython.ulonglong][:, ::1],
    label_ends: cython.const[cython.longlong][::1],
    labels: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> cython.Py_ssize_t:
    """Writes every sample; returns how many bytes."""
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    last: cython.Py_ssize_t
    label: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    packed: cython.Py_ssize_t
    amounts: cython.Py_ssize_t
    size: cython.Py_ssize_t
    for i in range(stack_ends.shape[0]):
        last = cython.cast(cython.Py_ssize_t, stack_ends[i])
        end = cython.cast(cython.Py_ssize_t, label_ends[i])
        packed = 0
        for k in range(first, last):
            packed += _size(cython.cast(cython.ulonglong, stack[k]) + 1)
        amounts = 0
        for k in range(values.shape[1]):
            amounts += _size(values[i, k])
        size = 1 + _size(cython.cast(cython.ulonglong, amounts)) + amounts
        if packed > 0:
            size += 1 + _size(cython.cast(cython.ulonglong, packed)) + packed
        for k in range(label, end):
            size += 2 + _row_size(labels, k)  # four numbers: a length of one byte
        at = _put(out, at, 2 << 3 | 2)
        at = _put(out, at, cython.cast(cython.ulonglong, size))
        if packed > 0:
            at = _put(out, at, 1 << 3 | 2)
            at = _put(out, at, cython.cast(cython.ulonglong, packed))
            for k in range(first, last):
                at = _put(out, at, cython.cast(cython.ulonglong, stack[k]) + 1)
        at = _put(out, at, 2 << 3 | 2)
        at = _put(out, at, cython.cast(cython.ulonglong, amounts))
        for k in range(values.shape[1]):
            at = _put(out, at, values[i, k])
        for k in range(label, end):
            at = _put(out, at, 3 << 3 | 2)
            at = _put(out, at, cython.cast(cython.ulonglong, _row_size(labels, k)))
            at = _put_row(out, at, labels, k)
        first = last
        label = end
    return at


def write_samples(
    stack_ends: npt.NDArray[np.int64],
    stack: npt.NDArray[np.int32],
    values: npt.NDArray[np.uint64],
    label_ends: npt.NDArray[np.int64],
    labels: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint8]:
    """The samples: `stack` has rows of locations, `values` is (samples, types).

    `labels` (4, n) is key, text, number and unit; the `_ends` say where each sample's end.
    """
    samples, types = values.shape
    id_bytes = -(-int(stack.max(initial=0) + 1).bit_length() // 7)
    out = np.empty(
        len(stack) * id_bytes
        + samples * (3 * _HEAD + types * _LONGEST)
        + labels.shape[1] * (2 + 4 * (1 + _LONGEST)),
        np.uint8,
    )
    if not samples:
        return out
    used: int = _run_samples(
        _view(stack_ends),
        _view(stack),
        _view(values),
        _view(label_ends),
        _view(labels),
        _view(out),
    )
    return out[:used]


def _run_samples(
    stack_ends: cython.const[cython.longlong][::1],
    stack: cython.const[cython.int][::1],
    values: cython.const[cython.ulonglong][:, ::1],
    label_ends: cython.const[cython.longlong][::1],
    labels: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _samples(stack_ends, stack, values, label_ends, labels, out)
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _locations(
    columns: cython.const[cython.ulonglong][:, ::1],
    line_ends: cython.const[cython.longlong][::1],
    lines: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> cython.Py_ssize_t:
    """Writes every location; returns how many bytes."""
    at: cython.Py_ssize_t = 0
    row: cython.Py_ssize_t
    k: cython.Py_ssize_t
    line: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    size: cython.Py_ssize_t
    for row in range(line_ends.shape[0]):
        end = cython.cast(cython.Py_ssize_t, line_ends[row])
        size = _row_size(columns, row)
        for k in range(line, end):
            size += 2 + _row_size(lines, k)  # three numbers: a length of one byte
        at = _put(out, at, 4 << 3 | 2)
        at = _put(out, at, cython.cast(cython.ulonglong, size))
        at = _put_row(out, at, columns, row)
        for k in range(line, end):
            at = _put(out, at, 4 << 3 | 2)
            at = _put(out, at, cython.cast(cython.ulonglong, _row_size(lines, k)))
            at = _put_row(out, at, lines, k)
        line = end
    return at


def write_locations(
    columns: npt.NDArray[np.uint64],
    line_ends: npt.NDArray[np.int64],
    lines: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint8]:
    """The locations: `columns` (5, n) as their fields are numbered, 0 in the fourth.

    `lines` (3, n) is function id, line and column; `line_ends` says where each location's end.
    """
    rows = len(line_ends)
    out = np.empty(
        rows * (_HEAD + 5 * (1 + _LONGEST)) + lines.shape[1] * (2 + 3 * (1 + _LONGEST)), np.uint8
    )
    if not rows:
        return out
    used: int = _run_locations(_view(columns), _view(line_ends), _view(lines), _view(out))
    return out[:used]


def _run_locations(
    columns: cython.const[cython.ulonglong][:, ::1],
    line_ends: cython.const[cython.longlong][::1],
    lines: cython.const[cython.ulonglong][:, ::1],
    out: cython.uchar[::1],
) -> int:
    used: cython.Py_ssize_t
    with cython.nogil:
        used = _locations(columns, line_ends, lines, out)
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do.

    A memoryview of no elements cannot be indexed in two dimensions; nothing then indexes it.
    """
    return array if cython.compiled or not array.size else array.data
