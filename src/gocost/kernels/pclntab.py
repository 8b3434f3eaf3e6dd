"""The inner loops over pclntab, Go's table of functions: what each is, has and is billed.

Layout: `runtime.functab` is pairs (entry, offset of the `_func` record); a `_func` is followed by
`npcdata` 32-bit offsets into `pctab` and `nfuncdata` references to funcdata. A value table in
pctab is pairs of varints (zigzag value delta, pc delta in units of the instruction quantum) ended
by a zero value delta that is not the first. What was inlined is in `inline_trees.py`.
(`runtime/symtab.go`, `cmd/link/internal/ld/pcln.go` in the Go source.)

The linker stores each distinct value table once, in the order of its first user, so a table is
billed to the function that first refers to it and ends where the next new one starts.

Nothing is trusted: an entry below the one before it, an offset out of its table, or a table that
never ends is left out and counted as a fault, and no loop runs longer than the text is long.
"""

from typing import Any

import cython
import numpy as np
import numpy.typing as npt

from gocost.kernels._binary_words import _u32, _word
from gocost.model.errors import FormatError

# Rows of the array that `read_functions` fills. Fresh memory costs more than the loop does, so
# everything is 32 bits wide that can be: no table of Go's is longer than 2 GiB.
SIZE = 0  # bytes of code, without the padding after it
GAP = 1  # bytes up to the next function
NAME = 2  # offset into funcnametab, -1 where the table does not say
CU = 3  # index into cutab, -1 where there is none
RECORD = 4  # bytes of functab and _func that describe it
TABLES = 5  # bytes of pctab billed to it
INLINE_INDEX = 6  # offset in pctab of PCDATA_InlTreeIndex, 0: none
FUNCDATA = 7  # offset of its references to funcdata
FUNCDATA_COUNT = 8
ROWS = 9

MAX_TABLE = 1 << 31

