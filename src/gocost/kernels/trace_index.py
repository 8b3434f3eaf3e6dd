"""Where the batches of an execution trace lie, and the tables that its generations bring.

Layout (`internal/trace/tracev2` and `internal/trace/batch.go` in the Go source): after a header of
16 bytes a trace is batches: a byte 1, or 49 and the number of an experiment, then uvarints
generation, thread, time in ticks and size (at most 64 KiB), then the data, whose first byte tells
what they are. From Go 1.26 a lone byte 52 ends a generation. Batches are hopped over: only their
headers are read here.

Data of strings are `5, id, length, bytes`; of stacks `3, id, count, count x (pc, function, file,
line)`; of CPU samples `7, time, thread, P, goroutine, stack`, all uvarints, after a byte that tells
the kind.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._trace_bytes import _varint
from gocost.model.errors import FormatError

# Rows of what `scan_headers` finds.
GENERATION = 0
THREAD = 1
TIME = 2
KIND = 3  # the first byte of the data; 0 where there are none, -1 of an experiment
START = 4
SIZE = 5
FIELDS = 6

END_OF_GENERATION = 52
EXPERIMENT = -1
MAX_BATCH = 65536
MAX_STRING = 1024
MAX_FRAMES = 128
HEADER = 64  # bytes that hold any batch's header and the first byte of its data


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _scan(
    window: cython.pointer[cython.const[cython.uchar]],
    size: cython.Py_ssize_t,
    base: cython.longlong,
    last: cython.bint,
    got: cython.p_ulonglong,
    out: cython.longlong[:, ::1],
    state: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Fills columns of `out`; state is (offset of the next header, how many columns are filled).

    Returns 0, or 1 where the header at that offset is malformed.
    """
    at: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, state[0] - base)
    used: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, state[1])
    k: cython.Py_ssize_t
    experiment: cython.bint
    while used < out.shape[1] and at < size:
        if not last and size - at < HEADER:
            break  # a header may go on behind the window
        if window[at] == END_OF_GENERATION:
            for k in range(FIELDS):
                out[k, used] = 0
            out[KIND, used] = END_OF_GENERATION
            out[START, used] = base + at
            used += 1
            at += 1
            state[0] = base + at
            state[1] = used
            continue
        experiment = window[at] == 49
        if window[at] != 1 and not experiment:
            return 1
        at += 1
        if experiment:
            at += 1
        for k in range(4):
            at = _varint(window, at, size, got)
            if at < 0:
                return 1
            if k == 3 and got[0] > MAX_BATCH:
                return 1
            # A thread that is none is all ones.
            out[k if k < KIND else SIZE, used] = cython.cast(
                cython.longlong, got[0] if got[0] >> 63 == 0 else 0
            )
            if got[0] >> 63 != 0:
                if k != THREAD:
                    return 1
                out[THREAD, used] = -1
        out[KIND, used] = 0
        if experiment:
            out[KIND, used] = EXPERIMENT
        elif out[SIZE, used] > 0 and at < size:
            out[KIND, used] = window[at]
        out[START, used] = base + at
        at += cython.cast(cython.Py_ssize_t, out[SIZE, used])
        used += 1
        state[0] = base + at
        state[1] = used
    return 0


def scan_headers(
    window: npt.NDArray[np.uint8],
    base: int,
    out: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
    *,
    last: bool,
) -> bool:
    """The headers of batches, as far as they stand in the window and have room in `out`.

    `window` is the file's bytes from `base` on; `last` says that the file ends with it. `state` is
    the offset of the next header and how many columns of `out` are taken: a batch takes one, with
    rows GENERATION to SIZE. Returns whether the header at the offset that was reached is malformed.
    """
    return bool(
        _run_scan(
            _view(window), base, last, _view(np.zeros(1, np.uint64)), _view(out), _view(state)
        )
    )


