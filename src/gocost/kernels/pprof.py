"""The inner loops over a pprof profile in protobuf form.

Layout: a message is fields; a field is a varint `number << 3 | wire type` and then a varint (0),
eight bytes (1), a length and that many bytes (2) or four bytes (5). The numbers are those of
`profile.proto` (github.com/google/pprof/proto). A repeated integer stands packed in one field of
bytes or one by one. `count_parts` goes through the bytes once to learn how many of everything
there are, `read_parts` fills arrays of just that size: nothing is allocated on a number's word.

Refused is what Go's own decoder refuses (`profile/proto.go`): a cut-off or too long varint, a
length past the end, an unknown wire type, and a known field of the wrong wire type. Unknown fields
are skipped. Offsets of faults are the field's.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._protobuf import _ends, _field, _short, _varint
from gocost.model.errors import FormatError

# Rows of what `count_parts` counts.
SAMPLES = 0
REFERENCES = 1  # of samples to locations
VALUES = 2
LABELS = 3
LOCATIONS = 4
LINES = 5
FUNCTIONS = 6
MAPPINGS = 7
STRINGS = 8
REST = 9  # fields of the profile itself: types, times, comments
PARTS = 10

BYTES = np.array([24, 8, 8, 32, 40, 24, 40, 80, 16, 32], np.int64)
"""What a row of each takes in the columns."""

_MALFORMED = "the profile's protobuf is malformed"


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _count_sample(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
    counts: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Adds a sample's references, values and labels; returns 0, or -1 - offset of a fault."""
    start: cython.Py_ssize_t
    first: cython.Py_ssize_t
    while at < end:
        start = at
        at = _field(data, at, end, got)
        if at < 0:
            return -1 - start
        if got[1] == 1 or got[1] == 2:
            if got[2] == 2:
                first = cython.cast(cython.Py_ssize_t, got[3])
                counts[1 if got[1] == 1 else 2] += _ends(data, first, at)
            elif got[2] == 0:
                counts[1 if got[1] == 1 else 2] += 1
            else:
                return -1 - start
        elif got[1] == 3:
            if got[2] != 2:
                return -1 - start
            counts[3] += 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _count(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    counts: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Fills `counts`; returns 0, or -1 - offset of a fault."""
    end: cython.Py_ssize_t = data.shape[0]
    at: cython.Py_ssize_t = 0
    inner: cython.Py_ssize_t
    start: cython.Py_ssize_t
    status: cython.Py_ssize_t
    number: cython.ulonglong
    while at < end:
        start = at
        at = _field(data, at, end, got)
        if at < 0:
            return -1 - start
        number = got[1]
        if number == 0 or number > 15:
            continue
        if 2 <= number <= 6 and got[2] != 2:
            return -1 - start
        inner = cython.cast(cython.Py_ssize_t, got[3])
        if number == 2:
            counts[0] += 1
            status = _count_sample(data, inner, at, got, counts)
            if status < 0:
                return status
        elif number == 3:
            counts[7] += 1
        elif number == 4:
            counts[4] += 1
            while inner < at:
                start = inner
                inner = _field(data, inner, at, got)
                if inner < 0:
                    return -1 - start
                if got[1] == 4:
                    if got[2] != 2:
                        return -1 - start
                    counts[5] += 1
        elif number == 5:
            counts[6] += 1
        elif number == 6:
            counts[8] += 1
        else:
            counts[9] += 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _numbers(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
    fields: cython.int,
    out: cython.ulonglong[:, ::1],
    column: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """A message of plain numbers: field f goes to out[f - 1, column]. Returns 0 or -1 - offset."""
    start: cython.Py_ssize_t
    f: cython.Py_ssize_t
    for f in range(fields):
        out[f, column] = 0
    while at < end:
        start = at
        at = _field(data, at, end, got)
        if at < 0:
            return -1 - start
        if 1 <= got[1] <= cython.cast(cython.ulonglong, fields):
            if got[2] != 0:
                return -1 - start
            out[cython.cast(cython.Py_ssize_t, got[1] - 1), column] = got[0]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _packed(
    data: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    got: cython.ulonglong[::1],
    out: cython.ulonglong[::1],
    used: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Varints into `out` from `used` on; returns where they end there, or -1 - offset."""
    start: cython.Py_ssize_t
    while at < end:
        if end - at <= out.shape[0] - used and end <= data.shape[0]:
            used = _short(data, at, end, out, used, got)
            at = cython.cast(cython.Py_ssize_t, got[0])
            if at >= end:
                break
        start = at
        at = _varint(data, at, end, got)
        if at < 0:
            return -1 - start
        out[used] = got[0]
        used += 1
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _read(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    ends: cython.longlong[:, ::1],
    references: cython.ulonglong[::1],
    values: cython.ulonglong[::1],
    labels: cython.ulonglong[:, ::1],
    locations: cython.ulonglong[:, ::1],
    line_ends: cython.longlong[::1],
    lines: cython.ulonglong[:, ::1],
    functions: cython.ulonglong[:, ::1],
    mappings: cython.ulonglong[:, ::1],
    strings: cython.longlong[:, ::1],
    rest: cython.ulonglong[:, ::1],
) -> cython.Py_ssize_t:
    """Fills the arrays; returns 0, or -1 - offset of a fault."""
    end: cython.Py_ssize_t = data.shape[0]
    at: cython.Py_ssize_t = 0
    inner: cython.Py_ssize_t
    start: cython.Py_ssize_t
    status: cython.Py_ssize_t
    first: cython.Py_ssize_t
    number: cython.ulonglong
    sample: cython.Py_ssize_t = 0
    reference: cython.Py_ssize_t = 0
    value: cython.Py_ssize_t = 0
    label: cython.Py_ssize_t = 0
    location: cython.Py_ssize_t = 0
    line: cython.Py_ssize_t = 0
    function: cython.Py_ssize_t = 0
    mapping: cython.Py_ssize_t = 0
    string: cython.Py_ssize_t = 0
    other: cython.Py_ssize_t = 0
    while at < end:
        start = at
        at = _field(data, at, end, got)
        if at < 0:
            return -1 - start
        number = got[1]
        if number == 0 or number > 15:
            continue
        inner = cython.cast(cython.Py_ssize_t, got[3])
        if number == 2:
            while inner < at:
                start = inner
                inner = _field(data, inner, at, got)
                if inner < 0:
                    return -1 - start
                first = cython.cast(cython.Py_ssize_t, got[3])
                if got[1] == 1:
                    if got[2] == 0:
                        references[reference] = got[0]
                        reference += 1
                    else:
                        reference = _packed(data, first, inner, got, references, reference)
                        if reference < 0:
                            return reference
                elif got[1] == 2:
                    if got[2] == 0:
                        values[value] = got[0]
                        value += 1
                    else:
                        value = _packed(data, first, inner, got, values, value)
                        if value < 0:
                            return value
                elif got[1] == 3:
                    status = _numbers(data, first, inner, got, 4, labels, label)
                    if status < 0:
                        return status
                    label += 1
            ends[0, sample] = reference
            ends[1, sample] = value
            ends[2, sample] = label
            sample += 1
        elif number == 3:
            status = _numbers(data, inner, at, got, 10, mappings, mapping)
            if status < 0:
                return status
            mapping += 1
        elif number == 4:
            for first in range(4):
                locations[first, location] = 0
            while inner < at:
                start = inner
                inner = _field(data, inner, at, got)
                if inner < 0:
                    return -1 - start
                if got[1] == 4:
                    first = cython.cast(cython.Py_ssize_t, got[3])
                    status = _numbers(data, first, inner, got, 3, lines, line)
                    if status < 0:
                        return status
                    line += 1
                elif 1 <= got[1] <= 5:
                    if got[2] != 0:
                        return -1 - start
                    first = 3 if got[1] == 5 else cython.cast(cython.Py_ssize_t, got[1] - 1)
                    locations[first, location] = got[0]
            line_ends[location] = line
            location += 1
        elif number == 5:
            status = _numbers(data, inner, at, got, 5, functions, function)
            if status < 0:
                return status
            function += 1
        elif number == 6:
            strings[0, string] = inner
            strings[1, string] = at - inner
            string += 1
        else:
            rest[0, other] = number
            rest[1, other] = got[2]
            rest[2, other] = got[0]
            rest[3, other] = cython.cast(cython.ulonglong, inner) if got[2] == 2 else 0
            other += 1
    return 0


def count_parts(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """How many of everything `data` holds, a row of SAMPLES to REST each. Raises FormatError."""
    counts = np.zeros(PARTS, np.int64)
    status: int = _run_count(_view(data), _view(np.zeros(4, np.uint64)), _view(counts))
    if status < 0:
        raise FormatError(_MALFORMED, offset=-1 - status)
    return counts


def _run_count(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    counts: cython.longlong[::1],
) -> int:
    status: cython.Py_ssize_t
    with cython.nogil:
        status = _count(data, got, counts)
    return status


def read_parts(
    data: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The columns of the profile, as the bytes have them: ids, and indexes into its strings.

    `ends` (3, samples) is where each sample's references, values and labels end; `labels` (4, n)
    is key, text, number, unit; `locations` (4, n) id, mapping, address, folded; `line_ends` (n);
    `lines` (3, n) function, line, column; `functions` (5, n) id, name, system name, file, start
    line; `mappings` (10, n) as the proto numbers them; `strings` (2, n) start and length in
    `data`; `rest` (4, n) field number, wire type, value or length, start. Raises FormatError.
    """
    shapes: list[tuple[str, tuple[int, ...], Any]] = [
        ("ends", (3, int(counts[SAMPLES])), np.int64),
        ("references", (int(counts[REFERENCES]),), np.uint64),
        ("values", (int(counts[VALUES]),), np.uint64),
        ("labels", (4, int(counts[LABELS])), np.uint64),
        ("locations", (4, int(counts[LOCATIONS])), np.uint64),
        ("line_ends", (int(counts[LOCATIONS]),), np.int64),
        ("lines", (3, int(counts[LINES])), np.uint64),
        ("functions", (5, int(counts[FUNCTIONS])), np.uint64),
        ("mappings", (10, int(counts[MAPPINGS])), np.uint64),
        ("strings", (2, int(counts[STRINGS])), np.int64),
        ("rest", (4, int(counts[REST])), np.uint64),
    ]
    columns: dict[str, npt.NDArray[Any]] = {
        name: np.empty(shape, kind) for name, shape, kind in shapes
    }
    status: int = _run_read(
        _view(data), _view(np.zeros(4, np.uint64)), *map(_view, columns.values())
    )
    if status < 0:
        raise FormatError(_MALFORMED, offset=-1 - status)
    return columns


def _run_read(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    ends: cython.longlong[:, ::1],
    references: cython.ulonglong[::1],
    values: cython.ulonglong[::1],
    labels: cython.ulonglong[:, ::1],
    locations: cython.ulonglong[:, ::1],
    line_ends: cython.longlong[::1],
    lines: cython.ulonglong[:, ::1],
    functions: cython.ulonglong[:, ::1],
    mappings: cython.ulonglong[:, ::1],
    strings: cython.longlong[:, ::1],
    rest: cython.ulonglong[:, ::1],
) -> int:
    status: cython.Py_ssize_t
    with cython.nogil:
        status = _read(
            data, got, ends, references, values, labels, locations, line_ends, lines, functions,
            mappings, strings, rest,
        )  # fmt: skip
    return status


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _look_up(
    wanted: cython.const[cython.ulonglong][::1],
    table: cython.const[cython.int][::1],
    out: cython.int[::1],
) -> cython.Py_ssize_t:
    """Fills `out`; returns where the first one stands that is not there, or -1."""
    size: cython.ulonglong = table.shape[0]
    missing: cython.Py_ssize_t = -1
    i: cython.Py_ssize_t
    row: cython.int
    for i in range(wanted.shape[0]):
        row = -1
        if wanted[i] < size:
            row = table[cython.cast(cython.Py_ssize_t, wanted[i])]
        if row < 0 and missing < 0:
            missing = i
        out[i] = row
    return missing


def look_up(
    wanted: npt.NDArray[np.uint64], table: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], int]:
    """`table[wanted]`, -1 for what is behind its end; and where the first -1 stands, or -1."""
    out = np.empty(len(wanted), np.int32)
    if not len(wanted):
        return out, -1
    missing: int = _run_look_up(_view(wanted), _view(table), _view(out))
    return out, missing


def _run_look_up(
    wanted: cython.const[cython.ulonglong][::1],
    table: cython.const[cython.int][::1],
    out: cython.int[::1],
) -> int:
    missing: cython.Py_ssize_t
    with cython.nogil:
        missing = _look_up(wanted, table, out)
    return missing


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do.

    A memoryview of no elements cannot be indexed in two dimensions; nothing then indexes it.
    """
    return array if cython.compiled or not array.size else array.data