MAX_FUNCTIONS = 1 << 24


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _code_size(
    pctab: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    gap: cython.longlong,
    quantum: cython.int,
) -> cython.longlong:
    """Bytes of code that the value table at `at` covers, or `gap` where it does not say."""
    size: cython.Py_ssize_t = pctab.shape[0]
    first: cython.Py_ssize_t = at
    pc: cython.longlong = 0
    delta: cython.longlong
    shift: cython.int
    byte: cython.uchar
    start: cython.Py_ssize_t
    if at <= 0:
        return gap
    while pc < gap:
        start = at
        while True:  # the value's delta: only whether it is zero matters
            if at >= size or at - start > 4:
                return gap
            byte = pctab[at]
            at += 1
            if byte < 0x80:
                break
        if byte == 0 and at - start == 1 and start != first:
            return pc
        delta = 0
        shift = 0
        while True:
            if at >= size or shift > 28:
                return gap
            byte = pctab[at]
            at += 1
            delta |= cython.cast(cython.longlong, byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        if delta == 0:
            return gap
        pc += delta * quantum
    return gap


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _bill_tables(
    funcs: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    count: cython.longlong,
    extra: cython.longlong,
    limit: cython.longlong,
    last: cython.longlong,
    owner: cython.longlong,
    index: cython.longlong,
    out: cython.int[:, ::1],
    big: cython.bint,
) -> cython.longlong:
    """Bill what lies between the first uses of value tables. Returns the newest table's start.

    `extra` is the offset of pcsp's reference; pcsp, pcfile, pcln and then `count` references from
    `at` on are the function's tables. New ones are taken in rising order.
    """
    newest: cython.longlong = last
    best: cython.longlong
    offset: cython.longlong
    k: cython.longlong
    payer: cython.longlong = owner
    rounds: cython.longlong = 0
    while rounds < count + 3:
        best = limit
        for k in range(3):
            offset = _u32(funcs, cython.cast(cython.Py_ssize_t, extra + 4 * k), big)
            if newest < offset < best:
                best = offset
        for k in range(count):
            offset = _u32(funcs, cython.cast(cython.Py_ssize_t, at + 4 * k), big)
            if newest < offset < best:
                best = offset
        if best == limit:
            break
        if payer >= 0:
            out[5, payer] += cython.cast(cython.int, best - newest)
        payer = index
        newest = best
        rounds += 1
    return newest


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _functions(
    funcs: cython.const[cython.uchar][::1],
    pctab: cython.const[cython.uchar][::1],
    shape: cython.longlong[::1],
    entries: cython.longlong[::1],
    trees: cython.longlong[::1],
    out: cython.int[:, ::1],
) -> cython.longlong:
    """Fill a column a function; returns how many functions were faulty."""
    first: cython.longlong = shape[0]
    width: cython.int = cython.cast(cython.int, shape[1])
    entry_width: cython.longlong = shape[2]
    header: cython.longlong = shape[3]
    cu_at: cython.longlong = shape[4]
    quantum: cython.int = cython.cast(cython.int, shape[5])
    big: cython.bint = shape[6] != 0
    inline_data: cython.longlong = shape[7]
    data_width: cython.int = cython.cast(cython.int, shape[8])
    region: cython.longlong = shape[9]
    largest: cython.longlong = 0x7FFFFFFF
    size: cython.longlong = funcs.shape[0]
    step: cython.longlong = 2 * width
    faults: cython.longlong = 0
    last_table: cython.longlong = 0
    last_owner: cython.longlong = -1
    last_record: cython.longlong = -1
    previous: cython.Py_ssize_t = -1
    highest: cython.longlong = -1
    record: cython.longlong
    newest: cython.longlong
    pcdata: cython.longlong
    funcdata: cython.longlong
    entry: cython.longlong
    follow: cython.longlong
    gap: cython.longlong
    value: cython.longlong
    at: cython.longlong
    end: cython.longlong
    i: cython.Py_ssize_t
    for i in range(entries.shape[0]):
        at = first + i * step
        entry = _word(funcs, cython.cast(cython.Py_ssize_t, at), width, big)
        follow = _word(funcs, cython.cast(cython.Py_ssize_t, at + step), width, big)
        record = _word(funcs, cython.cast(cython.Py_ssize_t, at + width), width, big)
        entries[i] = entry
        trees[i] = -1
        out[2, i] = -1
        out[3, i] = -1
        out[4, i] = cython.cast(cython.int, step)
        out[5, i] = 0
        out[6, i] = 0
        out[7, i] = 0
        out[8, i] = 0
        gap = 0
        if entry < 0 or entry < highest or follow < entry or follow - entry > largest:
            faults += 1
        else:
            highest = follow
            gap = follow - entry
        out[0, i] = cython.cast(cython.int, gap)
        out[1, i] = cython.cast(cython.int, gap)
        # Records stand in the order of the functions; one that does not is left out.
        if record < 0 or record > size - header or record <= last_record:
            faults += 1
            continue
        if previous >= 0:
            out[4, previous] += cython.cast(cython.int, record - last_record)
        previous = i
        last_record = record
        value = _u32(funcs, cython.cast(cython.Py_ssize_t, record + entry_width), big)
        if value <= largest:
            out[2, i] = cython.cast(cython.int, value)
        if cu_at:
            value = _u32(funcs, cython.cast(cython.Py_ssize_t, record + cu_at), big)
            if value <= largest:
                out[3, i] = cython.cast(cython.int, value)
        pcdata = _u32(funcs, cython.cast(cython.Py_ssize_t, record + entry_width + 24), big)
        funcdata = funcs[record + header - 1]
        end = record + header
        if pcdata > (size - end) // 4:
            faults += 1
            continue
        at = end + 4 * pcdata
        if data_width == 8 and (region + at) & 4:
            at += 4
        if at + data_width * funcdata > size:
            faults += 1
            funcdata = 0
        out[7, i] = cython.cast(cython.int, at)
        out[8, i] = cython.cast(cython.int, funcdata)
        newest = _bill_tables(
            funcs,
            cython.cast(cython.Py_ssize_t, end),
            # More than a few are never used; a hostile count must not be quadratic.
            pcdata if pcdata < 16 else 16,
            record + entry_width + 12,
            pctab.shape[0],
            last_table,
            last_owner,
            i,
            out,
            big,
        )
        if newest != last_table:
            last_table = newest
            last_owner = i
        out[0, i] = cython.cast(
            cython.int,
            _code_size(
                pctab,
                cython.cast(
                    cython.Py_ssize_t,
                    _u32(funcs, cython.cast(cython.Py_ssize_t, record + entry_width + 12), big),
                ),
                gap,
                quantum,
            ),
        )
        if pcdata > 2:
            value = _u32(funcs, cython.cast(cython.Py_ssize_t, end + 8), big)
            if value < pctab.shape[0]:
                out[6, i] = cython.cast(cython.int, value)
        if funcdata > inline_data:
            at += data_width * inline_data
            value = _word(funcs, cython.cast(cython.Py_ssize_t, at), data_width, big)
            if data_width == 8 or value + 1 >> 32 == 0:
                trees[i] = value
    if previous >= 0:
        out[4, previous] += cython.cast(cython.int, size - last_record)
    if last_owner >= 0:
        out[5, last_owner] += cython.cast(cython.int, pctab.shape[0] - last_table)
    return faults


def read_functions(
    funcs: npt.NDArray[np.uint8],
    pctab: npt.NDArray[np.uint8],
    *,
    first: int,
    count: int,
    width: int,
    entry_width: int,
    header: int,
    cu_at: int,
    quantum: int,
    big: bool,
    inline_data: int,
    data_width: int,
    region: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32], int]:
    """Read `count` functions of the functab at `first` in `funcs`.

    `width` is the bytes of a functab word, `entry_width` of the first field of a _func, `header`
    the bytes of a _func, `cu_at` where in it cuOffset is (0: nowhere), `inline_data` the index of
    the InlTree in funcdata, `data_width` the bytes of a funcdata reference and `region` the
    address of `funcs`, by which wide ones are aligned. Returns the entries as they stand in the
    table, each function's InlTree reference (-1: none), the other columns (ROWS x count) and the
    number of faults.
    """
    if not 0 <= count <= MAX_FUNCTIONS or first < 0 or first + (2 * count + 1) * width > len(funcs):
        raise FormatError(f"a table of {count} functions does not fit in {len(funcs)} bytes")
    if len(funcs) >= MAX_TABLE or len(pctab) >= MAX_TABLE:
        raise FormatError(f"a function table is longer than the cap of {MAX_TABLE} bytes")
    entries = np.empty(count, np.int64)
    trees = np.empty(count, np.int64)
    out = np.empty((ROWS, count), np.int32)
    if count == 0 or len(funcs) < header:
        entries[:], trees[:], out[:] = 0, -1, 0
        return entries, trees, out, count
    shape = np.array(
        [
            first,
            width,
            entry_width,
            header,
            cu_at,
            quantum,
            int(big),
            inline_data,
            data_width,
            region & 7,
        ],
        np.int64,
    )
    faults: int = _run_functions(
        _view(funcs), _view(pctab), _view(shape), _view(entries), _view(trees), _view(out)
    )
    return entries, trees, out, faults