def _run_scan(
    window: cython.const[cython.uchar][::1],
    base: cython.longlong,
    last: cython.bint,
    got: cython.ulonglong[::1],
    out: cython.longlong[:, ::1],
    state: cython.longlong[::1],
) -> int:
    status: cython.Py_ssize_t
    if cython.compiled:
        with cython.nogil:
            status = _scan(
                cython.address(window[0]),
                window.shape[0],
                base,
                last,
                cython.address(got[0]),
                out,
                state,
            )
    else:
        status = _scan(window, window.shape[0], base, last, got, out, state)
    return status


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _strings(
    data: cython.pointer[cython.const[cython.uchar]],
    size: cython.Py_ssize_t,
    got: cython.p_ulonglong,
    out: cython.longlong[:, ::1],
) -> cython.Py_ssize_t:
    """Columns (id, start, length); returns how many, or -1 - offset."""
    end: cython.Py_ssize_t = size
    at: cython.Py_ssize_t = 1
    start: cython.Py_ssize_t
    used: cython.Py_ssize_t = 0
    while at < end:
        start = at
        if data[at] != 5:
            return -1 - start
        at = _varint(data, at + 1, end, got)
        if at < 0 or got[0] >> 62 != 0:
            return -1 - start
        out[0, used] = cython.cast(cython.longlong, got[0])
        at = _varint(data, at, end, got)
        if at < 0 or got[0] > MAX_STRING or got[0] > cython.cast(cython.ulonglong, end - at):
            return -1 - start
        out[1, used] = at
        out[2, used] = cython.cast(cython.longlong, got[0])
        at += cython.cast(cython.Py_ssize_t, got[0])
        used += 1
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _stacks(
    data: cython.pointer[cython.const[cython.uchar]],
    size: cython.Py_ssize_t,
    got: cython.p_ulonglong,
    ids: cython.longlong[:, ::1],
    frames: cython.ulonglong[:, ::1],
    state: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """ids: columns (id, end in frames); frames: columns (pc, function, file, line).

    Returns how many stacks, or -1 - offset; state[0] is how many frames.
    """
    end: cython.Py_ssize_t = size
    at: cython.Py_ssize_t = 1
    start: cython.Py_ssize_t
    used: cython.Py_ssize_t = 0
    frame: cython.Py_ssize_t = 0
    count: cython.longlong
    k: cython.Py_ssize_t
    while at < end:
        start = at
        if data[at] != 3:
            return -1 - start
        at = _varint(data, at + 1, end, got)
        if at < 0 or got[0] >> 62 != 0:
            return -1 - start
        ids[0, used] = cython.cast(cython.longlong, got[0])
        at = _varint(data, at, end, got)
        if at < 0 or got[0] > MAX_FRAMES:
            return -1 - start
        count = cython.cast(cython.longlong, got[0])
        while count > 0:
            for k in range(4):
                at = _varint(data, at, end, got)
                if at < 0:
                    return -1 - start
                frames[k, frame] = got[0]
            frame += 1
            count -= 1
        ids[1, used] = frame
        used += 1
    state[0] = frame
    return used


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _samples(
    data: cython.pointer[cython.const[cython.uchar]],
    size: cython.Py_ssize_t,
    got: cython.p_ulonglong,
    out: cython.ulonglong[:, ::1],
) -> cython.Py_ssize_t:
    """Columns (time, thread, P, goroutine, stack); returns how many, or -1 - offset."""
    end: cython.Py_ssize_t = size
    at: cython.Py_ssize_t = 1
    start: cython.Py_ssize_t
    used: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t
    while at < end:
        start = at
        if data[at] != 7:
            return -1 - start
        at += 1
        for k in range(5):
            at = _varint(data, at, end, got)
            if at < 0:
                return -1 - start
            out[k, used] = got[0]
        used += 1
    return used


def read_strings(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """A batch of strings: columns (id, start in `data`, length). Raises FormatError."""
    out = np.empty((3, len(data) // 3 + 1), np.int64)
    if not len(data):
        return out[:, :0]
    used: int = _run_strings(_view(data), _view(np.zeros(1, np.uint64)), _view(out))
    if used < 0:
        raise FormatError("a string of the trace is malformed", offset=-1 - used)
    return out[:, :used]


def _run_strings(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    out: cython.longlong[:, ::1],
) -> int:
    used: cython.Py_ssize_t
    if cython.compiled:
        with cython.nogil:
            used = _strings(cython.address(data[0]), data.shape[0], cython.address(got[0]), out)
    else:
        used = _strings(data, data.shape[0], got, out)
    return used


def read_stacks(
    data: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """A batch of stacks: columns (id, end in frames), and frames, leaf first, as columns
    (pc, function's string, file's string, line). Raises FormatError.
    """
    ids = np.empty((2, len(data) // 3 + 1), np.int64)
    frames = np.empty((4, len(data) // 4 + 1), np.uint64)
    state = np.zeros(1, np.int64)
    if not len(data):
        return ids[:, :0], frames[:, :0]
    used: int = _run_stacks(
        _view(data), _view(np.zeros(1, np.uint64)), _view(ids), _view(frames), _view(state)
    )
    if used < 0:
        raise FormatError("a stack of the trace is malformed", offset=-1 - used)
    return ids[:, :used], frames[:, : int(state[0])]


def _run_stacks(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    ids: cython.longlong[:, ::1],
    frames: cython.ulonglong[:, ::1],
    state: cython.longlong[::1],
) -> int:
    used: cython.Py_ssize_t
    if cython.compiled:
        with cython.nogil:
            used = _stacks(
                cython.address(data[0]), data.shape[0], cython.address(got[0]), ids, frames, state
            )
    else:
        used = _stacks(data, data.shape[0], got, ids, frames, state)
    return used


def read_samples(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """A batch of CPU samples: columns (ticks, thread, P, goroutine, stack). Raises FormatError."""
    out = np.empty((5, len(data) // 6 + 1), np.uint64)
    if not len(data):
        return out[:, :0]
    used: int = _run_samples(_view(data), _view(np.zeros(1, np.uint64)), _view(out))
    if used < 0:
        raise FormatError("a CPU sample of the trace is malformed", offset=-1 - used)
    return out[:, :used]


def _run_samples(
    data: cython.const[cython.uchar][::1],
    got: cython.ulonglong[::1],
    out: cython.ulonglong[:, ::1],
) -> int:
    used: cython.Py_ssize_t
    if cython.compiled:
        with cython.nogil:
            used = _samples(cython.address(data[0]), data.shape[0], cython.address(got[0]), out)
    else:
        used = _samples(data, data.shape[0], got, out)
    return used


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled or not array.size else array.data