def _run_functions(
    funcs: cython.const[cython.uchar][::1],
    pctab: cython.const[cython.uchar][::1],
    shape: cython.longlong[::1],
    entries: cython.longlong[::1],
    trees: cython.longlong[::1],
    out: cython.int[:, ::1],
) -> int:
    faults: cython.longlong
    with cython.nogil:
        faults = _functions(funcs, pctab, shape, entries, trees, out)
    return faults


def _view(array: npt.NDArray[Any]) -> Any:
    """Interpreted, a memoryview gives Python's integers, which do not overflow as numpy's do."""
    return array if cython.compiled else array.data


@cython.cfunc
@cython.nogil
@cython.exceptval(-2, check=True)
def _bill_funcdata(
    funcs: cython.const[cython.uchar][::1],
    columns: cython.int[:, ::1],
    width: cython.int,
    big: cython.bint,
    base: cython.longlong,
    limit: cython.longlong,
    seen: cython.uchar[::1],
    starts: cython.longlong[::1],
    owners: cython.int[::1],
    span: cython.longlong[::1],
) -> cython.longlong:
    """Note the first user of each funcdata from `base` on in `limit` bytes; returns how many.

    Without `seen` (a bit a byte) only the lowest and the highest offset are noted, in `span`.
    """
    room: cython.longlong = seen.shape[0]
    used: cython.longlong = 0
    i: cython.Py_ssize_t
    k: cython.longlong
    offset: cython.longlong
    at: cython.longlong
    cell: cython.Py_ssize_t
    bit: cython.uchar
    for i in range(columns.shape[1]):
        at = columns[7, i]
        for k in range(columns[8, i]):
            offset = _word(funcs, cython.cast(cython.Py_ssize_t, at + width * k), width, big)
            if width == 4 and offset + 1 >> 32:
                continue
            offset -= base
            if offset < 0 or offset >= limit:
                continue
            if room == 0:
                if span[0] < 0 or offset < span[0]:
                    span[0] = offset
                if offset > span[1]:
                    span[1] = offset
                used += 1
                continue
            cell = offset >> 3
            bit = cython.cast(cython.uchar, 1 << (offset & 7))
            if seen[cell] & bit == 0:
                seen[cell] |= bit
                if used < starts.shape[0]:
                    starts[used] = offset
                    owners[used] = cython.cast(cython.int, i)
                used += 1
    return used


def funcdata_owners(
    funcs: npt.NDArray[np.uint8],
    columns: npt.NDArray[np.int32],
    *,
    width: int,
    big: bool,
    base: int,
    size: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Where each funcdata starts, counted from `base` in `size` bytes, and its first user.

    `funcs` and `columns` are those of `read_functions`, `width` the bytes of a reference. Returns
    the starts, rising, and the functions that were the first to refer to them.
    """
    views = (_view(funcs), _view(columns))
    none = np.zeros(0, np.int64)
    nobody = np.zeros(0, np.int32)
    unseen = np.zeros(0, np.uint8)
    span = np.full(2, -1, np.int64)
    total: int = _run_funcdata(
        *views, width, big, base, size, _view(unseen), _view(none), _view(nobody), _view(span)
    )
    low, high = int(span[0]), int(span[1])
    if low < 0:
        return none, nobody
    room = high - low + 1
    seen = np.zeros((room >> 3) + 1, np.uint8)
    # Most references are to a few shared parts: start small and repeat in the rare other case.
    starts = np.empty(min(total, room, columns.shape[1] + 1024), np.int64)
    owners = np.empty(len(starts), np.int32)
    rest = (width, big, base + low, room)
    used: int = _run_funcdata(*views, *rest, _view(seen), _view(starts), _view(owners), _view(span))
    if used > len(starts):
        seen[:] = 0
        starts = np.empty(used, np.int64)
        owners = np.empty(used, np.int32)
        used = _run_funcdata(*views, *rest, _view(seen), _view(starts), _view(owners), _view(span))
    order = np.argsort(starts[:used])
    return starts[order] + low, owners[order]


def _run_funcdata(
    funcs: cython.const[cython.uchar][::1],
    columns: cython.int[:, ::1],
    width: cython.int,
    big: cython.bint,
    base: cython.longlong,
    limit: cython.longlong,
    seen: cython.uchar[::1],
    starts: cython.longlong[::1],
    owners: cython.int[::1],
    span: cython.longlong[::1],
) -> int:
    used: cython.longlong
    with cython.nogil:
        used = _bill_funcdata(funcs, columns, width, big, base, limit, seen, starts, owners, span)
    return used
